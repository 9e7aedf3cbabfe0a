/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "greedy.h"

enum {
	DAEMONS = 100,
	DEPTH = 8, /* two to that many processes */
	THREADS_MAX = 2000,
	STACK = 64 * 1024,
	TIMERS_MAX = 1000,
};

int is_over(int64_t *since)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	if (*since == 0)
		*since = now.tv_sec;
	return now.tv_sec - *since >= AT_MOST_SECONDS;
}

greed *find_greed(const char *name)
{
	static const struct want *const lists[] = { wants_of_memory, wants_of_processes };

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		for (const struct want *w = lists[i]; w->name; w++) {
			if (strcmp(w->name, name) == 0)
				return w->take;
		}
	}
	return NULL;
}

static void ignore_all_signals(void)
{
	for (int i = 1; i < NSIG; i++)
		(void)signal(i, SIG_IGN);
}

static void stay(void)
{
	int64_t since = 0;

	while (!is_over(&since))
		(void)usleep(100 * 1000);
	_exit(0);
}

/* ---- children */

/* Each lives no longer than it takes to make the next: who looks for it finds it gone. */
static int chain(struct greedy *g)
{
	int64_t since = 0;
	pid_t pid = fork();

	(void)g;
	if (pid != 0)
		return pid < 0 ? -errno : 0;
	ignore_all_signals();
	while (!is_over(&since)) {
		if (fork() != 0)
			_exit(0);
	}
	_exit(0);
}

/* The same in a session of its own for each. */
static int chain_of_sessions(struct greedy *g)
{
	int64_t since = 0;
	pid_t pid = fork();

	(void)g;
	if (pid != 0)
		return pid < 0 ? -errno : 0;
	while (!is_over(&since)) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
	}
	_exit(0);
}

static int tree(struct greedy *g)
{
	pid_t pid = fork();

	(void)g;
	if (pid != 0)
		return pid < 0 ? -errno : 0;
	for (unsigned i = 0; i < DEPTH; i++)
		(void)fork();
	stay();
	return 0;
}

/* As daemon(3) does it, but with its descriptors kept. */
static int become_daemon(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : 0;
	(void)setsid();
	if (fork() != 0)
		_exit(0);
	ignore_all_signals();
	stay();
	return 0;
}

static int daemons(struct greedy *g)
{
	int r = 0;

	(void)g;
	for (unsigned i = 0; i < DAEMONS && r == 0; i++)
		r = become_daemon();
	return r;
}

static int daemon_and_crash(struct greedy *g)
{
	int r = become_daemon();

	(void)g;
	if (r < 0)
		return r;
	(void)usleep(50 * 1000);
	(void)raise(SIGSEGV);
	return 0;
}

/* What it was handed goes on to be written when its parent is gone. */
static int writing_child(struct greedy *g)
{
	static const char rubbish[] = "rubbish of a child whose parent has gone";
	int64_t since = 0;
	pid_t pid = fork();

	(void)g;
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		(void)usleep(100 * 1000);
		return 0;
	}
	ignore_all_signals();
	(void)setsid();
	while (!is_over(&since)) {
		for (int fd = 1; fd < 32; fd++) {
			struct stat st;

			if (fstat(fd, &st) == 0 && (S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode)) &&
			    write(fd, rubbish, sizeof(rubbish)) < 0 && errno == EPIPE)
				continue;
		}
	}
	_exit(0);
}

/* ---- threads */

static void *wait_in_thread(void *unused)
{
	(void)sleep(AT_MOST_SECONDS);
	return unused;
}

static int threads(struct greedy *g)
{
	pthread_attr_t small;
	unsigned n = 0;
	int r = 0;

	(void)pthread_attr_init(&small);
	(void)pthread_attr_setstacksize(&small, STACK);
	while (n < THREADS_MAX && r == 0) {
		pthread_t thread;

		r = pthread_create(&thread, &small, wait_in_thread, NULL);
		n += r == 0;
	}
	(void)pthread_attr_destroy(&small);
	(void)snprintf(g->said, sizeof(g->said), "%u threads", n);
	return -r;
}

/* ---- signals and timers */

static int deaf(struct greedy *g)
{
	sigset_t all;

	(void)g;
	ignore_all_signals();
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	stay();
	return 0;
}

static int stop(struct greedy *g)
{
	(void)g;
	return raise(SIGSTOP) == 0 ? 0 : -errno;
}

static int crash(struct greedy *g)
{
	(void)g;
	return raise(SIGSEGV) == 0 ? 0 : -errno;
}

static int signal_group(struct greedy *g)
{
	(void)g;
	return kill(0, SIGKILL) < 0 ? -errno : 0;
}

static int alarm_itself(struct greedy *g)
{
	const struct itimerval soon = { .it_value.tv_usec = 1000 };

	(void)g;
	if (setitimer(ITIMER_REAL, &soon, NULL) < 0)
		return -errno;
	stay();
	return 0;
}

/* timer_create(2) of old libraries is in one of its own. */
static int timers(struct greedy *g)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	const struct itimerspec soon = { .it_value.tv_nsec = 1000 * 1000 };
	int id = 0;

	(void)g;
	for (unsigned i = 0; i < TIMERS_MAX; i++) {
		if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) < 0)
			return -errno;
	}
	if (syscall(SYS_timer_settime, id, 0, &soon, NULL) < 0)
		return -errno;
	stay();
	return 0;
}

/* ---- what others wait for */

static int lock(struct greedy *g)
{
	const struct flock whole = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd = open(g->at, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX) < 0 || fcntl(fd, F_SETLK, &whole) < 0 ||
	    fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		r = -errno;
	/* Kept until its worker ends. */
	if (r == 0)
		stay();
	return r;
}

/* ---- what it says of its own dumps */

static int dumps(struct greedy *g)
{
	struct rlimit limit = { 0 };
	struct stat st = { 0 };

	if (getrlimit(RLIMIT_CORE, &limit) < 0 || stat("/proc/self/status", &st) < 0)
		return -errno;
	/* The files of a process without dumps are root's: proc(5). */
	(void)snprintf(g->said, sizeof(g->said), "limit %llu %llu, %s",
		       (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max,
		       st.st_uid == geteuid() ? "its own" : "root's");
	return 0;
}

static int nothing(struct greedy *g)
{
	(void)g;
	return 0;
}

const struct want wants_of_processes[] = {
	{ "chain", chain },
	{ "chain-of-sessions", chain_of_sessions },
	{ "tree", tree },
	{ "daemons", daemons },
	{ "daemon-and-crash", daemon_and_crash },
	{ "writing-child", writing_child },
	{ "threads", threads },
	{ "deaf", deaf },
	{ "stop", stop },
	{ "crash", crash },
	{ "signal-group", signal_group },
	{ "alarm", alarm_itself },
	{ "timers", timers },
	{ "lock", lock },
	{ "dumps", dumps },
	{ "nothing", nothing },
	{ NULL, NULL },
};
