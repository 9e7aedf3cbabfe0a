/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fdio.h"
#include "node.h"

enum {
	XATTR_NAMES_MAX = 64 * 1024, /* XATTR_LIST_MAX */
	XATTR_VALUE_MAX = 64 * 1024, /* XATTR_SIZE_MAX */
};

static uint32_t type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return KC_FILE_REGULAR;
	case S_IFDIR:
		return KC_FILE_DIRECTORY;
	case S_IFLNK:
		return KC_FILE_SYMLINK;
	case S_IFSOCK:
		return KC_FILE_SOCKET;
	case S_IFIFO:
		return KC_FILE_FIFO;
	case S_IFCHR:
		return KC_FILE_CHAR_DEVICE;
	default:
		return KC_FILE_BLOCK_DEVICE;
	}
}

static void describe(int fd, const struct stat *st, struct kc_node *node)
{
	struct statfs figures;

	*node = (struct kc_node){
		.type = type_of(st->st_mode),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = (uint64_t)st->st_size,
		.atime = st->st_atim,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
		.device = st->st_dev,
		.inode = st->st_ino,
		.nlink = (uint32_t)st->st_nlink,
		.overlay = fstatfs(fd, &figures) == 0 && figures.f_type == OVERLAYFS_SUPER_MAGIC,
	};
}

/* What belongs to the object that it is on, and would be wrong, or refused, on a copy. */
static bool is_own(const char *name)
{
	return kc_streq(name, "security.ima") || kc_streq(name, "security.evm") ||
	       kc_after_prefix(name, "trusted.overlay.");
}

/* Of a security module (SELinux, Smack), which labels what is new by a policy of its own. */
static bool is_label(const char *name)
{
	return kc_after_prefix(name, "security.") && !kc_streq(name, "security.capability");
}

static int by_name(const void *a, const void *b)
{
	const struct kc_node_xattr *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int read_xattr(const char *path, const char *name, struct kc_arena *arena,
		      struct kc_node_xattr *ret)
{
	kc_cleanup(kc_freep) char *value = malloc(XATTR_VALUE_MAX);
	ssize_t n;

	if (!value)
		return -ENOMEM;
	n = getxattr(path, name, value, XATTR_VALUE_MAX);
	if (n < 0)
		return -errno;
	ret->name = kc_arena_strdup(arena, name);
	ret->value = kc_arena_memdup(arena, value, (size_t)n);
	ret->size = (size_t)n;
	return ret->name && ret->value ? 0 : -ENOMEM;
}

/* `path` is one below /proc/self/fd, which stands for the object itself, a link too. */
static int read_xattrs(const char *path, struct kc_arena *arena, struct kc_node *node)
{
	kc_cleanup(kc_freep) char *names = malloc(XATTR_NAMES_MAX);
	struct kc_node_xattr *xattrs = NULL;
	size_t n = 0, room = 0;
	ssize_t size;

	if (!names)
		return -ENOMEM;
	size = listxattr(path, names, XATTR_NAMES_MAX);
	if (size < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *p = names; p < names + size; p += strlen(p) + 1) {
		void *grown;
		int r;

		if (is_own(p))
			continue;
		grown = kc_arena_grow(arena, xattrs, n, &room, sizeof(*xattrs));
		if (!grown)
			return -ENOMEM;
		xattrs = grown;
		r = read_xattr(path, p, arena, xattrs + n);
		/* Gone in between, or a name that only the list has. */
		if (r == -ENODATA || r == -ENOTSUP)
			continue;
		if (r < 0)
			return r;
		n++;
	}
	if (n > 0)
		qsort(xattrs, n, sizeof(*xattrs), by_name);
	node->xattrs = xattrs;
	node->n_xattrs = (uint32_t)n;
	return 0;
}

static int read_content(int fd, struct kc_arena *arena, struct kc_node *node,
			struct kc_buf *content)
{
	kc_cleanup(kc_buf_done) struct kc_buf own = { 0 };
	struct kc_buf *b = content ? content : &own;
	size_t start = b->len;
	char hex[KC_DIGEST_TEXT];
	int r = kc_read_known(fd, node->size, KC_NODE_SIZE_MAX, b);

	if (r < 0)
		return r;
	kc_digest(b->data + start, b->len - start, hex);
	node->size = b->len - start;
	node->sha256 = kc_arena_strdup(arena, hex);
	return node->sha256 ? 0 : -ENOMEM;
}

int kc_node_read_fd(int fd, unsigned flags, struct kc_arena *arena, struct kc_err *err,
		    struct kc_node *ret_node, struct kc_buf *content)
{
	bool whole = flags & KC_NODE_CONTENT;
	struct kc_node node;
	struct stat st;
	char path[64];
	int r = 0;

	if (fstat(fd, &st) < 0)
		return kc_err_set(err, -errno, "it cannot be looked at: %s", kc_strerror(errno));
	describe(fd, &st, &node);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	whole = whole && node.type == KC_FILE_REGULAR;
	if (whole && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = read_xattrs(path, arena, &node);
	if (r == 0 && whole)
		r = read_content(fd, arena, &node, content);
	if (r == -EFBIG)
		return kc_err_set(err, r,
				  "it is larger than a file that is changed may be (%d MiB)",
				  KC_NODE_SIZE_MAX >> 20);
	if (r < 0)
		return kc_err_set(err, r, "it cannot be read: %s", kc_strerror(r));
	*ret_node = node;
	return 0;
}

static int read_link(int fd, struct kc_arena *arena, struct kc_node *node)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(fd, "", text, sizeof(text));

	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof(text))
		return -ENAMETOOLONG;
	node->link = kc_arena_memdup(arena, text, (size_t)n);
	return node->link ? 0 : -ENOMEM;
}

