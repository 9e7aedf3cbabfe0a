/* SPDX-License-Identifier: Apache-2.0 */
/*
 * racer [--pause MICROSECONDS] MODE PATH [OTHER]: a process that knows nothing of locks and changes
 * what others change, over and over, until SIGTERM, or until who started it ends. Prints "ready"
 * once it is at it. Modes:
 *
 *   append FILE         opens it to append, writes "# racer N" as a line, closes it
 *   replace FILE        renames a file over it that has what it had, and the line "# racer N"
 * behind swap A B            exchanges two names link FILE TARGET    exchanges the file with a
 * symbolic link to TARGET, and back folder PATH TARGET  the same with a folder
 *
 * N counts from 1. In the end prints "done N", and for `append` in a second line "refused N": how
 * often the file was not there or could not be opened or written. Then leaves what it found, where
 * it can: `swap`, `link` and `folder` put back what is where they put it; `append` and `replace`
 * leave their last lines, which tell what has been lost, unless --restore is given to `replace`:
 * then the first file comes back if the last is still in its place. The time of the folder of
 * `replace`, `link` and `folder` is put back as well. What it needs beside the path is called
 * ".NAME.racer".
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/num.h"

/* linux/fs.h, which does not go with every sys/mount.h. */
#define EXCHANGE (1u << 1)

/* More than a configuration file has. */
#define CONTENT_MAX (1u << 20)

static volatile sig_atomic_t ended;

struct racer {
	const char *path;
	const char *other;
	char aside[PATH_MAX];
	char fresh[PATH_MAX];
	char folder[PATH_MAX];
	struct timespec folder_time;
	struct stat first; /* what was found at path */
	struct stat last; /* what was put there last; replace alone */
	bool restore;
	unsigned pause; /* microseconds */
	uint64_t done;
	uint64_t refused;
	struct kc_buf content;
};

struct racer_mode {
	const char *name;
	bool takes_other;
	int (*start)(struct racer *r);
	/* 0, or -errno where there is no going on. */
	int (*step)(struct racer *r);
	int (*end)(struct racer *r);
};

static void on_term(int sig)
{
	(void)sig;
	ended = 1;
}

static int exchange(const char *a, const char *b)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, EXCHANGE) < 0 ? -errno : 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool is_at(const char *path, const struct stat *st)
{
	struct stat now;

	return lstat(path, &now) == 0 && same_file(&now, st);
}

/* Names beside the path, and the time of their folder. */
static int look_around(struct racer *r)
{
	const char *slash = strrchr(r->path, '/');
	const char *name = slash ? slash + 1 : r->path;
	int folder = slash ? (int)(slash + 1 - r->path) : 0;
	struct stat st;

	if (lstat(r->path, &r->first) < 0)
		return -errno;
	(void)snprintf(r->folder, sizeof(r->folder), "%.*s.", folder, r->path);
	if (snprintf(r->aside, sizeof(r->aside), "%.*s.%s.racer", folder, r->path, name) >=
		    (int)sizeof(r->aside) ||
	    snprintf(r->fresh, sizeof(r->fresh), "%.*s.%s.racer-new", folder, r->path, name) >=
		    (int)sizeof(r->fresh))
		return -ENAMETOOLONG;
	if (lstat(r->folder, &st) < 0)
		return -errno;
	r->folder_time = st.st_mtim;
	return 0;
}

static int put_folder_time_back(const struct racer *r)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, r->folder_time };

	return utimensat(AT_FDCWD, r->folder, times, 0) < 0 ? -errno : 0;
}

/* ---- append */

static int append_start(struct racer *r)
{
	(void)r;
	return 0;
}

static int append_step(struct racer *r)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "# racer %llu\n", (unsigned long long)r->done + 1);
	int fd = open(r->path, O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd >= 0 && write(fd, line, (size_t)n) == n)
		r->done++;
	else
		r->refused++;
	if (fd >= 0)
		(void)close(fd);
	return 0;
}

static int append_end(struct racer *r)
{
	printf("refused %llu\n", (unsigned long long)r->refused);
	return 0;
}

/* ---- replace */

