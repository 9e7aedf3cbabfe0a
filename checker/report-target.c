/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/magic.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fdio.h"
#include "base/num.h"
#include "report-target.h"

enum {
	LINKS_MAX = 40,
	NOBODY = 65534
};

struct walk {
	const char *path; /* as given, for messages */
	int dir;
	char *rest; /* what is still to be walked, owned */
	unsigned n_links;
	bool by_link; /* a link that is not root's stood in the way */
	uid_t uid; /* whose it was */
	struct kc_report_rights rights; /* that user's, from the link on */
};

static void walk_done(struct walk *w)
{
	kc_report_rights_leave(&w->rights);
	kc_closep(&w->dir);
	free(w->rest);
}

/* A step of the walk that did not succeed; what is "folder NAME: " or "". */
static int walk_fail(const struct walk *w, int code, const char *what, const char *name,
		     struct kc_err *err)
{
	if (w->by_link)
		return kc_err_set(
			err, code,
			"%s: %s%s%s%s, with the rights of user %u, whose link leads there", w->path,
			what, name, *what ? ": " : "", kc_strerror(code), (unsigned)w->uid);
	return kc_err_set(err, code, "%s: %s%s%s%s", w->path, what, name, *what ? ": " : "",
			  kc_strerror(code));
}

static int open_dir(struct walk *w, const char *name, int flags, struct kc_err *err)
{
	int fd = openat(w->dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);

	if (fd < 0)
		return walk_fail(w, -errno, "folder ", name, err);
	kc_closep(&w->dir);
	w->dir = fd;
	return 0;
}

static int walk_start(struct walk *w, struct kc_err *err)
{
	const char *rest = w->rest;

	w->dir = open(*rest == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->dir < 0)
		return kc_err_set(err, -errno, "%s: %s", w->path, kc_strerror(errno));
	return 0;
}

/* Cuts the next component off; *ret_last says that nothing stands behind it, not even a slash. */
static char *next_component(struct walk *w, bool *ret_last)
{
	size_t slashes = strspn(w->rest, "/"), n = strcspn(w->rest + slashes, "/");
	char *name = strndup(w->rest + slashes, n);

	*ret_last = w->rest[slashes + n] == 0;
	memmove(w->rest, w->rest + slashes + n, strlen(w->rest + slashes + n) + 1);
	return name;
}

static bool in_procfs(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
}

/* A file that something is mounted on, as containers have them: no rename replaces it. */
static bool is_mount(int dir, const char *name)
{
	kc_cleanup(kc_closep) int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	uint64_t own, around;

	return fd >= 0 && kc_fd_mount(fd, &own) == 0 && kc_fd_mount(dir, &around) == 0 &&
	       own != around;
}

