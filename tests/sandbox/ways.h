/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* By number, for headers that are older than the kernel: the same on every architecture. */
enum {
	NR_SETXATTRAT = 463,
	NR_REMOVEXATTRAT = 466,
	NR_FILE_SETATTR = 469,
	NR_PIDFD_SEND_SIGNAL = 424,
	NR_IO_URING_SETUP = 425,
	NR_OPEN_TREE = 428,
	NR_MOVE_MOUNT = 429,
	NR_FSOPEN = 430,
	NR_PIDFD_OPEN = 434,
	NR_CLONE3 = 435,
	NR_OPENAT2 = 437,
	NR_PIDFD_GETFD = 438,
	NR_MOUNT_SETATTR = 442,
	NR_QUOTACTL_FD = 443,
	NR_MEMFD_SECRET = 447,
	NR_FCHMODAT2 = 452,
};

/* What a way has to act on; the test made it, and looks at it afterwards. */
struct target {
	const char *at; /* a folder of this way alone */
	pid_t victim; /* a process of who runs k8scheck; 0: none */
	pid_t other; /* a process of another user; 0: none */
	uint64_t mark; /* where the victim has a word that nobody may change */
	uint32_t key; /* of System V objects, and a part of names */
	uint32_t rule; /* index of a rule of another plugin */
};

/*
 * Tries it. 0: done, as far as the kernel said. Negative errno: what the first call of it that
 * failed gave. -ENOTSUP: this architecture has no such call.
 */
typedef int try_way(const struct target *t);

struct way {
	const char *name;
	try_way *try;
};

/* Each ends with an empty one. */
extern const struct way ways_of_files[], ways_of_processes[], ways_of_sockets[], ways_of_kernel[],
	ways_of_channel[];

/* "<at>/name". */
struct path {
	char text[512];
};

struct path path_of(const struct target *t, const char *name);
#define PATH(t, name) (path_of(t, name).text)

/* 0 or -errno of what a call returned. */
static inline int result(long r)
{
	return r < 0 ? -errno : 0;
}

/* The same of what returns a descriptor, which is closed. */
static inline int result_fd(long fd)
{
	if (fd < 0)
		return -errno;
	(void)close((int)fd);
	return 0;
}

/* Opens and writes a few bytes. */
int write_into(const char *path, int flags, const char *text);

/* The process of another plugin's worker, or 0. */
pid_t find_sibling(uint64_t *ret_mark);
