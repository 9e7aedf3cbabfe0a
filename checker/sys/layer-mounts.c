/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "layers.h"

/* By number, for headers that are older than the kernel. */
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

enum {
	RECURSIVE = 0x8000, /* AT_RECURSIVE */
	NOSYMFOLLOW = 256, /* MS_NOSYMFOLLOW, since Linux 5.10 */
	MOUNTINFO_MAX = 64 * 1024 * 1024,
	PAUSE_USEC = 500,
};

int kc_layer_mounts(struct kc_err *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return kc_err_set(err, -errno, "no mount namespace can be made: %s",
				  kc_strerror(errno));
	if (mount("none", "/", "none", MS_REC | MS_SLAVE, NULL) < 0)
		return kc_err_set(err, -errno, "/ cannot be made a slave mount: %s",
				  errno == EINVAL ? "it is no mount point (a chroot?)"
						  : kc_strerror(errno));
	return 0;
}

/* ---- one mount after another */

/* A line of /proc/PID/mountinfo, proc(5): what is needed of it, cut in place. */
struct line {
	char *path, *options, *type;
};

static bool cut(char *text, struct line *ret_line)
{
	char *save = NULL, *field;
	bool behind = false;

	*ret_line = (struct line){ 0 };
	for (unsigned n = 1; (field = strtok_r(n == 1 ? text : NULL, " ", &save)); n++) {
		if (n == 5)
			ret_line->path = field;
		else if (n == 6)
			ret_line->options = field;
		else if (behind) {
			ret_line->type = field;
			break;
		} else if (n > 6 && kc_streq(field, "-"))
			behind = true;
	}
	return ret_line->type != NULL;
}

/* \040 and the like, which stand for what separates fields and lines. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

/* A remount sets all flags of the mount: those left out are cleared. */
static unsigned long flags_of(char *options)
{
	static const struct {
		const char *name;
		unsigned long flag;
	} known[] = {
		{ "ro", MS_RDONLY },	     { "nosuid", MS_NOSUID },
		{ "nodev", MS_NODEV },	     { "noexec", MS_NOEXEC },
		{ "noatime", MS_NOATIME },   { "nodiratime", MS_NODIRATIME },
		{ "relatime", MS_RELATIME }, { "nosymfollow", NOSYMFOLLOW },
	};
	unsigned long flags = 0;
	char *save = NULL;

	for (char *o = strtok_r(options, ",", &save); o; o = strtok_r(NULL, ",", &save)) {
		for (size_t i = 0; i < KC_ARRAY_SIZE(known); i++) {
			if (kc_streq(o, known[i].name))
				flags |= known[i].flag;
		}
	}
	return flags;
}

/* Whose path can take as long to be found as another machine or process likes. */
static bool may_hang(const char *type)
{
	static const char *const types[] = { "nfs",	 "cifs", "smb",	   "ceph",    "fuse",
					     "9p",	 "afs",	 "coda",   "gfs2",    "ocfs2",
					     "lustre",	 "gpfs", "beegfs", "gluster", "orangefs",
					     "virtiofs", NULL };

	KC_FOREACH_STR (prefix, types) {
		if (kc_after_prefix(type, prefix))
			return true;
	}
	return false;
}

static int remount(const char *path, unsigned long flags)
{
	return mount("none", path, "none", MS_REMOUNT | MS_BIND | flags, NULL) < 0 ? -errno : 0;
}

/* In a process that may be left behind, since one that waits for a dead server cannot be ended. */
static int remount_patiently(const char *path, unsigned long flags, uint64_t patience_usec)
{
	uint64_t deadline = kc_now_usec() + patience_usec;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(-remount(path, flags));
	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (kc_now_usec() >= deadline) {
			(void)kill(pid, SIGKILL);
			(void)waitpid(pid, &status, WNOHANG);
			return -ETIMEDOUT;
		}
		(void)usleep(PAUSE_USEC);
	}
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

static void leave(const char *path, struct kc_buf *left, unsigned *n)
{
	if (left)
		kc_buf_addf(left, "%s%s", *n > 0 ? ", " : "", path);
	(*n)++;
}

static void remount_line(struct line *line, unsigned long wanted, uint64_t patience_usec,
			 struct kc_buf *left, unsigned *n_left)
{
	unsigned long flags = flags_of(line->options);
	int r;

	if ((flags & wanted) == wanted)
		return;
	flags |= wanted;
	unescape(line->path);
	r = may_hang(line->type) ? remount_patiently(line->path, flags, patience_usec)
				 : remount(line->path, flags);
	/* One that lies below another cannot be reached, by its path or by anything else. */
	if (r < 0 && r != -ENOENT && r != -EINVAL && r != -ENOTDIR)
		leave(line->path, left, n_left);
}

static int remount_all(unsigned long wanted, uint64_t patience_usec, struct kc_buf *left,
		       unsigned *ret_left, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	unsigned n_left = 0;
	char *save = NULL;
	int r;

	r = fd < 0 ? -errno : kc_read_all(fd, MOUNTINFO_MAX, &text);
	if (r < 0 || !text.data)
		return kc_err_set(err, r < 0 ? r : -EIO, "/proc/self/mountinfo: %s",
				  kc_strerror(r < 0 ? r : -EIO));
	for (char *s = strtok_r(text.data, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		struct line line;

		if (cut(s, &line))
			remount_line(&line, wanted, patience_usec, left, &n_left);
	}
	*ret_left = n_left;
	return 0;
}

int kc_layer_read_only(bool no_devices, uint64_t patience_usec, struct kc_buf *left,
		       unsigned *ret_left, struct kc_err *err)
{
	/* struct mount_attr: attr_set, of MOUNT_ATTR_RDONLY and MOUNT_ATTR_NODEV */
	const struct {
		uint64_t set, clear, propagation, userns_fd;
	} attributes = { .set = no_devices ? 1 | 4 : 1 };

	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", RECURSIVE, &attributes, sizeof(attributes)) ==
	    0) {
		*ret_left = 0;
		return 0;
	}
	if (errno == EPERM)
		return kc_err_set(err, -errno, "mounts cannot be made read-only: %s",
				  kc_strerror(errno));
	return remount_all(MS_RDONLY | (no_devices ? MS_NODEV : 0), patience_usec, left, ret_left,
			   err);
}
