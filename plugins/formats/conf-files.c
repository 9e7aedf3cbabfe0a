/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

static bool has_base(const struct kc_conf_files *files, const char *base)
{
	for (size_t i = 0; i < files->n; i++)
		if (kc_streq(files->item[i].base, base))
			return true;
	return false;
}

int kc_conf_files_put(const struct kc_unit_folders *folders, const char *dir, const char *base,
		      struct kc_conf_files *files)
{
	struct kc_conf_file *items;
	const char *path;

	if (has_base(files, base))
		return 0;
	if (files->n >= KC_UNIT_DROPINS_MAX)
		return -E2BIG;
	items = kc_arena_grow(folders->arena, files->item, files->n, &files->size, sizeof(*items));
	path = kc_unit_path(folders->arena, dir, base);
	if (!items || !path)
		return -ENOMEM;
	files->item = items;
	items[files->n++] = (struct kc_conf_file){ .base = strrchr(path, '/') + 1, .path = path };
	return 0;
}

/* 1 for a file or a link. */
static int is_file(const struct kc_unit_folders *folders, const char *dir, const char *base)
{
	struct kc_stat stat = { .size_of = sizeof(stat) };
	const char *path = kc_unit_path(folders->arena, dir, base);
	int r;

	if (!path)
		return -ENOMEM;
	r = kc_stat(folders->host, folders->run, path, KC_NOFOLLOW, &stat);
	if (r)
		return r == -ENOENT ? 0 : r;
	return stat.type == KC_FILE_REGULAR || stat.type == KC_FILE_SYMLINK;
}

int kc_conf_files_add(const struct kc_unit_folders *folders, const char *dir, const char *suffix,
		      struct kc_conf_files *files)
{
	struct kc_strings names;
	int r;

	r = kc_list_dir(folders->host, folders->run, dir, &names);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	for (size_t i = 0; !r && i < names.n; i++) {
		const char *base = names.item[i];

		if (*base == '.' || !kc_endswith(base, suffix))
			continue;
		r = is_file(folders, dir, base);
		if (r > 0)
			r = kc_conf_files_put(folders, dir, base, files);
	}
	return r;
}

static int compare_bases(const void *a, const void *b)
{
	return strcmp(((const struct kc_conf_file *)a)->base,
		      ((const struct kc_conf_file *)b)->base);
}

void kc_conf_files_sort(struct kc_conf_files *files)
{
	if (files->n)
		qsort(files->item, files->n, sizeof(files->item[0]), compare_bases);
}

int kc_conf_file_is_void(const struct kc_unit_folders *folders, const char *path)
{
	struct kc_stat stat = { .size_of = sizeof(stat) };
	const char *at = path;
	int r;

	/* Offline there need be no /dev/null, so that the text of the links counts. */
	for (unsigned hop = 0; hop < KC_UNIT_HOPS_MAX; hop++) {
		r = kc_unit_link_target(folders, at, &at);
		if (r == -EINVAL || r == -ENOENT || r == -ENOTDIR)
			break;
		if (r)
			return r;
		if (kc_streq(at, "/dev/null"))
			return 1;
	}
	r = kc_stat(folders->host, folders->run, path, 0, &stat);
	return r == -ENOENT ? 2 : 0;
}
