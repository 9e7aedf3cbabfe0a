/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "mountinfo-line.h"
#include "remount.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

enum {
	MOUNTINFO_MAX = 64 * 1024 * 1024,
	FDS_MAX = 1024, /* of who has nothing but low numbers open, where close_range(2) lacks */
	LATE_MAX = 5,
	NAMED_MAX = 16,
};

/* A mount that could not be had, and why: negative errno, -ESTALE for one that no path leads to. */
struct miss {
	uint64_t id;
	int code;
};

struct pass {
	unsigned long wanted;
	uint64_t patience_usec;
	struct kc_buf text; /* mountinfo, cut into `lines` */
	struct kc_mountinfo_line *lines;
	size_t n_lines;
	const char **points; /* of all lines, sorted */
	const char **slow; /* where those are that may take their time */
	size_t n_slow;
	unsigned n_late;
	struct miss *misses;
	size_t n_misses;
};

static void pass_done(struct pass *p)
{
	kc_buf_done(&p->text);
	free(p->lines);
	free(p->points);
	free(p->slow);
	free(p->misses);
}

/* ---- the table ---- */

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static int read_table(struct pass *p)
{
	kc_cleanup(kc_closep) int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	char *rest;
	int r;

	kc_buf_reset(&p->text);
	p->n_lines = 0;
	r = fd < 0 ? -errno : kc_read_all(fd, MOUNTINFO_MAX, &p->text);
	if (r < 0)
		return r;
	rest = p->text.data;
	if (!rest)
		return -EIO;
	free(p->lines);
	p->lines = calloc(count_lines(rest), sizeof(*p->lines));
	if (!p->lines)
		return -ENOMEM;
	while ((r = kc_mountinfo_next(&rest, p->lines + p->n_lines)) > 0)
		p->n_lines++;
	return r;
}

/* Whose path can take as long to be found as another machine or process likes. */
static bool may_be_slow(const char *type)
{
	static const char *const types[] = {
		"nfs",	  "cifs",    "smb",	 "ceph",     "fuse",   "9p",
		"afs",	  "coda",    "gfs2",	 "ocfs",     "gpfs",   "lustre",
		"beegfs", "gluster", "orangefs", "virtiofs", "autofs", NULL,
	};

	KC_FOREACH_STR (prefix, types) {
		if (kc_after_prefix(type, prefix))
			return true;
	}
	return false;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int sort_points(struct pass *p)
{
	p->points = calloc(p->n_lines + 1, sizeof(*p->points));
	p->slow = calloc(p->n_lines + 1, sizeof(*p->slow));
	if (!p->points || !p->slow)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_lines; i++) {
		p->points[i] = p->lines[i].point;
		if (may_be_slow(p->lines[i].type))
			p->slow[p->n_slow++] = p->lines[i].point;
	}
	qsort(p->points, p->n_lines, sizeof(*p->points), compare_texts);
	return 0;
}

/* Several mounts are at this place, or were seen from roots that lie on one another. */
static bool is_shared(const struct pass *p, const char *point)
{
	const char **at = bsearch(&point, p->points, p->n_lines, sizeof(*p->points), compare_texts);
	const char **end = p->points + p->n_lines;

	return at && ((at > p->points && kc_streq(at[-1], point)) ||
		      (at + 1 < end && kc_streq(at[1], point)));
}

/* At the place of a slow one, or below. */
static bool is_slow(const struct pass *p, const char *point)
{
	for (size_t i = 0; i < p->n_slow; i++) {
		const char *below = kc_after_prefix(point, p->slow[i]);

		if (below && (!*below || *below == '/' || kc_streq(p->slow[i], "/")))
			return true;
	}
	return false;
}

/* ---- one mount ---- */

/* With O_PATH, which neither asks autofs for a mount nor opens a device. */
static int open_mount(const char *path, uint64_t id)
{
	kc_cleanup(kc_closep) int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	uint64_t found;
	int r;

	if (fd < 0)
		return errno == ENOTDIR || errno == ENOENT || errno == ELOOP ? -ESTALE : -errno;
	r = kc_fd_mount(fd, &found);
	if (r < 0)
		return r;
	return found == id ? TAKE_FD(fd) : -ESTALE;
}

/* Sets all flags of the mount: those left out are cleared. */
static int set_flags(const char *path, unsigned long flags)
{
	return mount("none", path, "none", MS_REMOUNT | MS_BIND | flags, NULL) < 0 ? -errno : 0;
}

static int remount_by_number(const struct kc_mountinfo_line *line, unsigned long wanted)
{
	kc_cleanup(kc_freep) char *above = NULL;
	kc_cleanup(kc_closep) int fd = open_mount(line->point, line->id);
	char path[64];

	/* What was mounted on "/" after this process began is where "/.." leads. */
	if (fd == -ESTALE) {
		above = kc_asprintf("/..%s", line->point);
		fd = above ? open_mount(above, line->id) : -ENOMEM;
	}
	if (fd < 0)
		return fd;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return set_flags(path, line->flags | wanted);
}

