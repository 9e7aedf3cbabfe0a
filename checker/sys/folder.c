/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "base/fdio.h"
#include "folder.h"
#include "root-internal.h"

enum {
	NAMES_MAX = 65536,
	EXACT_MAX = 1024, /* names that kc_folder_lacks() would look through */
	BATCH = 16 * 1024, /* bytes of entries that the kernel hands over at once */
};

/*
 * File systems of which a listing holds every name that a lookup finds. Not so elsewhere: procfs
 * finds threads and autofs mounts what neither lists; FAT and servers know files by second names.
 * overlayfs refuses layers that compare names in a way of their own.
 */
static const uint32_t exact_magics[] = {
	0x0000ef53, /* ext2, ext3, ext4 */
	0x58465342, /* XFS */
	0x9123683e, /* Btrfs */
	0x01021994, /* tmpfs */
	0x794c7630, /* overlayfs */
	0x73717368, /* squashfs */
	0xe0f5e1e2, /* EROFS */
};

static bool is_exact_fs(int fd)
{
	struct statfs fs;

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < KC_ARRAY_SIZE(exact_magics); i++)
		if (exact_magics[i] == (uint32_t)fs.f_type)
			return true;
	return false;
}

/*
 * Opens a folder for its names. By O_PATH first, and then by ".", which mounts nothing where autofs
 * waits, as a path would, and opens nothing but folders. Who may read a folder need not be allowed
 * to search it, which "." needs: then *ret_searched is false, for a lookup would be refused.
 */
static int open_folder(const struct kc_root *root, const char *path, struct kc_err *err,
		       bool *ret_searched, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;
	int opened, r;

	r = kc_root_path_fd(root, path, 0, err, &fd);
	if (r < 0)
		return r;
	opened = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	*ret_searched = opened >= 0;
	if (opened >= 0) {
		*ret_fd = opened;
		return 0;
	}
	if (fstat(fd, &st) < 0)
		return kc_root_explain(err, -errno, path);
	if (!S_ISDIR(st.st_mode))
		return kc_err_set(err, -ENOTDIR, "%s: is no folder", path);
	return kc_root_reopen(fd, path, O_DIRECTORY, err, ret_fd);
}

/* ---- the list ---- */

