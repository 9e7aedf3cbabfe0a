/* SPDX-License-Identifier: Apache-2.0 */
#include "policy-parts.h"

/* A line of fstab(5). */
struct mount_line {
	const char *field[4]; /* what, where, type, options */
	int n[4];
};

static bool read_mount(const char *line, const char *end, struct mount_line *ret)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(ret->field); i++) {
		while (line < end && (*line == ' ' || *line == '\t'))
			line++;
		ret->field[i] = line;
		while (line < end && *line != ' ' && *line != '\t')
			line++;
		ret->n[i] = (int)(line - ret->field[i]);
		if (i == 0 && (ret->n[0] == 0 || *ret->field[0] == '#'))
			return false;
	}
	return true;
}

void kc_policy_mounts(const char *text, size_t size, struct kc_buf *out)
{
	for (const char *p = text, *end = text + size, *stop; p < end; p = stop + 1) {
		struct mount_line m;
		const char *option;
		int left;

		for (stop = p; stop < end && *stop != '\n';)
			stop++;
		if (!read_mount(p, stop, &m))
			continue;
		kc_buf_addf(out, "mount %.*s %.*s %.*s\n", m.n[0], m.field[0], m.n[1], m.field[1],
			    m.n[2], m.field[2]);
		option = m.field[3];
		left = m.n[3];
		while (left > 0) {
			const char *comma = memchr(option, ',', (size_t)left);
			int n = comma ? (int)(comma - option) : left;

			kc_buf_addf(out, "option %.*s %.*s\n", m.n[1], m.field[1], n, option);
			option += n + 1;
			left -= n + 1;
		}
	}
}

/* mount(8): options by which less can be done, or less is waited for. */
bool kc_policy_mount(const char *line)
{
	static const char *const plain[] = { "nosuid",	   "nodev",   "noexec",	     "ro",
					     "nofail",	   "noauto",  "relatime",    "noatime",
					     "nodiratime", "_netdev", "nosymfollow", NULL };
	const char *option = strrchr(line, ' ');

	return !kc_after_prefix(line, "option ") || !option || !kc_strv_has(plain, option + 1);
}

bool kc_policy_mount_guard(const char *line)
{
	static const char *const guards[] = { "nosuid", "nodev", "noexec", "ro", NULL };
	const char *option = strrchr(line, ' ');

	return kc_after_prefix(line, "option ") && option && kc_strv_has(guards, option + 1);
}
