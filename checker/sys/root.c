/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include "base/fdio.h"
#include "root-internal.h"
#include "root-walk.h"

#ifndef SYS_openat2
#define SYS_openat2 437 /* the same on every architecture */
#endif

enum {
	AGAIN_MAX = 16,
	READ_MAX = 1 << 30, /* of what a caller may ask for */
	LABEL_MAX = 4096,
	NAME_ROOM = 128, /* of a process's name: the kernel has 64 */
};

/*
 * A path is begun anew when something was renamed or mounted meanwhile, wherever that is. Kernels
 * then count the links that were followed once more, and come to 40 too early.
 */
static bool may_pass(int code, uint64_t resolve)
{
	return code == EAGAIN || (code == ELOOP && !(resolve & KC_RESOLVE_NO_SYMLINKS));
}

int kc_openat2(int at, const char *path, uint64_t flags, uint64_t resolve)
{
	const struct kc_open_how how = { .flags = flags, .resolve = resolve };

	for (unsigned i = 0;; i++) {
		long fd = syscall(SYS_openat2, at, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (!may_pass(errno, resolve) || i == AGAIN_MAX)
			return -errno;
	}
}

int kc_root_explain(struct kc_err *err, int code, const char *path)
{
	switch (code) {
	case -ENOENT:
		return kc_err_set(err, code, "%.700s: there is no such file or folder", path);
	case -ENOTDIR:
		return kc_err_set(err, code, "%.700s: a part of the path is no folder", path);
	case -EACCES:
		return kc_err_set(err, code,
				  "%.700s: permission denied; run k8scheck as root to see it",
				  path);
	case -ELOOP:
		return kc_err_set(
			err, code,
			"%.700s: its links run in a circle, are more than 40, or lead through a "
			"link of procfs that is not followed",
			path);
	case -ENAMETOOLONG:
		return kc_err_set(err, code, "%.200s…: the path, or a part of it, is too long",
				  path);
	default:
		return kc_err_set(err, code, "%.700s: %s", path, kc_strerror(code));
	}
}

/* Where /dev of this machine is a file system of its own, an image has no business on it. */
static void learn_dev(struct kc_root *root)
{
	struct stat dev, top, self;

	if (stat("/dev", &dev) < 0 || stat("/", &top) < 0 || fstat(root->fd, &self) < 0)
		return;
	if (dev.st_dev == top.st_dev || dev.st_dev == self.st_dev)
		return;
	root->knows_dev = true;
	root->dev = (uint64_t)dev.st_dev;
}

static bool probe_openat2(const struct kc_root *root)
{
	int fd = kc_openat2(root->fd, "/", O_PATH | O_CLOEXEC,
			    KC_RESOLVE_IN_ROOT | KC_RESOLVE_NO_MAGICLINKS);

	(void)kc_close(fd);
	return fd != -EINVAL && !kc_openat2_missing(fd);
}

/* A folder that is kept open for rules that ask for thousands of files in it; -EBADF where it is
 * not procfs. */
static int open_in_procfs(const struct kc_root *root, const char *path)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct statfs fs;

	if (kc_root_path_fd(root, path, 0, NULL, &fd) < 0 || fstatfs(fd, &fs) < 0 ||
	    fs.f_type != PROC_SUPER_MAGIC)
		return -EBADF;
	return TAKE_FD(fd);
}

int kc_root_open(const char *path, unsigned flags, struct kc_err *err, struct kc_root **ret_root)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = calloc(1, sizeof(*root));

	if (root) {
		root->fd = root->proc_fd = root->proc_sys_fd = root->mountinfo_fd = -EBADF;
		root->path = strdup(path);
	}
	if (!root || !root->path)
		return kc_err_set(err, -ENOMEM, "%s: out of memory", path);
	root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root->fd < 0 && errno == ENOENT)
		return kc_err_set(err, -ENOENT,
				  "%s: there is no such folder; name the top folder of a system",
				  path);
	if (root->fd < 0 && errno == ENOTDIR)
		return kc_err_set(err, -ENOTDIR,
				  "%s: is no folder; name the top folder of a system", path);
	if (root->fd < 0)
		return kc_root_explain(err, -errno, path);
	root->live = flags & KC_ROOT_LIVE;
	root->has_openat2 = !(flags & KC_ROOT_NO_OPENAT2) && probe_openat2(root);
	if (root->live) {
		root->proc_fd = open_in_procfs(root, "/proc");
		root->proc_sys_fd = open_in_procfs(root, "/proc/sys");
	} else {
		learn_dev(root);
	}
	*ret_root = TAKE_PTR(root);
	return 0;
}

