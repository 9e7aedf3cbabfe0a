/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "hostname-descriptor.h"

enum {
	FILE_SIZE_MAX = 4096,
	LABEL_LONGEST = 63,
	NAME_LONGEST = 253,
};

static int is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* What is wrong with a label of n characters; NULL when nothing is. */
static const char *label_fault(const char *label, size_t n)
{
	if (n == 0)
		return "It is empty, or has two dots in a row, or one at an end.";
	if (n > LABEL_LONGEST)
		return "A part of it is longer than 63 characters.";
	for (size_t i = 0; i < n; i++) {
		if (label[i] >= 'A' && label[i] <= 'Z')
			return "It has a capital letter.";
		if (!is_alphanumeric(label[i]) && label[i] != '-')
			return "It has a character that is no letter, digit or \"-\".";
	}
	if (label[0] == '-' || label[n - 1] == '-')
		return "A part of it begins or ends with \"-\".";
	return NULL;
}

static const char *name_fault(const char *name, const struct kc_strings *refused)
{
	if (strlen(name) > NAME_LONGEST)
		return "It is longer than 253 characters.";
	for (const char *p = name;; p++) {
		size_t n = strcspn(p, ".");
		const char *fault = label_fault(p, n);

		if (fault)
			return fault;
		p += n;
		if (!*p)
			break;
	}
	for (size_t i = 0; i < refused->n; i++) {
		if (strcmp(name, refused->item[i]) == 0)
			return "It is among the names that no node shall have.";
	}
	return NULL;
}

static int judge(const struct kc_host *host, struct kc_run *run, uint32_t horizon, const char *name,
		 const char *source)
{
	struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_PASS,
		.horizon = horizon,
		.expected = "a lower-case RFC 1123 name",
		.found = name,
		.source = source,
	};
	struct kc_strings refused;
	int r;

	r = kc_param_list(host, run, "refuse", &refused);
	if (r < 0)
		return r;
	finding.message = name_fault(name, &refused);
	if (finding.message)
		finding.verdict = KC_FAIL;
	return kc_finding(host, run, &finding);
}

/* For want of a name: an error with the host's own sentence, or a skip with a reason. */
static int no_name(const struct kc_host *host, struct kc_run *run, uint32_t horizon,
		   const char *reason, const char *source)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = reason ? KC_SKIP : KC_ERROR,
		.horizon = horizon,
		.source = source,
		.message = reason ? NULL : kc_why(host, run),
		.reason = reason,
	};

	return kc_finding(host, run, &finding);
}

static int judge_now(const struct kc_host *host, struct kc_run *run)
{
	static const char source[] = "/proc/sys/kernel/hostname";
	const char *name;

	if (kc_sysctl(host, run, "kernel.hostname", &name) < 0)
		return no_name(host, run, KC_NOW, NULL, source);
	return judge(host, run, KC_NOW, name, source);
}

static int judge_boot(const struct kc_host *host, struct kc_run *run)
{
	static const char path[] = "/etc/hostname";
	struct kc_bytes text;
	const char *line;
	char *name;
	size_t n;
	int r;

	r = kc_read_file(host, run, path, FILE_SIZE_MAX, &text);
	if (r < 0)
		return no_name(host, run, KC_BOOT, r == -ENOENT ? "not-set" : NULL, path);
	for (line = text.data; *line; line += n + (line[n] == '\n')) {
		line += strspn(line, " \t\r\n");
		n = strcspn(line, "\n");
		if (n > 0 && *line != '#')
			break;
	}
	n = strcspn(line, " \t\r\n");
	if (n == 0)
		return no_name(host, run, KC_BOOT, "not-set", path);
	name = kc_alloc(host, run, n + 1);
	if (!name)
		return -ENOMEM;
	memcpy(name, line, n);
	name[n] = 0;
	return judge(host, run, KC_BOOT, name, path);
}

int hostname_valid_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	uint32_t horizons = kc_horizons(host, run);
	int r = 0;

	(void)state;
	if (horizons & KC_NOW)
		r = judge_now(host, run);
	if (r == 0 && (horizons & KC_BOOT))
		r = judge_boot(host, run);
	return r;
}