struct list {
	int fd;
	bool want_links;
	bool unknown; /* there is a name of which it is not known whether it is a link */
	bool plain; /* all names are ASCII */
	struct kc_arena *arena;
	const char **names; /* the character before each is 1 for a link */
	size_t n, room;
	size_t n_links;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Room for so many more and the NULL: no more than that for a folder that takes one batch. */
static int grow_names(struct list *l, size_t more)
{
	const size_t want = l->n + more + 1, room = KC_MAX(want, l->room * 2);
	const char **names;

	if (want <= l->room)
		return 0;
	names = kc_arena_alloc(l->arena, room * sizeof(*names));
	if (!names)
		return -ENOMEM;
	if (l->n > 0)
		memcpy(names, l->names, l->n * sizeof(*names));
	l->names = names;
	l->room = room;
	return 0;
}

static bool is_ascii(const char *name)
{
	while (*name)
		if ((unsigned char)*name++ >= 0x80)
			return false;
	return true;
}

/* File systems need not say what an entry is. */
static bool is_link(struct list *l, const struct dirent64 *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_LNK;
	if (!l->want_links) {
		l->unknown = true;
		return false;
	}
	return fstatat(l->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
}

static int add_name(struct list *l, const struct dirent64 *entry)
{
	size_t size = strlen(entry->d_name) + 1;
	char *name;

	if (kc_streq(entry->d_name, ".") || kc_streq(entry->d_name, ".."))
		return 0;
	if (l->n == NAMES_MAX)
		return -EFBIG;
	name = kc_arena_alloc(l->arena, size + 1);
	if (!name)
		return -ENOMEM;
	*name = is_link(l, entry);
	l->n_links += (size_t)*name;
	memcpy(name + 1, entry->d_name, size);
	l->plain = l->plain && is_ascii(name + 1);
	l->names[l->n++] = name + 1;
	return 0;
}

static int add_batch(struct list *l, const char *batch, long size)
{
	size_t entries = 0;
	int r;

	for (long at = 0; at < size; entries++)
		at += ((const struct dirent64 *)(const void *)(batch + at))->d_reclen;
	r = grow_names(l, entries);
	for (long at = 0; r == 0 && at < size;) {
		const struct dirent64 *entry = (const void *)(batch + at);

		r = add_name(l, entry);
		at += entry->d_reclen;
	}
	return r;
}

/*
 * By hand, as fdopendir() asks the kernel three things about the descriptor that are known here.
 * The batch is no array on the stack, of which the compiler would zero, and touch, every page.
 */
static int read_names(struct list *l)
{
	kc_cleanup(kc_freep) char *batch = malloc(BATCH);
	long n;
	int r = batch ? grow_names(l, 0) : -ENOMEM;

	while (r == 0 && (n = syscall(SYS_getdents64, l->fd, batch, BATCH)) != 0)
		r = n < 0 ? -errno : add_batch(l, batch, n);
	if (r < 0)
		return r;
	qsort(l->names, l->n, sizeof(*l->names), compare_names);
	l->names[l->n] = NULL;
	return 0;
}

static int gather_links(const struct list *l, struct kc_strings *ret_links)
{
	const char **links = kc_arena_zalloc(l->arena, l->n_links + 1, sizeof(*links));
	size_t n = 0;

	if (!links)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		if (l->names[i][-1])
			links[n++] = l->names[i];
	*ret_links = (struct kc_strings){ .n = n, .item = links };
	return 0;
}

int kc_folder_list(const struct kc_root *root, const char *path, bool links, struct kc_arena *arena,
		   struct kc_err *err, struct kc_folder *ret_folder)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct list l = { .want_links = links, .plain = true, .arena = arena };
	struct kc_folder folder = { 0 };
	bool searched;
	int r;

	r = open_folder(root, path, err, &searched, &fd);
	if (r < 0)
		return r;
	l.fd = fd;
	r = read_names(&l);
	if (r == 0)
		r = gather_links(&l, &folder.links);
	if (r == -EFBIG)
		return kc_err_set(err, r, "%s: has more than %d entries", path, NAMES_MAX);
	if (r < 0)
		return kc_root_explain(err, r, path);
	folder.names = (struct kc_strings){ .n = l.n, .item = l.names };
	folder.has_links = !l.unknown;
	folder.exactness =
		searched && l.plain && l.n <= EXACT_MAX ? KC_FOLDER_UNASKED : KC_FOLDER_INEXACT;
	folder.fd = TAKE_FD(fd);
	*ret_folder = folder;
	return 0;
}

int kc_root_list(const struct kc_root *root, const char *path, struct kc_arena *arena,
		 struct kc_err *err, struct kc_strings *ret_names)
{
	struct kc_folder folder;
	int r = kc_folder_list(root, path, false, arena, err, &folder);

	if (r < 0)
		return r;
	(void)kc_close(folder.fd);
	*ret_names = folder.names;
	return 0;
}

/* ---- what is asked of it ---- */

static int fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool same_but_for_case(const char *a, const char *b)
{
	while (*a && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return fold(*a) == fold(*b);
}

/*
 * Some folders (ext4, tmpfs and XFS can be told to) take names for the same that differ in case, or
 * in characters beyond ASCII that fold to ASCII or count for nothing. So a name is lacking for
 * certain where it is ASCII, as all in the folder are, and none is the same but for case.
 */
bool kc_folder_lacks(struct kc_folder *folder, const char *name)
{
	if (folder->exactness == KC_FOLDER_UNASKED)
		folder->exactness = is_exact_fs(folder->fd) ? KC_FOLDER_EXACT : KC_FOLDER_INEXACT;
	if (folder->exactness != KC_FOLDER_EXACT || !*name || kc_streq(name, ".") ||
	    kc_streq(name, "..") || strlen(name) > NAME_MAX || !is_ascii(name))
		return false;
	for (size_t i = 0; i < folder->names.n; i++)
		if (same_but_for_case(folder->names.item[i], name))
			return false;
	return true;
}

static int compare_name(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

bool kc_folder_has_link(const struct kc_folder *folder, const char *name)
{
	return folder->has_links && folder->links.n &&
	       bsearch(name, folder->links.item, folder->links.n, sizeof(*folder->links.item),
		       compare_name);
}

int kc_folder_stat(const struct kc_folder *folder, const char *name, const char *path,
		   struct kc_err *err, struct kc_stat *ret_stat)
{
	struct stat st;

	if (fstatat(folder->fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
		return kc_root_explain(err, -errno, path);
	kc_root_describe(&st, ret_stat);
	return 0;
}

int kc_folder_read_link(const struct kc_folder *folder, const char *name, const char *path,
			struct kc_err *err, struct kc_buf *b)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(folder->fd, name, target, sizeof(target));

	return kc_root_keep_link(n < 0 ? -errno : n, target, path, err, b);
}