void kc_root_free(struct kc_root *root)
{
	if (!root)
		return;
	(void)kc_close(root->fd);
	(void)kc_close(root->proc_fd);
	(void)kc_close(root->proc_sys_fd);
	(void)kc_close(root->mountinfo_fd);
	free(root->path);
	free(root);
}

const char *kc_root_path(const struct kc_root *root)
{
	return root->path;
}

void kc_root_fds(const struct kc_root *root, int ret_fds[KC_ROOT_FDS])
{
	ret_fds[0] = root->fd;
	ret_fds[1] = root->proc_sys_fd;
	ret_fds[2] = root->proc_fd;
	ret_fds[3] = root->mountinfo_fd;
}

bool kc_root_is_live(const struct kc_root *root)
{
	return root->live;
}

/* An offline root must not show what the machine that looks has in its memory. */
static int check_offline(const struct kc_root *root, int fd, const char *path, struct kc_err *err)
{
	struct statfs fs;
	struct stat st;

	if (root->live)
		return 0;
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &st) < 0)
		return kc_root_explain(err, -errno, path);
	if (!kc_is_kernel_fs((uint64_t)fs.f_type) &&
	    !(root->knows_dev && (uint64_t)st.st_dev == root->dev))
		return 0;
	return kc_err_set(
		err, -EOPNOTSUPP,
		"%s: is on a file system of the machine that looks, and says nothing about "
		"an offline root",
		path);
}

/* `canonical` may be NULL; with it the walk is taken, which knows the way it went. */
static int resolve(const struct kc_root *root, const char *path, unsigned flags, struct kc_err *err,
		   int *ret_fd, struct kc_buf *canonical)
{
	int fd = -ENOSYS, r;

	if (path[0] != '/')
		return kc_err_set(err, -EINVAL, "%s: is no absolute path", path);
	if (root->has_openat2 && !canonical)
		fd = kc_openat2(root->fd, path,
				O_PATH | O_CLOEXEC | (flags & KC_NOFOLLOW ? O_NOFOLLOW : 0),
				KC_RESOLVE_IN_ROOT | KC_RESOLVE_NO_MAGICLINKS);
	/* A filter may come into force only after the root was opened. */
	if (kc_openat2_missing(fd) || fd == -EAGAIN) {
		r = kc_walk(root->fd, path, flags & KC_NOFOLLOW ? KC_WALK_NOFOLLOW : 0, &fd,
			    canonical);
		if (r < 0)
			return kc_root_explain(err, r, path);
	}
	if (fd < 0)
		return kc_root_explain(err, fd, path);
	r = check_offline(root, fd, path, err);
	if (r < 0)
		(void)kc_close(fd);
	else
		*ret_fd = fd;
	return r;
}

int kc_root_path_fd(const struct kc_root *root, const char *path, unsigned flags,
		    struct kc_err *err, int *ret_fd)
{
	return resolve(root, path, flags, err, ret_fd, NULL);
}

/* Enough for "/proc/self/fd/" and an int. */
enum {
	FD_PATH_MAX = 32
};

static void fd_path(int fd, char buf[FD_PATH_MAX])
{
	(void)snprintf(buf, FD_PATH_MAX, "/proc/self/fd/%d", fd);
}

int kc_root_reopen(int path_fd, const char *path, int flags, struct kc_err *err, int *ret_fd)
{
	char name[FD_PATH_MAX];
	int fd, code;

	fd_path(path_fd, name);
	fd = open(name, flags | O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	code = -errno;
	if ((code == -ENOENT || code == -ENOTDIR) && access("/proc/self/fd", F_OK) < 0)
		return kc_err_set(
			err, -EACCES,
			"%s: cannot be opened, because /proc is not mounted where k8scheck "
			"runs; mount it",
			path);
	return kc_root_explain(err, code, path);
}

static uint32_t file_type(mode_t mode)
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
	case S_IFBLK:
		return KC_FILE_BLOCK_DEVICE;
	default:
		return 0;
	}
}

