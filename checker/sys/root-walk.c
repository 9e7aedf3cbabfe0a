/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fdio.h"
#include "root-walk.h"

enum {
	LINKS_MAX = 40, /* MAXSYMLINKS of the kernel */
	/* The kernel needs no such bound: it keeps the parents of a folder. Far beyond honest
	 * trees. */
	OPENS_MAX = 65536,
	PROC_ROOT_INODE = 1, /* PROC_ROOT_INO of the kernel */
	PROC_FD_LINK_SIZE = 64, /* what procfs says of the links in fd and map_files */
};

/* ST_NOSYMFOLLOW of statfs(2), since 5.10; older headers lack it. */
#define NOSYMFOLLOW 0x2000

#define OPEN_PART (O_PATH | O_NOFOLLOW | O_CLOEXEC)

struct walk {
	int root_fd;
	int fd; /* the folder reached, or -EBADF when it must be opened again from `done` */
	struct kc_buf done; /* its canonical path: "" for the root, else "/a/b" */
	struct kc_buf todo; /* what is still to walk */
	size_t at; /* in `todo` */
	unsigned links, opens;
};

static void walk_done(struct walk *w)
{
	(void)kc_close(w->fd);
	kc_buf_done(&w->done);
	kc_buf_done(&w->todo);
}

/* A descriptor, or negative errno. */
static int open_part(struct walk *w, int at, const char *name, int flags)
{
	int fd;

	if (++w->opens > OPENS_MAX)
		return -ELOOP;
	fd = openat(at, name, OPEN_PART | flags);
	return fd < 0 ? -errno : fd;
}

static int start_over(struct walk *w)
{
	(void)kc_close(w->fd);
	w->done.len = 0;
	w->fd = fcntl(w->root_fd, F_DUPFD_CLOEXEC, 3);
	return w->fd < 0 ? -errno : 0;
}

/* Opens the folder `done` again, after "..": from the root, since the parent of a descriptor may
 * lie anywhere. */
static int reopen(struct walk *w)
{
	kc_cleanup(kc_freep) char *path = NULL;
	char *p, *name;
	int r;

	if (w->fd >= 0)
		return 0;
	path = strndup(w->done.len > 0 ? w->done.data : "", w->done.len);
	if (!path)
		return -ENOMEM;
	w->fd = fcntl(w->root_fd, F_DUPFD_CLOEXEC, 3);
	r = w->fd < 0 ? -errno : 0;
	for (p = path; r == 0 && (name = strsep(&p, "/"));) {
		int next;

		if (!*name)
			continue;
		next = open_part(w, w->fd, name, O_DIRECTORY);
		if (next < 0) {
			r = next;
			break;
		}
		(void)kc_close(w->fd);
		w->fd = next;
	}
	if (r < 0)
		w->fd = kc_close(w->fd);
	return r;
}

/* The kernel asks for search permission before it looks at "." and "..", too. */
static int may_search(struct walk *w)
{
	int fd;

	if (w->fd < 0) /* behind "..": a folder that was searched on the way down */
		return 0;
	fd = open_part(w, w->fd, ".", O_DIRECTORY);
	(void)kc_close(fd);
	return fd < 0 ? fd : 0;
}

static void go_up(struct walk *w)
{
	if (w->done.len == 0)
		return;
	while (w->done.data[--w->done.len] != '/')
		;
	w->fd = kc_close(w->fd);
}

static int go_down(struct walk *w, const char *name, int fd)
{
	kc_buf_addc(&w->done, '/');
	kc_buf_adds(&w->done, name);
	(void)kc_close(w->fd);
	w->fd = fd;
	return kc_buf_error(&w->done);
}

/*
 * Links of procfs that the kernel follows by object and not by text (exe, cwd, root, fd, ns,
 * map_files of a process), which openat2(2) refuses. Plain ones tell the length of their text, or
 * lie in the root of procfs.
 */
static bool is_magic(const struct walk *w, const struct statfs *fs, const struct stat *st,
		     size_t len)
{
	struct stat parent;

	if (fs->f_type != PROC_SUPER_MAGIC)
		return false;
	if (fstat(w->fd, &parent) == 0 && parent.st_ino == PROC_ROOT_INODE)
		return false;
	return (size_t)st->st_size != len || st->st_size == PROC_FD_LINK_SIZE;
}

/* What fs.protected_symlinks does to the last component (proc_sys_fs(5)). */
static int may_follow(const struct walk *w, const struct stat *link)
{
	struct stat parent;
	char on = '0';
	int fd;

	if (fstat(w->fd, &parent) < 0)
		return -errno;
	if ((parent.st_mode & (S_ISVTX | S_IWOTH)) != (S_ISVTX | S_IWOTH) ||
	    link->st_uid == geteuid() || link->st_uid == parent.st_uid)
		return 0;
	fd = open("/proc/sys/fs/protected_symlinks", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd >= 0) {
		if (read(fd, &on, 1) != 1)
			on = '0';
		(void)kc_close(fd);
	}
	return on == '0' ? 0 : -EACCES;
}

