/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "child.h"

#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_DATA 0 /* the sanitizer's shadow memory is data of terabytes */
#else
#define LIMIT_DATA 1
#endif

enum {
	NOBODY = 65534,
	/* Where the limit on descriptors is "none", a loop over all of them would never end. */
	LAST_FD = 65536,
};

/* Of Linux 5.9 and 5.11; older headers know neither the number nor the flag. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define CLOSE_RANGE_CLOEXEC_FLAG (1u << 2)

static int last_fd(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return LAST_FD;
	return (int)KC_MIN(limit.rlim_max, (rlim_t)LAST_FD);
}

int kc_child_cloexec_from(int first)
{
	int last = last_fd();

	if (syscall(SYS_close_range, first, ~0u, CLOSE_RANGE_CLOEXEC_FLAG) == 0)
		return 0;
	for (int fd = first; fd < last; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 && errno != EBADF)
			return -errno;
	return 0;
}

/* A user other than root may have some too. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

int kc_child_drop_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if (geteuid() == 0 && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			       setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	return drop_capabilities();
}

static int set_limit(int resource, uint64_t value)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return -errno;
	limit.rlim_max = KC_MIN(limit.rlim_max, (rlim_t)value);
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

int kc_child_limit(unsigned max_files, unsigned max_data_mib)
{
	int r;

	/*
	 * 1, not 0: the kernel hands cores of processes with limit 0 to a program that core_pattern
	 * names all the same, but never those with limit 1 (core(5)).
	 */
	r = set_limit(RLIMIT_CORE, 1);
	if (r >= 0)
		r = set_limit(RLIMIT_FSIZE, 0);
	if (r >= 0)
		r = set_limit(RLIMIT_NOFILE, max_files);
	/* Data, not address space: programs in Go reserve a lot of that, and use little. */
	if (r >= 0 && LIMIT_DATA)
		r = set_limit(RLIMIT_DATA, (uint64_t)max_data_mib << 20);
	return r;
}

int kc_child_reap(pid_t pid, uint64_t timeout_usec)
{
	uint64_t deadline = kc_now_usec() + timeout_usec;
	struct timespec pause = { .tv_nsec = 50 * 1000 };

	(void)kill(pid, SIGKILL);
	for (;;) {
		pid_t r = waitpid(pid, NULL, WNOHANG);

		if (r == pid || (r < 0 && errno != EINTR))
			return 0;
		if (kc_now_usec() >= deadline)
			return -ETIMEDOUT;
		(void)nanosleep(&pause, NULL);
		pause.tv_nsec = KC_MIN(pause.tv_nsec * 2, 5L * 1000 * 1000);
	}
}

int kc_child_poll_timeout(uint64_t deadline_usec)
{
	uint64_t now = kc_now_usec();
	uint64_t left;

	if (now >= deadline_usec)
		return 0;
	left = (deadline_usec - now + 999) / 1000;
	return (int)KC_MIN(left, (uint64_t)INT_MAX);
}