static const char *type_text(mode_t mode)
{
	static const char *const texts[] = {
		[0] = "of a kind that k8scheck does not know",
		[KC_FILE_SYMLINK] = "a link",
		[KC_FILE_SOCKET] = "a socket",
		[KC_FILE_FIFO] = "a FIFO",
		[KC_FILE_CHAR_DEVICE] = "a character device",
		[KC_FILE_BLOCK_DEVICE] = "a block device",
	};
	const char *text = texts[file_type(mode) % KC_ARRAY_SIZE(texts)];

	return text ? text : texts[0];
}

/* What is left of "/proc/123/comm" behind the number; NULL for a path that is no process's. */
static const char *file_of_process(const char *path)
{
	const char *pid = kc_after_prefix(path, "/proc/");

	if (!pid || *pid < '1' || *pid > '9')
		return NULL;
	pid += strspn(pid, "0123456789");
	return *pid == '/' ? pid + 1 : NULL;
}

static bool is_process_name(const char *path)
{
	const char *file = file_of_process(path);

	return file && kc_streq(file, "comm");
}

/* What stands below /proc; NULL for other paths, and for those that begin with a link of procfs. */
static const char *name_in_procfs(const char *path)
{
	static const char *const links[] = { "self", "thread-self", "net", "mounts", NULL };
	const char *name = kc_after_prefix(path, "/proc/"), *rest;

	if (!name)
		return NULL;
	KC_FOREACH_STR (link, links) {
		rest = kc_after_prefix(name, link);
		if (rest && (!*rest || *rest == '/'))
			return NULL;
	}
	return name;
}

/*
 * procfs, which is not left on the way, has no devices and FIFOs: there one step will do. Three
 * are files in all processes, which are many; what others are is asked. -ENOSYS: for the two steps
 * to open. *ret_size as open_file() has it.
 */
