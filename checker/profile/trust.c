/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "trust.h"

enum {
	LINKS_MAX = 40
};

struct walk {
	struct kc_buf done; /* the path so far, without links; for sentences */
	struct kc_buf rest; /* what is still to be walked */
	size_t at; /* in rest */
	int dir;
	bool shared; /* others may add names to this folder */
	unsigned links;
	struct kc_err *distrust;
};

static void distrust(struct kc_err *ret, const char *fmt, ...) kc_printf(2, 3);

static void distrust(struct kc_err *ret, const char *fmt, ...)
{
	va_list ap;

	if (ret->code < 0)
		return;
	va_start(ap, fmt);
	(void)kc_err_setv(ret, -EPERM, fmt, ap);
	va_end(ap);
}

static const char *kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return "folder";
	case S_IFLNK:
		return "link";
	default:
		return "file";
	}
}

/* ACLs that let others write show in the group's bits, as their mask. */
static void judge(const struct stat *st, const char *name, bool sticky_is_fine, struct kc_err *ret)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		distrust(ret, "the %s %s belongs to uid %u, who can change it", kind(st->st_mode),
			 name, (unsigned)st->st_uid);
	else if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !S_ISLNK(st->st_mode) &&
		 !(sticky_is_fine && (st->st_mode & S_ISVTX)))
		distrust(ret, "others can write the %s %s (mode %04o)", kind(st->st_mode), name,
			 (unsigned)st->st_mode & 07777);
}

void kc_trusted_fd(int fd, const char *name, struct kc_err *ret_distrust)
{
	struct stat st;

	*ret_distrust = (struct kc_err){ 0 };
	if (fstat(fd, &st) < 0)
		distrust(ret_distrust, "nobody can say who may write %s: %s", name,
			 kc_strerror(errno));
	else if (S_ISREG(st.st_mode))
		judge(&st, name, false, ret_distrust);
}

static int refuse_kind(mode_t mode, const char *path, struct kc_err *err)
{
	const char *what = S_ISDIR(mode)    ? "a folder"
			   : S_ISFIFO(mode) ? "a FIFO"
			   : S_ISSOCK(mode) ? "a socket"
					    : "a device";

	return kc_err_set(err, S_ISDIR(mode) ? -EISDIR : -EINVAL, "%s is %s, not a file%s", path,
			  what, S_ISFIFO(mode) ? "; standard input is read with -" : "");
}

static int cannot_open(const char *path, int code, struct kc_err *err)
{
	struct stat st;

	/* /dev/fd/63 of a shell's <( ) is a link that leads nowhere for a walk. */
	if (code == -ENOENT && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return refuse_kind(st.st_mode, path, err);
	return kc_err_set(err, code, "cannot open %s: %s", path, kc_strerror(code));
}

static int enter(struct walk *w, int fd, const struct stat *st)
{
	judge(st, w->done.len ? w->done.data : "/", true, w->distrust);
	w->shared = (st->st_mode & (S_IWGRP | S_IWOTH)) != 0;
	(void)kc_close(w->dir);
	w->dir = fd;
	return 0;
}

static int enter_root(struct walk *w)
{
	struct stat st;
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		int r = -errno;

		(void)kc_close(fd);
		return r;
	}
	kc_buf_reset(&w->done);
	return enter(w, fd, &st);
}

static int follow(struct walk *w, int fd)
{
	char target[PATH_MAX];
	struct kc_buf rest = { 0 };
	ssize_t n = readlinkat(fd, "", target, sizeof(target));

	if (n < 0)
		return -errno;
	if ((size_t)n == sizeof(target))
		return -ENAMETOOLONG;
	if (++w->links > LINKS_MAX)
		return -ELOOP;
	kc_buf_add(&rest, target, (size_t)n);
	kc_buf_addc(&rest, '/');
	kc_buf_adds(&rest, w->rest.data + w->at);
	kc_buf_done(&w->rest);
	w->rest = rest;
	w->at = 0;
	if (kc_buf_error(&rest) < 0)
		return -ENOMEM;
	return target[0] == '/' ? enter_root(w) : 0;
}