static bool is_own_fd_folder(int dir)
{
	struct stat a, b;

	return fstat(dir, &a) == 0 && stat("/proc/self/fd", &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/*
 * Whoever made a link, or can exchange it, says where it leads. That is root's or the caller's own
 * wish, or else that user's: root goes on with the rights of that one user, and others, who cannot
 * take rights, do not follow.
 */
static int note_user(struct walk *w, uid_t uid, struct kc_err *err)
{
	const struct kc_report_target target = { .foreign = true, .uid = uid, .gid = NOBODY };
	int r;

	if (uid == 0 || uid == geteuid() || (w->by_link && w->uid == uid))
		return 0;
	if (geteuid() != 0)
		return kc_err_set(err, -EPERM,
				  "%s leads over a link of user %u: name the file itself", w->path,
				  (unsigned)uid);
	if (w->by_link)
		return kc_err_set(
			err, -EPERM,
			"%s leads over links of several users (%u and %u): name the file itself",
			w->path, (unsigned)w->uid, (unsigned)uid);
	r = kc_report_rights_enter(&target, &w->rights);
	w->by_link = true;
	w->uid = uid;
	return r < 0 ? walk_fail(w, r, "", "", err) : 0;
}

static int note_link(struct walk *w, const struct stat *link, struct kc_err *err)
{
	struct stat dir;
	int r;

	/* /proc/self is the kernel's, whoever that is in a user namespace. */
	if (in_procfs(w->dir))
		return 0;
	if (fstat(w->dir, &dir) < 0)
		return walk_fail(w, -errno, "", "", err);
	r = note_user(w, dir.st_uid, err);
	return r < 0 ? r : note_user(w, link->st_uid, err);
}

static int follow(struct walk *w, const char *name, const struct stat *st, struct kc_err *err)
{
	char text[PATH_MAX];
	char *rest;
	ssize_t n;
	int r;

	if (++w->n_links > LINKS_MAX)
		return kc_err_set(err, -ELOOP, "%s leads over too many links", w->path);
	r = note_link(w, st, err);
	if (r < 0)
		return r;
	n = readlinkat(w->dir, name, text, sizeof(text));
	if (n < 0)
		return walk_fail(w, -errno, "", "", err);
	if (n == 0 || (size_t)n >= sizeof(text))
		return kc_err_set(err, -ENAMETOOLONG, "%s: the link %s is too long", w->path, name);
	text[n] = 0;
	rest = kc_asprintf("%s%s%s", text, *w->rest ? "/" : "", w->rest);
	if (!rest)
		return kc_err_set(err, -ENOMEM, "%s: no memory", w->path);
	free(w->rest);
	w->rest = rest;
	return *text == '/' ? open_dir(w, "/", 0, err) : 0;
}

static int take_descriptor(struct walk *w, const char *name, struct kc_err *err,
			   struct kc_report_target *target)
{
	int64_t n;

	if (w->by_link)
		return kc_err_set(err, -EPERM,
				  "%s leads to an open file over a link of user %u: name it itself",
				  w->path, (unsigned)w->uid);
	if (kc_parse_i64(name, &n) < 0 || n < 0 || n > INT_MAX)
		return kc_err_set(err, -ENOENT, "%s: %s", w->path, kc_strerror(ENOENT));
	target->descriptor = (int)n;
	return 0;
}

/* The kernel's protected_fifos, for files that are not created: somebody waits in a folder that
 * others write for what is not meant for them. */
static bool is_trap(const struct stat *st, const struct stat *dir)
{
	return S_ISFIFO(st->st_mode) && st->st_uid != 0 && st->st_uid != geteuid() &&
	       st->st_uid != dir->st_uid && (dir->st_mode & (S_IWGRP | S_IWOTH));
}

/* What no report can be written to, or only with harm. */
static int refuse(const struct walk *w, const char *name, const struct stat *st,
		  const struct stat *dir, struct kc_err *err)
{
	if (S_ISDIR(st->st_mode))
		return kc_err_set(err, -EISDIR, "%s is a folder; name a file in it", w->path);
	if (S_ISSOCK(st->st_mode))
		return kc_err_set(err, -ENXIO, "%s is a socket; name a file", w->path);
	if (S_ISBLK(st->st_mode))
		return kc_err_set(err, -EPERM,
				  "%s is a block device, whose content would be lost; name a file",
				  w->path);
	if (is_trap(st, dir))
		return kc_err_set(err, -EACCES,
				  "%s is a FIFO of user %u in a folder that others write", w->path,
				  (unsigned)st->st_uid);
	if (S_ISREG(st->st_mode) && is_mount(w->dir, name))
		return kc_err_set(err, -EBUSY,
				  "%s is mounted by itself and cannot be replaced as a whole; name "
				  "a file in a folder that is mounted",
				  w->path);
	return 0;
}

/* Whose rights to take. A folder or link may have a group that its owner is not in: root's is never
 * taken, and over a link only that of a folder which is the same user's. */
static void take_rights(const struct walk *w, const struct stat *dir,
			struct kc_report_target *target)
{
	if (geteuid() != 0 || (!w->by_link && dir->st_uid == 0))
		return;
	target->foreign = true;
	target->uid = w->by_link ? w->uid : dir->st_uid;
	target->gid = dir->st_uid == target->uid && dir->st_gid != 0 ? dir->st_gid : NOBODY;
}

static int take_name(struct walk *w, char **name, const struct stat *st, struct kc_err *err,
		     struct kc_report_target *target)
{
	struct stat dir;
	uid_t uid;
	int r;

	if (fstat(w->dir, &dir) < 0)
		return walk_fail(w, -errno, "", "", err);
	r = st ? refuse(w, *name, st, &dir, err) : 0;
	if (r < 0)
		return r;
	take_rights(w, &dir, target);
	uid = target->foreign ? target->uid : geteuid();
	if (st && S_ISREG(st->st_mode) && (dir.st_mode & S_ISVTX) && uid != 0 &&
	    st->st_uid != uid && dir.st_uid != uid)
		return kc_err_set(
			err, -EPERM,
			"%s belongs to user %u, in a folder where only the owner of a file "
			"may replace it",
			w->path, (unsigned)st->st_uid);
	if (st) {
		target->type = st->st_mode & S_IFMT;
		target->mode = st->st_mode & 07777;
		target->owner = st->st_uid;
		target->n_links = st->st_nlink;
	}
	target->dir = TAKE_FD(w->dir);
	target->name = TAKE_PTR(*name);
	return 0;
}

/* One component. 1: the target is found. */
static int step(struct walk *w, struct kc_err *err, struct kc_report_target *target)
{
	bool last;
	kc_cleanup(kc_freep) char *name = next_component(w, &last);
	struct stat st;
	int r;

	if (!name)
		return kc_err_set(err, -ENOMEM, "%s: no memory", w->path);
	if (!*name || (last && (kc_streq(name, ".") || kc_streq(name, ".."))))
		return kc_err_set(err, -EISDIR, "%s is a folder; name a file in it", w->path);
	if (kc_streq(name, ".") || kc_streq(name, ".."))
		return open_dir(w, name, 0, err);
	if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == ENOENT && last) {
			r = take_name(w, &name, NULL, err, target);
			return r < 0 ? r : 1;
		}
		return walk_fail(w, -errno, "", "", err);
	}
	if (S_ISLNK(st.st_mode)) {
		/* Links of procfs name an open file and not a path. */
		if (in_procfs(w->dir) && !kc_streq(name, "self") &&
		    !kc_streq(name, "thread-self")) {
			if (!last || !is_own_fd_folder(w->dir))
				return kc_err_set(err, -ELOOP, "%s leads over a link of /proc",
						  w->path);
			r = take_descriptor(w, name, err, target);
			return r < 0 ? r : 1;
		}
		return follow(w, name, &st, err);
	}
	if (last) {
		r = take_name(w, &name, &st, err, target);
		return r < 0 ? r : 1;
	}
	return open_dir(w, name, O_NOFOLLOW, err);
}