static int open_procfs_file(const struct kc_root *root, const char *path, uint64_t *ret_size)
{
	static const char *const files[] = { "comm", "cmdline", "stat", NULL };
	kc_cleanup(kc_closep) int fd = -EBADF;
	const char *name = name_in_procfs(path), *file = file_of_process(path);
	struct stat st = { 0 };

	if (!name || !root->has_openat2 || root->proc_fd < 0)
		return -ENOSYS;
	fd = kc_openat2(root->proc_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
			KC_RESOLVE_BENEATH | KC_RESOLVE_NO_XDEV | KC_RESOLVE_NO_MAGICLINKS |
				KC_RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return -ENOSYS;
	if (!(file && kc_strv_has(files, file)) && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		return -ENOSYS;
	*ret_size = (uint64_t)st.st_size;
	return TAKE_FD(fd);
}

/* *ret_size is what the file system says, 0 where it does not know before it is read. */
static int open_file(const struct kc_root *root, const char *path, unsigned flags,
		     struct kc_err *err, int *ret_fd, uint64_t *ret_size)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;
	int r;

	r = open_procfs_file(root, path, ret_size);
	if (r >= 0) {
		*ret_fd = r;
		return 0;
	}
	r = kc_root_path_fd(root, path, flags, err, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return kc_root_explain(err, -errno, path);
	if (S_ISDIR(st.st_mode))
		return kc_err_set(err, -EISDIR, "%s: is a folder, not a file", path);
	if (S_ISLNK(st.st_mode))
		return kc_err_set(err, -ELOOP, "%s: is a link, which is not to be followed here",
				  path);
	if (!S_ISREG(st.st_mode))
		return kc_err_set(err, -EINVAL, "%s: is %s, which is never opened", path,
				  type_text(st.st_mode));
	*ret_size = (uint64_t)st.st_size;
	return kc_root_reopen(fd, path, 0, err, ret_fd);
}

int kc_root_open_file(const struct kc_root *root, const char *path, unsigned flags,
		      struct kc_err *err, int *ret_fd)
{
	uint64_t size;

	return open_file(root, path, flags, err, ret_fd, &size);
}

/*
 * procfs hands the one record of this file over whole where there is room for it, so that its end
 * is seen by a read that came to less than was asked for.
 */
static int read_process_name(int fd, size_t max, struct kc_buf *b)
{
	const size_t want = KC_MIN((size_t)NAME_ROOM, max);
	char *room = kc_buf_room(b, NAME_ROOM);
	ssize_t n = room ? read(fd, room, want) : 0;

	if (n <= 0)
		return kc_read_all(fd, max, b);
	kc_buf_grow(b, (size_t)n);
	if ((size_t)n < want && b->data[b->len - 1] == '\n')
		return 0;
	return kc_read_all(fd, max - (size_t)n, b);
}

int kc_root_read(const struct kc_root *root, const char *path, size_t max, struct kc_err *err,
		 struct kc_buf *b)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	size_t before = b->len;
	uint64_t size;
	int r;

	max = KC_MIN(max, (size_t)READ_MAX);
	r = open_file(root, path, 0, err, &fd, &size);
	if (r < 0)
		return r;
	r = root->proc_fd >= 0 && is_process_name(path) ? read_process_name(fd, max, b)
							: kc_read_known(fd, size, max, b);
	if (r == 0)
		return 0;
	if (b->data && b->len > before) {
		b->len = before;
		b->data[before] = 0;
	}
	if (r == -EFBIG)
		return kc_err_set(err, r, "%s: is larger than %zu bytes, and is not read", path,
				  max);
	if (r == -EAGAIN)
		return kc_err_set(err, r, "%s: has nothing to read now, and is not waited for",
				  path);
	return kc_err_set(err, r, "%s: cannot be read: %s", path, kc_strerror(r));
}

int kc_root_keep_link(ssize_t n, const char *target, const char *path, struct kc_err *err,
		      struct kc_buf *b)
{
	int r;

	if (n < 0)
		return kc_root_explain(err, (int)n, path);
	if (n == PATH_MAX)
		return kc_root_explain(err, -ENAMETOOLONG, path);
	kc_buf_add(b, target, (size_t)n);
	r = kc_buf_error(b);
	return r < 0 ? kc_root_explain(err, r, path) : 0;
}

int kc_root_read_link(const struct kc_root *root, const char *path, struct kc_err *err,
		      struct kc_buf *b)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char target[PATH_MAX];
	struct stat st;
	ssize_t n;
	int r;

	r = kc_root_path_fd(root, path, KC_NOFOLLOW, err, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return kc_root_explain(err, -errno, path);
	if (!S_ISLNK(st.st_mode))
		return kc_err_set(err, -EINVAL, "%s: is no link", path);
	n = readlinkat(fd, "", target, sizeof(target));
	return kc_root_keep_link(n < 0 ? -errno : n, target, path, err, b);
}

void kc_root_describe(const struct stat *st, struct kc_stat *ret_stat)
{
	struct kc_stat out = {
		.size_of = ret_stat->size_of,
		.type = file_type(st->st_mode),
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.nlink = (uint32_t)KC_MIN((uint64_t)st->st_nlink, (uint64_t)UINT32_MAX),
		.size = (uint64_t)st->st_size,
		.device = (uint64_t)st->st_dev,
		.inode = (uint64_t)st->st_ino,
	};

	if (__builtin_mul_overflow((int64_t)st->st_mtim.tv_sec, 1000000, &out.mtime_usec) ||
	    __builtin_add_overflow(out.mtime_usec, st->st_mtim.tv_nsec / 1000, &out.mtime_usec))
		out.mtime_usec = st->st_mtim.tv_sec < 0 ? INT64_MIN : INT64_MAX;
	*ret_stat = out;
}

int kc_root_stat(const struct kc_root *root, const char *path, unsigned flags, struct kc_err *err,
		 struct kc_stat *ret_stat)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;
	int r;

	r = kc_root_path_fd(root, path, flags, err, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return kc_root_explain(err, -errno, path);
	kc_root_describe(&st, ret_stat);
	return 0;
}

/* Text of the link that stands for a descriptor; false where it is no path, or too long for one. */
static bool read_fd_path(int fd, char path[PATH_MAX])
{
	char name[FD_PATH_MAX];
	ssize_t n;

	fd_path(fd, name);
	n = readlink(name, path, PATH_MAX);
	if (n <= 0 || n >= PATH_MAX || path[0] != '/')
		return false;
	path[n] = '\0';
	return !kc_endswith(path, " (deleted)");
}

/*
 * What the kernel itself calls a file below the root, which takes it less than the walk takes us. 1
 * when it can tell; else the walk has to.
 */
static int ask_kernel(const struct kc_root *root, const char *path, struct kc_err *err,
		      struct kc_buf *b)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char top[PATH_MAX], own[PATH_MAX];
	const char *below;
	int r;

	if (!root->has_openat2)
		return 0;
	r = kc_root_path_fd(root, path, 0, err, &fd);
	if (r < 0)
		return r;
	/* The kernel tells paths from the root of the process: of "/" it would say "/". */
	if (kc_streq(root->path, "/"))
		top[0] = '\0';
	else if (!read_fd_path(root->fd, top))
		return 0;
	if (!read_fd_path(fd, own))
		return 0;
	below = kc_after_prefix(own, kc_streq(top, "/") ? "" : top);
	if (!below || (*below && *below != '/'))
		return 0;
	kc_buf_adds(b, *below ? below : "/");
	r = kc_buf_error(b);
	return r < 0 ? kc_root_explain(err, r, path) : 1;
}

