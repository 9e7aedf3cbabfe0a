/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "root-internal.h"

enum {
	VALUE_MAX = 64 * 1024,
	VALUE_USUAL = 4096,
};

#define SYSCTL_FOLDER "/proc/sys/"

int kc_sysctl_path(const char *key, struct kc_buf *b)
{
	const char *first = strpbrk(key, "./");
	bool swap = first && *first == '.';
	size_t part = 0, n = strlen(key);
	char path[PATH_MAX];

	if (n == 0 || n >= sizeof(path) - sizeof(SYSCTL_FOLDER))
		return -EINVAL;
	for (size_t i = 0; i <= n; i++) {
		char c = key[i];

		if (swap && c == '.')
			c = '/';
		else if (swap && c == '/')
			c = '.';
		path[i] = c;
		if (c != '/' && c != 0)
			continue;
		/* Nothing between two separators, ".", and "..". */
		if (i == part || (i - part <= 2 && path[part] == '.' && path[i - 1] == '.'))
			return -EINVAL;
		part = i + 1;
	}
	kc_buf_add(b, path, n);
	return kc_buf_error(b);
}

/* Without openat2(2): by components, none of them a link or on another file system. */
static int open_by_parts(int folder, const char *key, const char *name, struct kc_err *err,
			 int *ret_fd)
{
	kc_cleanup(kc_freep) char *copy = strdup(key);
	kc_cleanup(kc_closep) int fd = fcntl(folder, F_DUPFD_CLOEXEC, 3);
	struct stat top, st;
	char *path = copy, *part;

	if (!copy)
		return kc_root_explain(err, -ENOMEM, name);
	if (fd < 0 || fstat(fd, &top) < 0)
		return kc_root_explain(err, -errno, name);
	st = top;
	while ((part = strsep(&path, "/"))) {
		int next = openat(fd, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);

		if (next < 0)
			return kc_root_explain(err, -errno, name);
		(void)kc_close(fd);
		fd = next;
		if (fstat(fd, &st) < 0)
			return kc_root_explain(err, -errno, name);
		if (st.st_dev != top.st_dev)
			return kc_root_explain(err, -EXDEV, name);
		if (S_ISLNK(st.st_mode))
			return kc_root_explain(err, -ELOOP, name);
	}
	if (S_ISDIR(st.st_mode))
		return kc_root_explain(err, -EISDIR, name);
	if (!S_ISREG(st.st_mode))
		return kc_root_explain(err, -EINVAL, name);
	return kc_root_reopen(fd, name, 0, err, ret_fd);
}

static int open_key(const struct kc_root *root, const char *path, const char *name,
		    struct kc_err *err, int *ret_fd)
{
	kc_cleanup(kc_closep) int folder = -EBADF;
	int fd = -ENOSYS, r;

	if (root->proc_sys_fd >= 0) {
		if (root->has_openat2)
			fd = kc_openat2(root->proc_sys_fd, path,
					O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW,
					KC_RESOLVE_BENEATH | KC_RESOLVE_NO_SYMLINKS |
						KC_RESOLVE_NO_XDEV | KC_RESOLVE_NO_MAGICLINKS);
		/* Containers have parts of the same procfs mounted over others: /proc/sys/net. */
		if (kc_openat2_missing(fd) || fd == -EXDEV)
			return open_by_parts(root->proc_sys_fd, path, name, err, ret_fd);
		if (fd < 0)
			return kc_root_explain(err, fd, name);
		*ret_fd = fd;
		return 0;
	}
	/* A fixture, or a machine without procfs: what is there may be of any kind. */
	r = kc_root_path_fd(root, "/proc/sys", 0, err, &folder);
	if (r == -ENOENT)
		return kc_err_set(err, -EACCES,
				  "%s: cannot be read, because there is no /proc/sys; mount /proc",
				  name);
	if (r < 0)
		return r;
	return open_by_parts(folder, path, name, err, ret_fd);
}

/* What the kernel refuses to show, as against what this process may not see. Others are told
 * already. */
static int explain(struct kc_err *err, int code, const char *name)
{
	switch (code) {
	case -ENOENT:
		return kc_err_set(err, code, "%s: this kernel has no such key", name);
	case -EFBIG:
		return kc_err_set(err, code,
				  "%s: its value is larger than %d bytes, and is not read", name,
				  VALUE_MAX);
	case -EXDEV:
		return kc_err_set(
			err, -EPERM,
			"%s: lies on a file system of its own below /proc/sys, which is not "
			"looked at",
			name);
	case -EISDIR:
		return kc_err_set(err, code, "%s: is a folder of keys; name one of them", name);
	case -EIO:
	case -EINVAL:
		return kc_err_set(err, code, "%s: the kernel does not show its value (%s)", name,
				  kc_strerror(code));
	default:
		return code;
	}
}

/*
 * One read, as procfs answers it: a second one would find the end. A value that fills the buffer
 * may be cut short without a word, so it is read again, from its start, into a larger one.
 */
static int read_value(int fd, struct kc_buf *b)
{
	kc_cleanup(kc_freep) char *large = NULL;
	char usual[VALUE_USUAL];
	const char *value = usual;
	ssize_t n;

	n = pread(fd, usual, sizeof(usual), 0);
	if (n == (ssize_t)sizeof(usual)) {
		large = malloc(VALUE_MAX + 1);
		if (!large)
			return -ENOMEM;
		n = pread(fd, large, VALUE_MAX + 1, 0);
		value = large;
	}
	if (n < 0)
		return -errno;
	if (n > VALUE_MAX)
		return -EFBIG;
	if (n > 0 && value[n - 1] == '\n')
		n--;
	kc_buf_add(b, value, (size_t)n);
	return kc_buf_error(b);
}

int kc_root_sysctl(const struct kc_root *root, const char *key, struct kc_err *err,
		   struct kc_buf *b)
{
	kc_cleanup(kc_buf_done) struct kc_buf name = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	kc_buf_adds(&name, SYSCTL_FOLDER);
	r = kc_sysctl_path(key, &name);
	if (r < 0)
		return kc_err_set(err, r,
				  "%s: is no key of a sysctl; write it like net.ipv4.ip_forward",
				  key);
	if (!root->live)
		return kc_err_set(
			err, -EOPNOTSUPP,
			"%s: belongs to a running kernel, and only an offline root is looked at",
			name.data);
	r = open_key(root, name.data + strlen(SYSCTL_FOLDER), name.data, err, &fd);
	if (r < 0)
		return explain(err, r, name.data);
	r = read_value(fd, b);
	if (r == 0)
		return 0;
	(void)kc_root_explain(err, r, name.data);
	return explain(err, r, name.data);
}
