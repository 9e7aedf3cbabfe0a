/* SPDX-License-Identifier: Apache-2.0 */
#include "grub-environment.h"

enum {
	TEXT_MAX = 64 * 1024,
	VARIABLES_MAX = 256
};

/* What GRUB looks for before it takes anything. */
static const char signature[] = "# GRUB Environment Block\n";

/* Takes the escapes out of a value, in place; returns what is behind its line. */
static char *cut_value(char *value, unsigned *line)
{
	char *out = value, *s = value;

	for (; *s && *s != '\n'; s++) {
		if (*s == '\\' && s[1]) {
			s++;
			*line += *s == '\n';
		}
		*out++ = *s;
	}
	s += *s == '\n';
	*out = '\0';
	return s;
}

int kc_grub_environment_parse(const char *text, size_t size, struct kc_arena *arena,
			      struct kc_grub_environment *ret_environment)
{
	size_t head = strlen(signature), n = 0;
	struct kc_grub_variable *item;
	unsigned line = 2;
	char *s;

	if (size > TEXT_MAX)
		return -EFBIG;
	if (size < head || memcmp(text, signature, head) != 0 || memchr(text, '\0', size))
		return -EBADMSG;
	s = kc_arena_memdup(arena, text + head, size - head);
	item = kc_arena_zalloc(arena, VARIABLES_MAX, sizeof(*item));
	if (!s || !item)
		return -ENOMEM;
	while (*s) {
		unsigned at = line++;
		size_t name = strcspn(s, "=\n");
		char *value = s + name + 1;

		if (*s == '#' || s[name] != '=') {
			s += strcspn(s, "\n");
			s += *s == '\n';
			continue;
		}
		if (n == VARIABLES_MAX)
			return -EFBIG;
		s[name] = '\0';
		item[n++] = (struct kc_grub_variable){ .name = s, .value = value, .line = at };
		s = cut_value(value, &line);
	}
	*ret_environment = (struct kc_grub_environment){ .item = item, .n = n };
	return 0;
}

const struct kc_grub_variable *kc_grub_environment_get(
	const struct kc_grub_environment *environment, const char *name)
{
	for (size_t i = environment->n; i--;)
		if (kc_streq(environment->item[i].name, name))
			return &environment->item[i];
	return NULL;
}