/* Puts the text of a link in front of what is still to walk. */
static int expand(struct walk *w, int link_fd, const struct stat *st, bool last)
{
	kc_cleanup(kc_buf_done) struct kc_buf todo = { 0 };
	char target[PATH_MAX];
	struct statfs fs;
	ssize_t n;
	int r;

	if (++w->links > LINKS_MAX)
		return -ELOOP;
	if (fstatfs(link_fd, &fs) < 0)
		return -errno;
	if (fs.f_flags & NOSYMFOLLOW)
		return -ELOOP;
	if (last) {
		r = may_follow(w, st);
		if (r < 0)
			return r;
	}
	n = readlinkat(link_fd, "", target, sizeof(target));
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ENOENT;
	if (n == (ssize_t)sizeof(target))
		return -ENAMETOOLONG;
	if (is_magic(w, &fs, st, (size_t)n))
		return -ELOOP;
	kc_buf_add(&todo, target, (size_t)n);
	kc_buf_adds(&todo, w->todo.data + w->at);
	r = kc_buf_error(&todo);
	if (r < 0)
		return r;
	kc_buf_done(&w->todo);
	w->todo = todo;
	todo = (struct kc_buf){ 0 };
	w->at = 0;
	return target[0] == '/' ? start_over(w) : 0;
}

/* Takes the next component out of `todo`. Returns its length; 0 at the end. */
static size_t next_part(struct walk *w, char name[NAME_MAX + 1], bool *ret_more)
{
	const char *p = w->todo.data + w->at;
	size_t n;

	p += strspn(p, "/");
	n = strcspn(p, "/");
	w->at = (size_t)(p + n - w->todo.data);
	*ret_more = p[n] != 0;
	if (n <= NAME_MAX) {
		memcpy(name, p, n);
		name[n] = 0;
	}
	return n;
}

/*
 * Walks one ordinary component. `more`: something follows it, if only a slash, so it must be a
 * folder. Returns 1 when it is the last and is open in *ret_fd.
 */
static int walk_part(struct walk *w, const char *name, bool more, unsigned flags, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;
	int r;

	r = reopen(w);
	if (r < 0)
		return r;
	if (more) {
		/* With O_DIRECTORY, so that an automount on the way is mounted as the kernel would.
		 */
		fd = open_part(w, w->fd, name, O_DIRECTORY);
		if (fd >= 0)
			return go_down(w, name, TAKE_FD(fd));
		if (fd != -ENOTDIR)
			return fd;
	}
	fd = open_part(w, w->fd, name, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode) && (more || !(flags & KC_WALK_NOFOLLOW)))
		return expand(w, fd, &st,
			      w->todo.data[w->at + strspn(w->todo.data + w->at, "/")] == 0);
	if (more && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (more) /* it was no folder a moment ago */
		return go_down(w, name, TAKE_FD(fd));
	kc_buf_addc(&w->done, '/');
	kc_buf_adds(&w->done, name);
	*ret_fd = TAKE_FD(fd);
	return 1;
}

static int walk_all(struct walk *w, unsigned flags, int *ret_fd)
{
	char name[NAME_MAX + 1];
	size_t n;
	bool more;
	int r;

	while ((n = next_part(w, name, &more)) > 0) {
		if (n > NAME_MAX) {
			r = may_search(w);
			return r < 0 ? r : -ENAMETOOLONG;
		}
		if (kc_streq(name, ".") || kc_streq(name, "..")) {
			r = may_search(w);
			if (r == 0 && name[1])
				go_up(w);
		} else {
			r = walk_part(w, name, more, flags, ret_fd);
		}
		if (r != 0)
			return r;
	}
	/* The path ended in a folder: a slash, ".", "..", or the root itself. */
	r = reopen(w);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(w->fd);
	return 1;
}

int kc_walk(int root_fd, const char *path, unsigned flags, int *ret_fd,
	    struct kc_buf *ret_canonical)
{
	kc_cleanup(walk_done) struct walk w = { .root_fd = root_fd, .fd = -EBADF };
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	if (!*path)
		return -ENOENT;
	if (strlen(path) >= PATH_MAX)
		return -ENAMETOOLONG;
	kc_buf_adds(&w.todo, path);
	kc_buf_add(&w.done, NULL, 0);
	r = kc_buf_error(&w.todo);
	if (r == 0)
		r = kc_buf_error(&w.done);
	if (r == 0)
		r = start_over(&w);
	if (r == 0)
		r = walk_all(&w, flags, &fd);
	if (r < 0)
		return r;
	if (ret_canonical) {
		if (w.done.len == 0)
			kc_buf_addc(&w.done, '/');
		kc_buf_add(ret_canonical, w.done.data, w.done.len);
		r = kc_buf_error(ret_canonical);
		if (r < 0)
			return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}
