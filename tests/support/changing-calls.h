/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The system calls that change something outside the process that makes them: files, folders and
 * their attributes, what is written to disk, mounts, swaps, modules, the host's names and clock. A
 * write counts where it goes to a regular file (of /proc and /sys as well) or to a block device,
 * and not to a pipe, a socket, a terminal or a memfd. Messages to other processes do not count.
 * Whether a call succeeds does not matter.
 *
 * What is written by memory counts once, when a file is mapped to be written and shared; of
 * io_uring every io_uring_enter(2) counts, for what it submits cannot be seen here.
 */

/* What a call must be beside its number. */
enum call_when {
	CALL_ALWAYS,
	CALL_CREATES, /* flags of open(2) in an argument, one of O_CREAT, O_TRUNC, O_TMPFILE */
	CALL_CREATES_HOW, /* the same in a struct open_how */
	CALL_INTO_FILE, /* a descriptor of a regular file or block device */
	CALL_MAPS_FILE, /* mmap(2): shared, to be written, of such a file */
	CALL_SETS_FLAGS, /* ioctl(2): inode flags, or extents of another file */
	CALL_BINDS_PATH, /* bind(2): a socket that has a path */
	CALL_LOCKS, /* flock(2); only where locks are asked for */
	CALL_LEASES, /* fcntl(2) with F_SETLEASE; the same */
};

/* How the bytes are given that a call is to write. */
enum call_bytes {
	BYTES_NONE,
	BYTES_COUNT, /* a number in an argument */
	BYTES_VECTOR, /* struct iovec in an argument, and how many in the next */
};

struct changing_call {
	long nr;
	const char *name;
	enum call_when when;
	uint8_t when_arg;
	/* Pairs of a letter and the number of an argument. p: a path; a: a folder's descriptor, and
	 * a path in the next argument; f: a descriptor; t: a text that is no path. */
	const char *shows;
	enum call_bytes bytes;
	uint8_t bytes_arg;
};

struct sock_filter;

/* Instructions that changing_calls_filter() may take. */
#define CHANGING_FILTER_MAX 1024

/* Told to the tracer with SECCOMP_RET_TRACE. */
enum {
	TOLD_CALL = 1,
	TOLD_FOREIGN = 2, /* of another architecture, whose numbers are others */
};

/*
 * A seccomp filter for SECCOMP_RET_TRACE at what may be such a call, and SECCOMP_RET_ALLOW else, so
 * that all other calls run at full speed. How many instructions there are.
 */
size_t changing_calls_filter(bool locks, struct sock_filter *filter);

/* The call of that number, or NULL. */
const struct changing_call *changing_call_find(uint64_t nr);

/* Whether this one, which a process stands before with these arguments, changes something. */
bool changing_call_counts(const struct changing_call *c, pid_t pid, const uint64_t *args,
			  bool locks);