/* Far quicker where the place is one mount's alone: mount(2) refuses a path that leads to none. */
static int remount_by_path(const struct kc_mountinfo_line *line, unsigned long wanted)
{
	int r = set_flags(line->point, line->flags | wanted);

	if (r == -EINVAL || r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
		return remount_by_number(line, wanted);
	return r;
}

/* Nothing that somebody else waits for the end of: this process may be there for long. */
static void keep_only(int fd)
{
	(void)dup2(fd, 0);
	if (syscall(SYS_close_range, 1, ~0u, 0) == 0)
		return;
	for (int i = 1; i < FDS_MAX; i++)
		(void)close(i);
}

struct answer {
	pid_t pid;
	int code; /* 1: not known yet */
};

static bool tell(const struct answer *answer)
{
	return write(0, answer, sizeof(*answer)) == (ssize_t)sizeof(*answer);
}

static void kc_noreturn remount_and_tell(const struct kc_mountinfo_line *line, unsigned long wanted,
					 int fd)
{
	struct answer answer = { .pid = getpid(), .code = 1 };

	keep_only(fd);
	/* Who cannot be ended is not begun. */
	if (tell(&answer)) {
		answer.code = remount_by_number(line, wanted);
		(void)tell(&answer);
	}
	_exit(0);
}

static int hear(int fd, uint64_t deadline_usec)
{
	struct answer answer = { .code = 1 };

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		uint64_t now = kc_now_usec();
		int left = now < deadline_usec ? (int)((deadline_usec - now) / 1000 + 1) : 0;

		if (poll(&pfd, 1, left) == 0) {
			if (answer.pid > 0)
				(void)kill(answer.pid, SIGKILL);
			return -ETIMEDOUT;
		}
		if (pfd.revents && read(fd, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
			return -EIO;
		if (answer.code <= 0)
			return answer.code;
	}
}

/* By a child's child, since nobody can end a process that waits for a dead server, nor reap it. */
static int remount_patiently(const struct kc_mountinfo_line *line, unsigned long wanted,
			     uint64_t patience_usec)
{
	uint64_t deadline = kc_now_usec() + patience_usec;
	int pair[2], status, r;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			remount_and_tell(line, wanted, pair[1]);
		_exit(0);
	}
	r = pid < 0 ? -errno : 0;
	(void)close(pair[1]);
	if (r == 0 && waitpid(pid, &status, 0) == pid)
		r = hear(pair[0], deadline);
	(void)close(pair[0]);
	return r;
}

/* ---- all of them ---- */

static int try_one(struct pass *p, const struct kc_mountinfo_line *line)
{
	int r;

	if (!is_slow(p, line->point))
		return is_shared(p, line->point) ? remount_by_number(line, p->wanted)
						 : remount_by_path(line, p->wanted);
	if (p->patience_usec == 0 || p->n_late == LATE_MAX)
		return -ETIMEDOUT;
	r = remount_patiently(line, p->wanted, p->patience_usec);
	p->n_late += r == -ETIMEDOUT;
	return r;
}

static bool lacks(const struct pass *p, const struct kc_mountinfo_line *line)
{
	return (line->flags & p->wanted) != p->wanted;
}

static int try_all(struct pass *p)
{
	p->misses = calloc(p->n_lines + 1, sizeof(*p->misses));
	if (!p->misses)
		return -ENOMEM;
	for (size_t i = 0; i < p->n_lines; i++) {
		const struct kc_mountinfo_line *line = p->lines + i;
		int r = lacks(p, line) ? try_one(p, line) : 0;

		if (r < 0)
			p->misses[p->n_misses++] = (struct miss){ line->id, r };
	}
	return 0;
}

/*
 * No process of this namespace comes to such a mount: it has none of its folders open, and begins
 * at the root. But the host may take away what lies on top, and this namespace follows it.
 */
static bool is_covered(const struct pass *p, uint64_t id)
{
	for (size_t i = 0; i < p->n_misses; i++) {
		if (p->misses[i].id == id)
			return p->misses[i].code == -ESTALE;
	}
	return false;
}

static unsigned name_left(const struct pass *p, struct kc_buf *left)
{
	unsigned n = 0;

	for (size_t i = 0; i < p->n_lines; i++) {
		const struct kc_mountinfo_line *line = p->lines + i;

		if (!lacks(p, line))
			continue;
		if (left && n < NAMED_MAX)
			kc_buf_addf(left, "%s%s%s", n > 0 ? ", " : "", line->point,
				    is_covered(p, line->id) ? " beneath another mount" : "");
		n++;
	}
	if (left && n > NAMED_MAX)
		kc_buf_addf(left, ", and %u more", n - NAMED_MAX);
	return n;
}

int kc_remount_all(unsigned long wanted, uint64_t patience_usec, struct kc_buf *left,
		   unsigned *ret_left, struct kc_err *err)
{
	kc_cleanup(pass_done) struct pass p = { .wanted = wanted, .patience_usec = patience_usec };
	unsigned n = 0;
	int r;

	r = read_table(&p);
	if (r == 0)
		r = sort_points(&p);
	if (r == 0)
		r = try_all(&p);
	/* What is said of them is what the kernel says now: others may be gone, or have come. */
	if (r == 0 && p.n_misses > 0) {
		r = read_table(&p);
		n = r == 0 ? name_left(&p, left) : 0;
	}
	if (r < 0)
		return kc_err_set(err, r, "/proc/self/mountinfo: %s", kc_strerror(r));
	*ret_left = n;
	return 0;
}
