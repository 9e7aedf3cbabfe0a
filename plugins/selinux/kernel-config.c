/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel-config.h"

/* A piece of the text. */
struct span {
	const char *at;
	size_t size;
};

static bool is_word(struct span s, const char *word)
{
	return s.size == strlen(word) && memcmp(s.at, word, s.size) == 0;
}

bool selinux_comes_first(const char *list, size_t size)
{
	static const char *const others[] = { "apparmor", "smack" };
	const char *end = list + size;

	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		struct span name = { list, (size_t)((comma ? comma : end) - list) };

		if (is_word(name, "selinux"))
			return true;
		for (size_t i = 0; i < KC_ARRAY_SIZE(others); i++)
			if (is_word(name, others[i]))
				return false;
		list += name.size + 1;
	}
	return false;
}

/* The value of NAME=VALUE, without quotes; at NULL when there is no such line. */
static struct span find(const char *text, size_t size, const char *name)
{
	const char *end = text + size;
	size_t n = strlen(name);

	for (const char *s = text; s < end;) {
		const char *hit = memmem(s, (size_t)(end - s), name, n), *eol;
		struct span value;

		if (!hit)
			break;
		s = hit + n;
		if ((hit > text && hit[-1] != '\n') || s >= end || *s != '=')
			continue;
		s++;
		eol = memchr(s, '\n', (size_t)(end - s));
		value = (struct span){ s, (size_t)((eol ? eol : end) - s) };
		if (value.size >= 2 && value.at[0] == '"' && value.at[value.size - 1] == '"')
			value = (struct span){ value.at + 1, value.size - 2 };
		return value;
	}
	return (struct span){ 0 };
}

/*
 * Whether it says that SELinux is not built, or that something is not which SELinux depends on
 * (security/selinux/Kconfig). Kconfig writes a line for what could have been chosen, so that one
 * which is missing is a file that was cut or spoiled.
 */
static bool is_without(const char *text, size_t size)
{
	static const char *const lines[] = {
		"# CONFIG_SECURITY_SELINUX is not set",
		"# CONFIG_SECURITY_NETWORK is not set",
		"# CONFIG_SECURITY is not set",
		"# CONFIG_AUDIT is not set",
		"# CONFIG_INET is not set",
		"# CONFIG_NET is not set",
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(lines); i++)
		if (memmem(text, size, lines[i], strlen(lines[i])))
			return true;
	return false;
}

enum selinux_kernel selinux_kernel_config_parse(const char *text, size_t size)
{
	struct span selinux = find(text, size, "CONFIG_SECURITY_SELINUX");
	struct span list, value;

	if (!selinux.at || !is_word(selinux, "y"))
		return is_without(text, size) ? SELINUX_KERNEL_WITHOUT : SELINUX_KERNEL_UNKNOWN;
	value = find(text, size, "CONFIG_SECURITY_SELINUX_BOOTPARAM_VALUE");
	if (value.at && is_word(value, "0"))
		return SELINUX_KERNEL_OFF;
	list = find(text, size, "CONFIG_LSM");
	if (list.at)
		return selinux_comes_first(list.at, list.size) ? SELINUX_KERNEL_ON
							       : SELINUX_KERNEL_OFF;
	value = find(text, size, "CONFIG_DEFAULT_SECURITY");
	return value.at && !is_word(value, "selinux") ? SELINUX_KERNEL_OFF : SELINUX_KERNEL_ON;
}
