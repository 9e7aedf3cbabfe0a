/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "root-internal.h"

/* The names in a folder below a root. */

enum {
	NAMES_MAX = 65536
};

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int open_dir_fd(const struct kc_root *root, const char *path, struct kc_err *err,
		       int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;
	int r;

	r = kc_root_path_fd(root, path, 0, err, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return kc_root_explain(err, -errno, path);
	/* Asked before it is opened: O_DIRECTORY is no promise for what an old kernel does to a
	 * device, and O_PATH mounts nothing where autofs waits. */
	if (!S_ISDIR(st.st_mode))
		return kc_err_set(err, -ENOTDIR, "%s: is no folder", path);
	return kc_root_reopen(fd, path, O_DIRECTORY, err, ret_fd);
}

static int open_dir(const struct kc_root *root, const char *path, struct kc_err *err, DIR **ret_dir)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	DIR *dir;
	int r;

	r = open_dir_fd(root, path, err, &fd);
	if (r < 0)
		return r;
	dir = fdopendir(fd);
	if (!dir)
		return kc_root_explain(err, -errno, path);
	fd = -EBADF;
	*ret_dir = dir;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A list in the arena that has room for one more and the NULL. */
static int grow_names(struct kc_arena *arena, size_t n, size_t *room, const char ***names)
{
	size_t more = *room ? *room * 2 : 64;
	const char **list;

	if (n + 1 < *room)
		return 0;
	list = kc_arena_zalloc(arena, more, sizeof(*list));
	if (!list)
		return -ENOMEM;
	if (n > 0)
		memcpy(list, *names, n * sizeof(*list));
	*names = list;
	*room = more;
	return 0;
}

/* File systems need not say what an entry is. */
static bool is_link(DIR *dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_LNK;
	return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISLNK(st.st_mode);
}

static int list(const struct kc_root *root, const char *path, bool links, struct kc_arena *arena,
		struct kc_err *err, struct kc_strings *ret_names)
{
	kc_cleanup(closedirp) DIR *dir = NULL;
	const char **names = NULL;
	size_t n = 0, room = 0;
	int r;

	r = open_dir(root, path, err, &dir);
	if (r < 0)
		return r;
	for (;;) {
		struct dirent *entry;

		r = grow_names(arena, n, &room, &names);
		if (r < 0)
			return kc_root_explain(err, r, path);
		errno = 0;
		entry = readdir(dir);
		if (!entry && errno != 0)
			return kc_root_explain(err, -errno, path);
		if (!entry)
			break;
		if (kc_streq(entry->d_name, ".") || kc_streq(entry->d_name, "..") ||
		    (links && !is_link(dir, entry)))
			continue;
		if (n == NAMES_MAX)
			return kc_err_set(err, -EFBIG, "%s: has more than %d entries", path,
					  NAMES_MAX);
		names[n] = kc_arena_strdup(arena, entry->d_name);
		if (!names[n++])
			return kc_root_explain(err, -ENOMEM, path);
	}
	qsort(names, n, sizeof(*names), compare_names);
	names[n] = NULL;
	*ret_names = (struct kc_strings){ .n = n, .item = names };
	return 0;
}

int kc_root_list(const struct kc_root *root, const char *path, struct kc_arena *arena,
		 struct kc_err *err, struct kc_strings *ret_names)
{
	return list(root, path, false, arena, err, ret_names);
}

int kc_root_list_links(const struct kc_root *root, const char *path, struct kc_arena *arena,
		       struct kc_err *err, struct kc_strings *ret_names)
{
	return list(root, path, true, arena, err, ret_names);
}