static int replace_start(struct racer *r)
{
	int fd, e = look_around(r);

	if (e < 0)
		return e;
	fd = open(r->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	e = S_ISREG(r->first.st_mode) ? kc_read_all(fd, CONTENT_MAX, &r->content) : -EINVAL;
	(void)close(fd);
	return e;
}

static int write_fresh(struct racer *r)
{
	int e, fd = open(r->fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char line[64];
	int n = snprintf(line, sizeof(line), "# racer %llu\n", (unsigned long long)r->done + 1);

	if (fd < 0)
		return -errno;
	e = kc_write_all(fd, r->content.data, r->content.len);
	if (e == 0)
		e = kc_write_all(fd, line, (size_t)n);
	if (e == 0 && (fchown(fd, r->first.st_uid, r->first.st_gid) < 0 ||
		       fchmod(fd, r->first.st_mode & 07777) < 0 || fstat(fd, &r->last) < 0))
		e = -errno;
	(void)close(fd);
	if (e < 0)
		(void)unlink(r->fresh);
	return e;
}

/* The first that is displaced is kept aside: nothing else is known to bring it back. */
static int replace_step(struct racer *r)
{
	int e = write_fresh(r);

	if (e < 0)
		return e;
	if (r->done == 0) {
		e = exchange(r->fresh, r->path);
		if (e == 0 && rename(r->fresh, r->aside) < 0)
			e = -errno;
	} else if (rename(r->fresh, r->path) < 0) {
		e = -errno;
	}
	if (e == 0)
		r->done++;
	else
		(void)unlink(r->fresh);
	return e;
}

static int replace_end(struct racer *r)
{
	if (!r->restore || !is_at(r->path, &r->last)) {
		if (r->done && unlink(r->aside) < 0)
			return -errno;
		return r->restore ? put_folder_time_back(r) : 0;
	}
	/* Between this look and the next line somebody may come; what would be lost is kept. */
	if (exchange(r->aside, r->path) < 0)
		return -errno;
	if (is_at(r->aside, &r->last) && unlink(r->aside) < 0)
		return -errno;
	return put_folder_time_back(r);
}

/* ---- swap */

static int swap_start(struct racer *r)
{
	struct stat other;

	return lstat(r->path, &r->first) < 0 || lstat(r->other, &other) < 0 ? -errno : 0;
}

/* Somebody else may have taken one of them away for a while. */
static int swap_step(struct racer *r)
{
	int e = exchange(r->path, r->other);

	if (e == 0)
		r->done++;
	return e == -ENOENT ? 0 : e;
}

static int swap_end(struct racer *r)
{
	return r->done % 2 ? exchange(r->path, r->other) : 0;
}

/* ---- link, folder */

static int link_start_of(struct racer *r, mode_t type)
{
	int e = look_around(r);

	if (e < 0)
		return e;
	if ((r->first.st_mode & S_IFMT) != type)
		return -EINVAL;
	return symlink(r->other, r->aside) < 0 ? -errno : 0;
}

static int link_start(struct racer *r)
{
	return link_start_of(r, S_IFREG);
}

static int folder_start(struct racer *r)
{
	return link_start_of(r, S_IFDIR);
}

static int link_step(struct racer *r)
{
	int e = exchange(r->path, r->aside);

	if (e == 0)
		r->done++;
	return e == -ENOENT ? 0 : e;
}

/* Where the link is tells where the rest is, whatever others have put in its place. */
static int link_end(struct racer *r)
{
	struct stat st;
	int e = 0;

	if (lstat(r->aside, &st) < 0)
		return -errno;
	if (!S_ISLNK(st.st_mode))
		e = exchange(r->path, r->aside);
	if (e == 0 && (lstat(r->aside, &st) < 0 || !S_ISLNK(st.st_mode)))
		e = -EBUSY;
	if (e == 0 && unlink(r->aside) < 0)
		e = -errno;
	return e == 0 ? put_folder_time_back(r) : e;
}

/* ---- */

static const struct racer_mode modes[] = {
	{ "append", false, append_start, append_step, append_end },
	{ "replace", false, replace_start, replace_step, replace_end },
	{ "swap", true, swap_start, swap_step, swap_end },
	{ "link", true, link_start, link_step, link_end },
	{ "folder", true, folder_start, link_step, link_end },
};

static const struct racer_mode *find_mode(const char *name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (name && !strcmp(modes[i].name, name))
			return modes + i;
	}
	return NULL;
}

static const struct racer_mode *parse_arguments(struct racer *r, char **argv)
{
	const struct racer_mode *m;
	uint64_t pause_usec;

	for (argv++; *argv && **argv == '-'; argv++) {
		if (!strcmp(*argv, "--restore")) {
			r->restore = true;
		} else if (!strcmp(*argv, "--pause") && argv[1] &&
			   kc_parse_u64(argv[1], &pause_usec) == 0 && pause_usec < 1000000) {
			r->pause = (unsigned)pause_usec;
			argv++;
		} else {
			return NULL;
		}
	}
	m = find_mode(*argv);
	if (!m || !argv[1] || !argv[2] != !m->takes_other || (argv[2] && argv[3]))
		return NULL;
	r->path = argv[1];
	r->other = argv[2];
	return m;
}

static int race(struct racer *r, const struct racer_mode *m)
{
	int e = m->start(r), at_end;

	if (e < 0)
		return e;
	puts("ready");
	(void)fflush(stdout);
	while (!ended && e == 0) {
		e = m->step(r);
		if (r->pause)
			(void)usleep(r->pause);
	}
	printf("done %llu\n", (unsigned long long)r->done);
	at_end = m->end(r);
	return e < 0 ? e : at_end;
}

int main(int argc, char **argv)
{
	const struct sigaction on = { .sa_handler = on_term };
	struct racer r = { 0 };
	const struct racer_mode *m = argc > 0 ? parse_arguments(&r, argv) : NULL;
	int e;

	if (!m) {
		fputs("usage: racer [--pause MICROSECONDS] [--restore] append FILE | replace FILE "
		      "| "
		      "swap A B | link FILE TARGET | folder PATH TARGET\n",
		      stderr);
		return 2;
	}
	(void)sigaction(SIGTERM, &on, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	e = race(&r, m);
	kc_buf_done(&r.content);
	if (e < 0)
		fprintf(stderr, "racer: %s: %s\n", r.path, strerror(-e));
	return e < 0 ? 1 : 0;
}
