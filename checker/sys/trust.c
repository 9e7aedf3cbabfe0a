/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/str.h"
#include "trust.h"

enum {
	MAX_DEPTH = 64,
	MAX_LINKS = 40, /* as the kernel's own walk */
};

/* A walk: the folders that are open, the path to the last of them, and what of the way is left. */
struct walk {
	const char *asked;
	unsigned flags;
	int fds[MAX_DEPTH];
	size_t ends[MAX_DEPTH]; /* length of `done` up to and with that folder */
	int depth;
	unsigned links;
	char done[PATH_MAX];
	char rest[PATH_MAX];
};

static void walk_done(struct walk *w)
{
	while (w->depth > 0)
		(void)kc_close(w->fds[--w->depth]);
}

static bool others_can_write(const struct stat *st)
{
	return st->st_mode & (S_IWGRP | S_IWOTH);
}

static bool is_sticky_folder(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);
}

static int check_owner(const struct walk *w, const struct stat *st, const char *name,
		       struct kc_err *err)
{
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return 0;
	return kc_err_set(err, -EPERM,
			  "%s is not trusted: %s%s belongs to uid %u, who could change it",
			  w->asked, w->done, name, (unsigned)st->st_uid);
}

static int check_owner_and_mode(const struct walk *w, const struct stat *st, const char *name,
				struct kc_err *err)
{
	int r = check_owner(w, st, name, err);

	if (r < 0)
		return r;
	if (others_can_write(st) && !((w->flags & KC_TRUST_STICKY) && is_sticky_folder(st)))
		return kc_err_set(err, -EPERM,
				  "%s is not trusted: others can write to %s%s (its mode is %04o)",
				  w->asked, w->done, name, (unsigned)st->st_mode & 07777);
	return 0;
}

/* Makes an open folder the place where the walk goes on. Takes the descriptor in any case. */
static int enter(struct walk *w, int fd, const struct stat *st, const char *name,
		 struct kc_err *err)
{
	size_t at = w->depth > 0 ? w->ends[w->depth - 1] : 0;
	size_t n = strlen(name);
	int r;

	r = check_owner_and_mode(w, st, name, err);
	if (r >= 0 && w->depth == MAX_DEPTH)
		r = kc_err_set(err, -ELOOP, "%s is too deep: more than %d folders", w->asked,
			       MAX_DEPTH);
	if (r >= 0 && at + n + 2 > sizeof(w->done))
		r = kc_err_set(err, -ENAMETOOLONG, "%s is too long a path", w->asked);
	if (r < 0) {
		(void)kc_close(fd);
		return r;
	}
	memcpy(w->done + at, name, n);
	memcpy(w->done + at + n, "/", 2);
	w->ends[w->depth] = at + n + 1;
	w->fds[w->depth++] = fd;
	return 0;
}

/* Leaves folders until `depth` of them are open. */
static void leave(struct walk *w, int depth)
{
	while (w->depth > depth)
		(void)kc_close(w->fds[--w->depth]);
	w->done[w->ends[w->depth - 1]] = '\0';
}

static int start(struct walk *w, int root_fd, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;

	fd = root_fd == AT_FDCWD ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)
				 : fcntl(root_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0 || fstat(fd, &st) < 0)
		return kc_err_set(err, -errno, "/: %s", kc_strerror(errno));
	return enter(w, TAKE_FD(fd), &st, "", err);
}

/* Puts a link's text in front of what is left of the way. */
static int follow(struct walk *w, int fd, const char *name, struct kc_err *err)
{
	char target[PATH_MAX];
	size_t rest = strlen(w->rest);
	ssize_t n;

	if (++w->links > MAX_LINKS)
		return kc_err_set(err, -ELOOP, "%s: %s%s is one link too many", w->asked, w->done,
				  name);
	n = readlinkat(fd, "", target, sizeof(target));
	if (n <= 0)
		return kc_err_set(err, n < 0 ? -errno : -ENOENT, "%s: %s%s: %s", w->asked, w->done,
				  name, kc_strerror(n < 0 ? errno : ENOENT));
	if ((size_t)n + rest + 1 > sizeof(w->rest))
		return kc_err_set(err, -ENAMETOOLONG, "%s: the link %s%s leads too far", w->asked,
				  w->done, name);
	memmove(w->rest + n, w->rest, rest + 1);
	memcpy(w->rest, target, (size_t)n);
	if (target[0] == '/')
		leave(w, 1);
	return 0;
}

/* Takes the next component off `rest`: empty at the end. */
static int next_component(struct walk *w, char name[NAME_MAX + 1], struct kc_err *err)
{
	const char *p = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(p, "/");

	if (n > NAME_MAX)
		return kc_err_set(err, -ENAMETOOLONG, "%s is too long a path", w->asked);
	memcpy(name, p, n);
	name[n] = '\0';
	memmove(w->rest, p + n, strlen(p + n) + 1);
	return 0;
}

