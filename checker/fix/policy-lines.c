/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "policy-parts.h"

/* libkmod drops a backslash, with the newline behind it: words, and comments, go on by that. */
void kc_policy_modprobe_lines(const char *text, size_t size, struct kc_buf *out)
{
	for (const char *p = text, *end = text + size; p < end; p++) {
		if (*p != '\\')
			kc_buf_addc(out, *p);
		else if (++p < end && *p != '\n')
			kc_buf_addc(out, *p);
	}
}

/* modprobe.d(5): lines of these run a command as root. */
bool kc_policy_modprobe_line(const char *line)
{
	static const char *const verbs[] = { "install", "remove", NULL };

	line += strspn(line, " \t");
	KC_FOREACH_STR (verb, verbs) {
		const char *rest = kc_after_prefix(line, verb);

		if (rest && (*rest == ' ' || *rest == '\t'))
			return true;
	}
	return false;
}

/* libselinux passes over blanks, and takes the words in any case. */
bool kc_policy_selinux_line(const char *line)
{
	const char *value;

	line += strspn(line, " \t");
	value = kc_after_prefix(line, "SELINUX");
	if (!value)
		return false;
	value += strspn(value, " \t");
	if (*value != '=')
		return false;
	value++;
	value += strspn(value, " \t");
	return strncasecmp(value, "enforcing", strlen("enforcing")) != 0;
}

/* "set!NAME = PROGRAM" is run by the generator, and mount-point= is where a device goes. */
bool kc_policy_zram_line(const char *line)
{
	line += strspn(line, " \t");
	if (*line == '#' || *line == ';')
		return false;
	return strchr(line, '\\') || strstr(line, "set!") || strstr(line, "mount-point");
}