int kc_root_resolve(const struct kc_root *root, const char *path, struct kc_err *err,
		    struct kc_buf *b)
{
	kc_cleanup(kc_buf_done) struct kc_buf canonical = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	r = ask_kernel(root, path, err, b);
	if (r != 0)
		return r < 0 ? r : 0;
	r = resolve(root, path, 0, err, &fd, &canonical);
	if (r < 0)
		return r;
	kc_buf_add(b, canonical.data, canonical.len);
	r = kc_buf_error(b);
	return r < 0 ? kc_root_explain(err, r, path) : 0;
}

int kc_root_filesystem(const struct kc_root *root, const char *path, struct kc_err *err,
		       struct kc_filesystem *ret_figures)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	uint32_t size_of = ret_figures->size_of;
	struct statfs fs;
	uint64_t unit;
	int r;

	r = kc_root_path_fd(root, path, 0, err, &fd);
	if (r < 0)
		return r;
	if (fstatfs(fd, &fs) < 0)
		return kc_root_explain(err, -errno, path);
	unit = (uint64_t)(fs.f_frsize ? fs.f_frsize : fs.f_bsize);
	*ret_figures = (struct kc_filesystem){
		.size_of = size_of,
		.flags = (uint32_t)fs.f_flags,
		.type = (uint32_t)fs.f_type,
		.inodes = fs.f_files,
		.inodes_free = fs.f_ffree,
	};
	if (__builtin_mul_overflow(fs.f_blocks, unit, &ret_figures->bytes))
		ret_figures->bytes = UINT64_MAX;
	if (__builtin_mul_overflow(fs.f_bfree, unit, &ret_figures->bytes_free))
		ret_figures->bytes_free = UINT64_MAX;
	if (__builtin_mul_overflow(fs.f_bavail, unit, &ret_figures->bytes_available))
		ret_figures->bytes_available = UINT64_MAX;
	return 0;
}

int kc_root_label(const struct kc_root *root, const char *path, struct kc_err *err,
		  struct kc_buf *b)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char name[FD_PATH_MAX], label[LABEL_MAX];
	ssize_t n;
	int r;

	r = kc_root_path_fd(root, path, 0, err, &fd);
	if (r < 0)
		return r;
	fd_path(fd, name);
	n = getxattr(name, "security.selinux", label, sizeof(label));
	if (n < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return kc_err_set(err, -ENODATA, "%s: has no SELinux label", path);
	if (n < 0 && errno == ENOENT)
		return kc_err_set(
			err, -EACCES,
			"%s: its label cannot be read, because /proc is not mounted where "
			"k8scheck runs; mount it",
			path);
	if (n < 0)
		return kc_root_explain(err, -errno, path);
	/* The kernel counts a NUL at the end, or does not. */
	if (n > 0 && label[n - 1] == 0)
		n--;
	kc_buf_add(b, label, (size_t)n);
	r = kc_buf_error(b);
	return r < 0 ? kc_root_explain(err, r, path) : 0;
}