int kc_node_read(int dir, const char *name, unsigned flags, struct kc_arena *arena,
		 struct kc_err *err, struct kc_node *ret_node, struct kc_buf *content, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct kc_node node = { 0 };
	struct stat st;
	char path[64];
	int r = 0;

	if (ret_fd)
		*ret_fd = -EBADF;
	if (fd < 0 && errno == ENOENT) {
		*ret_node = node;
		return 0;
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return kc_err_set(err, -errno, "%s cannot be looked at: %s", name,
				  kc_strerror(errno));
	describe(fd, &st, &node);
	if (node.type == KC_FILE_REGULAR) {
		int file = kc_fd_reopen(fd, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

		r = file < 0 ? kc_err_set(err, file, "it cannot be opened: %s", kc_strerror(file))
			     : kc_node_read_fd(file, flags, arena, err, &node, content);
		if (r == 0 && ret_fd)
			*ret_fd = TAKE_FD(file);
		(void)kc_close(file);
	} else {
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (node.type == KC_FILE_SYMLINK)
			r = read_link(fd, arena, &node);
		if (r == 0)
			r = read_xattrs(path, arena, &node);
		if (r < 0)
			(void)kc_err_set(err, r, "it cannot be read: %s", kc_strerror(r));
	}
	if (r < 0)
		return err ? kc_err_prefix(err, "%s", name) : r;
	*ret_node = node;
	return 0;
}

static bool same_xattr(const struct kc_node_xattr *x, const struct kc_node_xattr *y)
{
	return x->size == y->size && memcmp(x->value, y->value, x->size) == 0;
}

/* Both are sorted. What a security module has put on one alone is no difference. */
static bool same_xattrs(const struct kc_node *a, const struct kc_node *b)
{
	uint32_t i = 0, k = 0;

	while (i < a->n_xattrs || k < b->n_xattrs) {
		const struct kc_node_xattr *x = i < a->n_xattrs ? a->xattrs + i : NULL;
		const struct kc_node_xattr *y = k < b->n_xattrs ? b->xattrs + k : NULL;
		int order = !x ? 1 : !y ? -1 : strcmp(x->name, y->name);

		if (order != 0 ? !is_label(order < 0 ? x->name : y->name) : !same_xattr(x, y))
			return false;
		i += order <= 0;
		k += order >= 0;
	}
	return true;
}

bool kc_node_same_content(const struct kc_node *a, const struct kc_node *b)
{
	return a->type == b->type && kc_streq0(a->sha256, b->sha256) && kc_streq0(a->link, b->link);
}

bool kc_node_same_owner(const struct kc_node *a, const struct kc_node *b)
{
	/* The mode of a link means nothing. */
	if (a->type != b->type || (a->type != KC_FILE_SYMLINK && a->mode != b->mode))
		return false;
	return a->uid == b->uid && a->gid == b->gid && same_xattrs(a, b);
}

bool kc_node_same(const struct kc_node *a, const struct kc_node *b)
{
	return kc_node_same_content(a, b) && kc_node_same_owner(a, b);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool kc_node_untouched(const struct kc_node *a, const struct kc_node *b)
{
	bool same_object = a->device == b->device && a->inode == b->inode;

	if (!kc_node_same(a, b))
		return false;
	/* Those of a folder tell of what is in it. */
	if (a->type == KC_FILE_DIRECTORY)
		return same_object;
	if (!same_time(&a->mtime, &b->mtime))
		return false;
	return (same_object && same_time(&a->ctime, &b->ctime)) || (a->overlay && b->overlay);
}

static bool has_xattr(const struct kc_node *node, const char *name)
{
	for (uint32_t i = 0; i < node->n_xattrs; i++) {
		if (kc_streq(node->xattrs[i].name, name))
			return true;
	}
	return false;
}

/* A new file may have got some: the label of its folder, a default access control list. */
static int drop_xattrs(const char *path, const struct kc_node *node)
{
	kc_cleanup(kc_freep) char *names = malloc(XATTR_NAMES_MAX);
	ssize_t size;

	if (!names)
		return -ENOMEM;
	size = listxattr(path, names, XATTR_NAMES_MAX);
	if (size < 0)
		return errno == ENOTSUP ? 0 : -errno;
	for (const char *p = names; p < names + size; p += strlen(p) + 1) {
		/* A label can be changed, and by most policies not be taken away. */
		if (is_own(p) || has_xattr(node, p) || is_label(p))
			continue;
		if (removexattr(path, p) < 0 && errno != ENODATA && errno != ENOTSUP)
			return -errno;
	}
	return 0;
}

/* Not every file system takes one that it shows: a mount with context= has labels of its own. */
static bool has_value(const char *path, const struct kc_node_xattr *x)
{
	kc_cleanup(kc_freep) char *value = malloc(XATTR_VALUE_MAX);
	ssize_t n = value ? getxattr(path, x->name, value, XATTR_VALUE_MAX) : -1;

	return n >= 0 && (size_t)n == x->size && memcmp(value, x->value, x->size) == 0;
}

static int set_xattrs(const char *path, const struct kc_node *node, struct kc_err *err)
{
	int r = drop_xattrs(path, node);

	if (r < 0)
		return kc_err_set(err, r, "its attributes cannot be looked at: %s", kc_strerror(r));
	for (uint32_t i = 0; i < node->n_xattrs; i++) {
		const struct kc_node_xattr *x = node->xattrs + i;

		if (!has_value(path, x) && setxattr(path, x->name, x->value, x->size, 0) < 0)
			return kc_err_set(err, -errno, "its attribute %s cannot be set: %s",
					  x->name, kc_strerror(errno));
	}
	return 0;
}

int kc_node_apply(int fd, const struct kc_node *node, bool times, struct kc_err *err)
{
	const struct timespec both[] = { node->atime, node->mtime };
	char path[64];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* In this order: a new owner takes set-user-ID away, and a list sets bits of the mode. */
	if (fchown(fd, node->uid, node->gid) < 0)
		return kc_err_set(err, -errno, "its owner cannot be set: %s", kc_strerror(errno));
	if (fchmod(fd, node->mode) < 0)
		return kc_err_set(err, -errno, "its mode cannot be set: %s", kc_strerror(errno));
	r = set_xattrs(path, node, err);
	if (r < 0)
		return r;
	if (times && futimens(fd, both) < 0)
		return kc_err_set(err, -errno, "its times cannot be set: %s", kc_strerror(errno));
	return 0;
}

int kc_node_apply_link(int dir, const char *name, const struct kc_node *node, bool times,
		       struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const struct timespec both[] = { node->atime, node->mtime };
	char path[64];

	if (fd < 0)
		return kc_err_set(err, -errno, "%s cannot be looked at: %s", name,
				  kc_strerror(errno));
	if (fchownat(fd, "", node->uid, node->gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return kc_err_set(err, -errno, "its owner cannot be set: %s", kc_strerror(errno));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (node->n_xattrs > 0) {
		int r = set_xattrs(path, node, err);

		if (r < 0)
			return r;
	}
	if (times && utimensat(dir, name, both, AT_SYMLINK_NOFOLLOW) < 0)
		return kc_err_set(err, -errno, "its times cannot be set: %s", kc_strerror(errno));
	return 0;
}
