/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "child.h"
#include "layers.h"
#include "supervise.h"

enum {
	MAX_DATA_MIB = 512,
	MAX_FILES = 256,
	END_USEC = 500 * 1000, /* for killing what the program left behind */
};

static char *const environment[] = {
	(char *)"LC_ALL=C",
	(char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	(char *)"HOME=/",
	NULL,
};

static void report(const struct kc_supervised *job, int kind, int value)
{
	const struct kc_report_exec r = { .kind = kind, .value = value };

	/* Nobody is left to be told when this fails; the door takes silence for a failure. */
	if (write(job->reports, &r, sizeof(r)) < 0)
		return;
}

static void reset_signals(void)
{
	const struct sigaction fallback = { .sa_handler = SIG_DFL };
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t none;

	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &fallback, NULL);
	/* A program that tries to write a file shall see an error, rather than die of it. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_descriptors(const struct kc_supervised *job, int *ret_program)
{
	int null, program, r;

	/* Above the standard ones, which are about to be replaced. */
	program = fcntl(job->fd, F_DUPFD_CLOEXEC, 3);
	null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (program < 0 || null < 0)
		return -errno;
	/* dup2() onto itself would leave the mark to close it. */
	if (null == 0 && fcntl(0, F_SETFD, 0) < 0)
		return -errno;
	if (dup2(null, 0) < 0 || dup2(job->out, 1) < 0 || dup2(job->err, 2) < 0)
		return -errno;
	r = kc_child_cloexec_from(3);
	if (r >= 0 && job->keep_fd && fcntl(program, F_SETFD, 0) < 0)
		r = -errno;
	*ret_program = program;
	return r;
}

static void kc_noreturn become_program(const struct kc_supervised *job)
{
	int program = -EBADF;
	int r = 0;

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)umask(077);
	reset_signals();
	if (chdir("/") < 0)
		r = -errno;
	/* Root without its powers, but for reading what is another user's. */
	if (r >= 0)
		r = kc_layer_privileges(KC_CAPABILITIES_WORKER, NULL);
	if (r >= 0)
		r = kc_layer_capabilities(KC_CAPABILITIES_WORKER, NULL);
	if (r >= 0)
		r = set_descriptors(job, &program);
	if (r >= 0)
		r = kc_child_limit(MAX_FILES, MAX_DATA_MIB);
	if (r >= 0) {
		(void)fexecve(program, job->argv, environment);
		r = -errno;
	}
	report(job, KC_EXEC_FAILED, -r);
	_exit(127);
}

/* Kills the children that the kernel lists for us; returns how many. */
static int kill_children(void)
{
	char list[4096];
	int n_killed = 0;
	pid_t pid = 0;
	ssize_t n;
	int fd;

	fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, list, sizeof(list));
	(void)close(fd);
	/* Each number is followed by a space; one that is not has been cut, and is another's. */
	for (ssize_t i = 0; i < n; i++) {
		if (list[i] >= '0' && list[i] <= '9') {
			pid = pid * 10 + (list[i] - '0');
			continue;
		}
		if (pid > 1 && kill(pid, SIGKILL) == 0)
			n_killed++;
		pid = 0;
	}
	return n_killed;
}

/*
 * Without a PID namespace: what the program started is ours now, or becomes so when its parent
 * dies, since we are a subreaper. So children are killed until there are none.
 */
static void end_descendants(pid_t program)
{
	uint64_t deadline = kc_now_usec() + END_USEC;
	const struct timespec pause = { .tv_nsec = 500 * 1000 };

	do {
		pid_t pid;

		if (kill_children() == 0)
			(void)kill(-program, SIGKILL);
		do
			pid = waitpid(-1, NULL, WNOHANG);
		while (pid > 0);
		if (pid < 0 && errno == ECHILD)
			return;
		(void)nanosleep(&pause, NULL);
	} while (kc_now_usec() < deadline);
}

/* Waits for the program: 1 with its status, 0 at the deadline. */
static int wait_for_program(const struct kc_supervised *job, pid_t program, int *ret_status)
{
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	for (;;) {
		struct timespec left;
		uint64_t now, usec;
		int status;
		pid_t pid;

		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == program) {
				*ret_status = status;
				return 1;
			}
		now = kc_now_usec();
		if (now >= job->deadline_usec)
			return 0;
		usec = job->deadline_usec - now;
		left.tv_sec = (time_t)(usec / 1000000);
		left.tv_nsec = (long)(usec % 1000000) * 1000;
		(void)sigtimedwait(&child, NULL, &left);
	}
}

/*
 * Makes all mounts of this namespace read-only: a program that would like to write sees so when it
 * opens a file, and goes on with reading, as SQLite does for rpm. The limit on the size of files
 * alone lets it open one for writing, and fail half-way. Those that may never answer are left as
 * the broker's are: a process that waits for one would hold up the end of the PID namespace.
 */
static void set_read_only(void)
{
	unsigned left;

	if (mount("none", "/", "none", MS_REC | MS_SLAVE, NULL) == 0)
		(void)kc_layer_read_only(false, 0, NULL, &left, NULL);
}

static void kc_noreturn supervise(const struct kc_supervised *job, int isolated)
{
	int ended, status = 0;
	sigset_t all;
	pid_t program;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)setsid();
	/* SIGCHLD must be pending for sigtimedwait(), which an inherited SIG_IGN would prevent. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (isolated)
		set_read_only();
	program = fork();
	if (program < 0) {
		report(job, KC_EXEC_FORK_FAILED, errno);
		_exit(1);
	}
	if (program == 0)
		become_program(job);
	(void)close(job->out);
	(void)close(job->err);
	ended = wait_for_program(job, program, &status);
	/* With its first process gone, the kernel ends all of a PID namespace. */
	if (!isolated)
		end_descendants(program);
	if (!ended)
		report(job, KC_EXEC_LATE, 0);
	else if (WIFSIGNALED(status))
		report(job, KC_EXEC_SIGNALLED, WTERMSIG(status));
	else
		report(job, KC_EXEC_EXITED, WEXITSTATUS(status));
	_exit(0);
}

/* fork(), into new namespaces. */
static pid_t fork_isolated(void)
{
	const unsigned long flags =
		CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS | SIGCHLD;
	long r;

#if defined(__s390__) || defined(__CRIS__)
	r = syscall(SYS_clone, 0, flags, 0, 0, 0);
#else
	r = syscall(SYS_clone, flags, 0, 0, 0, 0);
#endif
	return r < 0 ? -errno : (pid_t)r;
}

pid_t kc_supervise(const struct kc_supervised *job)
{
	int isolated = 1;
	pid_t pid;

	pid = fork_isolated();
	if (pid < 0) {
		isolated = 0;
		pid = fork();
		if (pid < 0)
			return -errno;
	}
	if (pid == 0)
		supervise(job, isolated);
	return pid;
}
