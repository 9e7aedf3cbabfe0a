/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/num.h"
#include "process.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum {
	WORKER_DATA_MAX = 256 * 1024 * 1024,
	WORKER_SPACE_MAX = 1024 * 1024 * 1024,
	WORKER_FDS_MAX = 256,
	STRAY_USEC = 20 * 1000,
	STRAYS_LISTED_MAX = 64 * 1024,
};

static int compare_ints(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static void close_range_slow(unsigned first, unsigned last)
{
	struct rlimit limit;

	if (last == UINT32_MAX) {
		last = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536
			       ? (unsigned)limit.rlim_cur
			       : 65536;
	}
	for (unsigned fd = first; fd <= last; fd++)
		(void)close((int)fd);
}

static void close_between(unsigned first, unsigned last)
{
	/* Since Linux 5.9. */
	if (first <= last && syscall(SYS_close_range, first, last, 0) < 0)
		close_range_slow(first, last);
}

void kc_close_all_but(int *keep, size_t n)
{
	unsigned next = 3;

	qsort(keep, n, sizeof(*keep), compare_ints);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < 0 || (unsigned)keep[i] < next)
			continue;
		if ((unsigned)keep[i] > next)
			close_between(next, (unsigned)keep[i] - 1);
		next = (unsigned)keep[i] + 1;
	}
	close_between(next, UINT32_MAX);
}

void kc_reset_all_signals(void)
{
	const struct sigaction fallback = { .sa_handler = SIG_DFL };

	for (int i = 1; i < _NSIG; i++)
		(void)sigaction(i, &fallback, NULL);
}

/* What the zygote, from which all of these descend, has otherwise than by default. */
static void reset_signals(void)
{
	static const int changed[] = { SIGINT, SIGPIPE };
	const struct sigaction fallback = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (size_t i = 0; i < KC_ARRAY_SIZE(changed); i++)
		(void)sigaction(changed[i], &fallback, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * 1, not 0: the kernel hands cores of processes with limit 0 to a program that core_pattern names
 * all the same, but never those with limit 1 (core(5)).
 */
static void leave_no_core(void)
{
	const struct rlimit no_core = { 1, 1 };

	/* Who is given 0 and no more may not take 1. */
	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void kc_process_deafen(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), nobody[2] = { -EBADF, -EBADF };

	/* Without /dev/null, a pipe that nobody writes into: it can be read to its end at once, and
	 * not be written, and no other descriptor comes to stand in these places. */
	if (null < 0 && pipe2(nobody, O_CLOEXEC) == 0)
		null = nobody[0];
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		(void)dup2(null, fd);
	if (null > 2)
		(void)close(null);
	if (nobody[1] > 2)
		(void)close(nobody[1]);
	leave_no_core();
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void kc_process_begin(pid_t parent, int err_fd)
{
	reset_signals();
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	/* The parent may be gone already, and then no signal comes. */
	if (getppid() != parent)
		_exit(1);
	for (int fd = 1; fd <= 2 && err_fd >= 0; fd++)
		(void)dup2(err_fd, fd);
}

void kc_process_limit(uint64_t cpu_usec)
{
	const struct rlimit data = { WORKER_DATA_MAX, WORKER_DATA_MAX };
	const struct rlimit space = { WORKER_SPACE_MAX, WORKER_SPACE_MAX };
	const struct rlimit fds = { WORKER_FDS_MAX, WORKER_FDS_MAX };
	const struct rlimit cpu = { cpu_usec / 1000000 + 2, cpu_usec / 1000000 + 3 };
	const struct rlimit none = { 0 };

	/*
	 * Data is private and writable; the address space has the rest that takes memory, such as
	 * what is shared, and page tables of what is only read. The shadow memory of a sanitizer
	 * counts for both, by terabytes.
	 */
	if (!SANITIZED) {
		(void)setrlimit(RLIMIT_DATA, &data);
		(void)setrlimit(RLIMIT_AS, &space);
	}
	(void)setrlimit(RLIMIT_NOFILE, &fds);
	(void)setrlimit(RLIMIT_CPU, &cpu);
	(void)setrlimit(RLIMIT_FSIZE, &none);
	/* Of POSIX queues, which outlive who made them. */
	(void)setrlimit(RLIMIT_MSGQUEUE, &none);
}

pid_t kc_fork(void)
{
	(void)fflush(NULL);
	return fork();
}

int kc_wait_until(pid_t pid, uint64_t deadline_usec, int *ret_status)
{
	useconds_t pause = 50;

	for (;;) {
		pid_t got = waitpid(pid, ret_status, WNOHANG);

		if (got == pid || (got < 0 && errno == ECHILD))
			return 1;
		if (kc_now_usec() >= deadline_usec)
			return 0;
		(void)usleep(pause);
		pause = KC_MIN(pause * 2, (useconds_t)5000);
	}
}

/* One look at the children there are; how many that are not ours were seen. */
static unsigned end_listed(bool (*ours)(const void *context, pid_t pid), const void *context,
			   uint64_t deadline_usec, unsigned *n_ended)
{
	kc_cleanup(kc_buf_done) struct kc_buf list = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	unsigned seen = 0;
	char *save = NULL;

	/* Since Linux 3.5 with CONFIG_PROC_CHILDREN, which distributions have on. */
	fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (kc_read_all(fd, STRAYS_LISTED_MAX, &list) < 0 && !list.data))
		return 0;
	/* A space follows each; where a list that is too long was cut, a number may be another's.
	 */
	while (list.len > 0 && list.data[list.len - 1] != ' ')
		list.data[--list.len] = 0;
	for (char *word = strtok_r(list.data, " \n", &save); word;
	     word = strtok_r(NULL, " \n", &save)) {
		uint64_t pid, now = kc_now_usec();
		int status;

		if (kc_parse_u64(word, &pid) < 0 || pid < 2 || ours(context, (pid_t)pid))
			continue;
		seen++;
		(void)kill((pid_t)pid, SIGKILL);
		/* Only when it is gone are its own children ours, and in the next list. */
		if (now < deadline_usec &&
		    kc_wait_until((pid_t)pid, KC_MIN(now + STRAY_USEC, deadline_usec), &status))
			(*n_ended)++;
	}
	return seen;
}

int kc_end_strays(bool (*ours)(const void *context, pid_t pid), const void *context,
		  uint64_t deadline_usec, unsigned *n_ended)
{
	while (end_listed(ours, context, deadline_usec, n_ended) > 0) {
		if (kc_now_usec() >= deadline_usec)
			return 0;
	}
	return 1;
}

void kc_process_name(const char *what)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "kc-%s", what);
	(void)prctl(PR_SET_NAME, name, 0, 0, 0);
}