/* One component. 1 when it was the last, and the file's descriptor is in *ret_fd. */
static int step(struct walk *w, struct kc_err *err, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char name[NAME_MAX + 1];
	struct stat st;
	bool last;
	int r;

	r = next_component(w, name, err);
	if (r < 0)
		return r;
	last = w->rest[strspn(w->rest, "/")] == '\0';
	if (name[0] == '\0')
		return kc_err_set(err, -EISDIR, "%s is a folder", w->asked);
	if (kc_streq(name, "."))
		return 0;
	if (kc_streq(name, "..")) {
		leave(w, KC_MAX(w->depth - 1, 1));
		return 0;
	}
	fd = openat(w->fds[w->depth - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return kc_err_set(err, -errno, "%s: %s%s: %s", w->asked, w->done, name,
				  kc_strerror(errno));
	if (S_ISLNK(st.st_mode)) {
		/* Anybody can put a link into a sticky folder; elsewhere the folder's owner alone.
		 */
		r = check_owner(w, &st, name, err);
		return r < 0 ? r : follow(w, fd, name, err);
	}
	if (S_ISDIR(st.st_mode))
		return enter(w, TAKE_FD(fd), &st, name, err);
	if (!last || w->rest[0] == '/')
		return kc_err_set(err, -ENOTDIR, "%s: %s%s is not a folder", w->asked, w->done,
				  name);
	if (!S_ISREG(st.st_mode))
		return kc_err_set(err, -EINVAL, "%s: %s%s is not a regular file", w->asked, w->done,
				  name);
	r = check_owner_and_mode(w, &st, name, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 1;
}

void kc_trust_folder_done(struct kc_trust_folder *folder)
{
	if (folder->path)
		(void)kc_close(folder->fd);
	free(folder->path);
	*folder = (struct kc_trust_folder){ 0 };
}

/* Keeps the folder that a walk ended in, if the path alone led there. */
static void keep_folder(struct walk *w, struct kc_trust_folder *folder)
{
	size_t n = w->ends[w->depth - 1];
	int fd;

	kc_trust_folder_done(folder);
	if (w->links > 0 || strncmp(w->asked, w->done, n) != 0 || strchr(w->asked + n, '/'))
		return;
	folder->path = strndup(w->done, n);
	fd = folder->path ? fcntl(w->fds[w->depth - 1], F_DUPFD_CLOEXEC, 3) : -EBADF;
	if (fd < 0) {
		free(folder->path);
		folder->path = NULL;
		return;
	}
	folder->fd = fd;
	folder->flags = w->flags;
}

static int walk(int root_fd, const char *path, unsigned flags, struct kc_trust_folder *folder,
		struct kc_err *err, int *ret_fd)
{
	kc_cleanup(kc_freep) struct walk *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return kc_err_set(err, -ENOMEM, "%s: out of memory", path);
	w->asked = path;
	w->flags = flags;
	if (path[0] != '/')
		return kc_err_set(err, -EINVAL, "%s is not an absolute path", path);
	if (strlen(path) >= sizeof(w->rest))
		return kc_err_set(err, -ENAMETOOLONG, "a path of %zu bytes is too long",
				  strlen(path));
	memcpy(w->rest, path, strlen(path) + 1);
	r = start(w, root_fd, err);
	while (r == 0)
		r = step(w, err, ret_fd);
	if (r > 0 && folder)
		keep_folder(w, folder);
	walk_done(w);
	return r < 0 ? r : 0;
}

int kc_trust_open(int root_fd, const char *path, unsigned flags, struct kc_err *err, int *ret_fd)
{
	return walk(root_fd, path, flags, NULL, err, ret_fd);
}

/* A plain file in a folder that is open. 1 when it is one, and nobody else can change it. */
static int open_beside(const struct kc_trust_folder *folder, const char *path, unsigned flags,
		       int *ret_fd)
{
	size_t n = folder->path ? strlen(folder->path) : 0;
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;

	if (n == 0 || folder->flags != flags || strncmp(path, folder->path, n) != 0 ||
	    strchr(path + n, '/'))
		return 0;
	fd = openat(folder->fd, path + n, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || others_can_write(&st) ||
	    (st.st_uid != 0 && st.st_uid != geteuid()))
		return 0;
	*ret_fd = TAKE_FD(fd);
	return 1;
}

int kc_trust_open_near(struct kc_trust_folder *folder, const char *path, unsigned flags,
		       struct kc_err *err, int *ret_fd)
{
	if (folder && open_beside(folder, path, flags, ret_fd))
		return 0;
	/* What is wrong, and through which links it lies elsewhere, the whole way tells. */
	return walk(AT_FDCWD, path, flags, folder, err, ret_fd);
}