/* The next component of the path, or NULL. */
static char *next(struct walk *w)
{
	char *s = w->rest.data + w->at, *end;

	while (*s == '/')
		s++;
	if (!*s)
		return NULL;
	end = strchr(s, '/');
	if (!end) {
		w->at = w->rest.len;
		return s;
	}
	*end = 0;
	w->at = (size_t)(end + 1 - w->rest.data);
	return s;
}

static void add_name(struct walk *w, const char *name)
{
	if (kc_streq(name, "..")) {
		while (w->done.len > 0 && w->done.data[--w->done.len] != '/')
			;
		if (w->done.data)
			w->done.data[w->done.len] = 0;
		return;
	}
	kc_buf_addc(&w->done, '/');
	kc_buf_adds(&w->done, name);
}

/* Reads the same name again; what was looked at must be what is read. */
static int open_regular(struct walk *w, const char *name, const struct stat *st, const char *path,
			struct kc_err *err, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat now;

	if (!S_ISREG(st->st_mode))
		return refuse_kind(st->st_mode, path, err);
	fd = openat(w->dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &now) < 0)
		return cannot_open(path, -errno, err);
	if (now.st_dev != st->st_dev || now.st_ino != st->st_ino)
		return kc_err_set(err, -ESTALE, "%s was replaced while it was opened; try again",
				  path);
	judge(&now, w->done.data, false, w->distrust);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* One component. 1: the file is open. */
static int step(struct walk *w, const char *name, const char *path, struct kc_err *err, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = openat(w->dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot_open(path, -errno, err);
	if (S_ISLNK(st.st_mode)) {
		if (w->shared) {
			struct kc_buf link = { 0 };

			kc_buf_addf(&link, "%s/%s", w->done.len ? w->done.data : "", name);
			judge(&st, link.failed ? name : link.data, false, w->distrust);
			kc_buf_done(&link);
		}
		r = follow(w, fd);
		return r < 0 ? cannot_open(path, r, err) : 0;
	}
	add_name(w, name);
	if (kc_buf_error(&w->done) < 0)
		return cannot_open(path, -ENOMEM, err);
	if (S_ISDIR(st.st_mode))
		return enter(w, TAKE_FD(fd), &st);
	if (w->rest.data[w->at])
		return cannot_open(path, -ENOTDIR, err);
	r = open_regular(w, name, &st, path, err, ret_fd);
	return r < 0 ? r : 1;
}

static int walk(struct walk *w, const char *path, struct kc_err *err, int *ret_fd)
{
	char cwd[PATH_MAX];
	int r;

	if (path[0] != '/') {
		if (!getcwd(cwd, sizeof(cwd)))
			return cannot_open(path, -errno, err);
		kc_buf_addf(&w->rest, "%s/", cwd);
	}
	kc_buf_adds(&w->rest, path);
	r = kc_buf_error(&w->rest);
	if (r == 0)
		r = enter_root(w);
	if (r < 0)
		return cannot_open(path, r, err);
	for (;;) {
		/* A copy, since a link's target takes the place of the rest. */
		kc_cleanup(kc_freep) char *name = NULL;
		const char *component = next(w);

		if (!component)
			return refuse_kind(S_IFDIR, path, err);
		name = strdup(component);
		if (!name)
			return cannot_open(path, -ENOMEM, err);
		if (kc_streq(name, "."))
			continue;
		r = step(w, name, path, err, ret_fd);
		if (r != 0)
			return KC_MIN(r, 0);
	}
}

int kc_trusted_open(const char *path, struct kc_err *err, int *ret_fd, struct kc_err *ret_distrust)
{
	struct walk w = { .dir = -EBADF, .distrust = ret_distrust };
	int r;

	*ret_distrust = (struct kc_err){ 0 };
	if (!*path)
		return kc_err_set(err, -ENOENT, "a file name is empty");
	r = walk(&w, path, err, ret_fd);
	(void)kc_close(w.dir);
	kc_buf_done(&w.done);
	kc_buf_done(&w.rest);
	return r;
}
