/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

/* "/dev/null", and "../../../dev/null" as it is written in images without a /dev. */
static bool names_null(const char *target)
{
	const char *rest;

	while ((rest = kc_after_prefix(target, "../")))
		target = rest;
	return kc_streq(target, "/dev/null") || kc_streq(target, "dev/null");
}

/* 1: the file masks; 0: it is there and does not; -ENOENT: it is not there. */
static int masks(const struct kc_host *host, struct kc_run *run, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *target;
	int r;

	r = kc_read_link(host, run, path, &target);
	if (r == 0 && names_null(target))
		return 1;
	if (r == 0 || r == -EINVAL)
		r = kc_stat(host, run, path, 0, &st);
	if (r < 0)
		return r == -ENOTDIR ? -ENOENT : r;
	return st.type == KC_FILE_CHAR_DEVICE || (st.type == KC_FILE_REGULAR && st.size == 0);
}

int kc_unit_mask(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		 const char *name, const char **ret_mask)
{
	KC_FOREACH_STR (dir, kc_unit_dirs) {
		const char *path = kc_arena_printf(arena, "%s/%s", dir, name);
		int r;

		if (!path)
			return -ENOMEM;
		r = masks(host, run, path);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		*ret_mask = r ? path : NULL;
		return 0;
	}
	*ret_mask = NULL;
	return 0;
}
