/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "node-name.h"

enum {
	NAME_MAX_LENGTH = 253,
	LABEL_MAX_LENGTH = 63,
};

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool host_name_is_localhost(const char *name)
{
	static const char word[] = "localhost", suffix[] = ".localhost";
	size_t n = strlen(name);

	if (strncasecmp(name, word, sizeof(word) - 1) == 0 &&
	    (!name[sizeof(word) - 1] || name[sizeof(word) - 1] == '.'))
		return true;
	return n >= sizeof(suffix) && strcasecmp(name + n - (sizeof(suffix) - 1), suffix) == 0;
}

static const char *label_fault(const char *label, size_t n)
{
	if (n == 0)
		return "it has an empty label: a dot at an end, or two in a row";
	if (n > LABEL_MAX_LENGTH)
		return "DNS takes no label of more than 63 characters";
	for (size_t i = 0; i < n; i++) {
		if (label[i] >= 'A' && label[i] <= 'Z')
			return "it has capital letters, which the kubelet makes small: the node "
			       "gets another name than the host";
		if (!is_alphanumeric(label[i]) && label[i] != '-')
			return "a node's name has letters, digits, dashes and dots only";
	}
	if (!is_alphanumeric(label[0]) || !is_alphanumeric(label[n - 1]))
		return "a label begins and ends with a letter or digit";
	return NULL;
}

const char *host_node_name_fault(const char *name)
{
	if (!*name || kc_streq(name, "(none)"))
		return "the host has no name";
	if (strlen(name) > NAME_MAX_LENGTH)
		return "it has more than 253 characters";
	if (host_name_is_localhost(name))
		return "every host is called so: nodes of one name take each other's place";
	for (const char *label = name;; label++) {
		size_t n = strcspn(label, ".");
		const char *fault = label_fault(label, n);

		if (fault)
			return fault;
		label += n;
		if (!*label)
			return NULL;
	}
}

int host_hostname_parse(const char *text, size_t size, struct kc_arena *arena,
			const char **ret_name, unsigned *ret_line)
{
	const char *end = text + size;

	if (memchr(text, 0, size))
		return -EBADMSG;
	for (unsigned line = 1; text < end; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		char *copy, *name;

		if (!stop)
			stop = end;
		copy = kc_arena_memdup(arena, text, (size_t)(stop - text));
		if (!copy)
			return -ENOMEM;
		name = kc_strstrip(copy);
		if (*name && *name != '#') {
			*ret_name = name;
			*ret_line = line;
			return 0;
		}
		text = stop < end ? stop + 1 : end;
	}
	return -ENOENT;
}
