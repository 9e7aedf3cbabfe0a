/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "open.h"

static int refuse_kind(mode_t mode, const char *path, struct kc_err *err)
{
	const char *what = S_ISDIR(mode)    ? "a folder"
			   : S_ISFIFO(mode) ? "a FIFO"
			   : S_ISSOCK(mode) ? "a socket"
					    : "a device";

	return kc_err_set(err, S_ISDIR(mode) ? -EISDIR : -EINVAL, "%s is %s, not a file%s", path,
			  what, S_ISFIFO(mode) ? "; what comes through a pipe is read as -" : "");
}

static int cannot_open(const char *path, int code, struct kc_err *err)
{
	return kc_err_set(err, code, "cannot open %s: %s", path, kc_strerror(code));
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Looks before it opens: what opening a FIFO or a device would do is not ours to cause. */
static int open_regular(const char *path, struct kc_err *err, struct stat *ret_stat, int *ret_fd)
{
	kc_cleanup(kc_closep) int look = open(path, O_PATH | O_CLOEXEC), fd = -EBADF;
	struct stat before;

	if (look < 0 || fstat(look, &before) < 0)
		return cannot_open(path, -errno, err);
	if (!S_ISREG(before.st_mode))
		return refuse_kind(before.st_mode, path, err);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, ret_stat) < 0)
		return cannot_open(path, -errno, err);
	if (!is_same(&before, ret_stat))
		return kc_err_set(err, -ESTALE, "%s was replaced while it was opened; try again",
				  path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int judge(const char *path, struct kc_trust_folder *folder, const struct stat *st,
		 struct kc_err *err, struct kc_err *ret_distrust)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char cwd[PATH_MAX] = "";
	kc_cleanup(kc_freep) char *absolute = NULL;
	struct stat trusted;

	if (path[0] != '/' && !getcwd(cwd, sizeof(cwd)))
		return cannot_open(path, -errno, err);
	absolute = kc_asprintf("%s%s%s", cwd, *cwd ? "/" : "", path);
	if (!absolute)
		return cannot_open(path, -ENOMEM, err);
	if (kc_trust_open_near(folder, absolute, KC_TRUST_STICKY, ret_distrust, &fd) < 0)
		return 0;
	/* What was found trustworthy must be what is read. */
	if (fstat(fd, &trusted) < 0 || !is_same(st, &trusted))
		return kc_err_set(err, -ESTALE, "%s was replaced while it was opened; try again",
				  path);
	return 0;
}

static int open_trusted(const char *path, struct kc_trust_folder *folder, int *ret_fd)
{
	kc_cleanup(kc_closep) int look = -EBADF;
	struct stat st;
	int fd;

	if (path[0] != '/' || kc_trust_open_near(folder, path, KC_TRUST_STICKY, NULL, &look) < 0)
		return -EPERM;
	if (fstat(look, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	fd = kc_fd_reopen(look, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int kc_profile_open(const char *path, struct kc_trust_folder *folder, struct kc_err *err,
		    int *ret_fd, struct kc_err *ret_distrust)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;
	int r;

	*ret_distrust = (struct kc_err){ 0 };
	/* Most are trusted; what is wrong with the others, or not there, the long way tells. */
	if (open_trusted(path, folder, ret_fd) == 0)
		return 0;
	r = open_regular(path, err, &st, &fd);
	if (r == 0)
		r = judge(path, folder, &st, err, ret_distrust);
	if (r == 0)
		*ret_fd = TAKE_FD(fd);
	return r;
}

void kc_profile_stdin(int fd, struct kc_err *ret_distrust)
{
	struct stat st;

	*ret_distrust = (struct kc_err){ 0 };
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (st.st_uid != 0 && st.st_uid != geteuid())
		(void)kc_err_set(ret_distrust, -EPERM,
				 "the file of standard input is not trusted: it belongs to uid %u, "
				 "who could "
				 "change it",
				 (unsigned)st.st_uid);
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		(void)kc_err_set(ret_distrust, -EPERM,
				 "the file of standard input is not trusted: others can write to "
				 "it (its mode "
				 "is %04o)",
				 (unsigned)st.st_mode & 07777);
}