int kc_report_target_find(const char *path, struct kc_err *err, struct kc_report_target *ret_target)
{
	kc_cleanup(walk_done) struct walk w = { .path = path, .dir = -EBADF };
	struct kc_report_target target = { .dir = -EBADF, .descriptor = -EBADF };
	int r;

	if (!*path)
		return kc_err_set(err, -EINVAL, "a report needs the name of a file");
	w.rest = strdup(path);
	if (!w.rest)
		return kc_err_set(err, -ENOMEM, "%s: no memory", path);
	r = walk_start(&w, err);
	while (r == 0)
		r = step(&w, err, &target);
	if (r < 0)
		return r;
	*ret_target = target;
	return 0;
}

void kc_report_target_done(struct kc_report_target *target)
{
	kc_closep(&target->dir);
	free(target->name);
	*target = (struct kc_report_target){ .dir = -EBADF, .descriptor = -EBADF };
}

int kc_report_rights_enter(const struct kc_report_target *target, struct kc_report_rights *rights)
{
	int n;

	*rights = (struct kc_report_rights){ 0 };
	if (!target->foreign)
		return 0;
	n = getgroups(0, NULL);
	if (n < 0)
		return -errno;
	rights->groups = calloc((size_t)n + 1, sizeof(*rights->groups));
	if (!rights->groups)
		return -ENOMEM;
	rights->n_groups = getgroups(n, rights->groups);
	rights->taken = true;
	/* Refused in some user namespaces; the groups are then those of a user without power over
	 * others. */
	(void)setgroups(0, NULL);
	(void)setfsgid(target->gid);
	(void)setfsuid(target->uid);
	/* The calls do not say whether they worked; an impossible id asks. */
	if ((uid_t)setfsuid((uid_t)-1) != target->uid ||
	    (gid_t)setfsgid((gid_t)-1) != target->gid) {
		kc_report_rights_leave(rights);
		return -EPERM;
	}
	return 0;
}

void kc_report_rights_leave(struct kc_report_rights *rights)
{
	int saved = errno;

	if (rights->taken) {
		(void)setfsuid(geteuid());
		(void)setfsgid(getegid());
		if (rights->n_groups >= 0)
			(void)setgroups((size_t)rights->n_groups, rights->groups);
	}
	free(rights->groups);
	*rights = (struct kc_report_rights){ 0 };
	errno = saved;
}
