/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "str.h"

/* Closes what is open and keeps errno; returns -EBADF for assignment. */
int kc_close(int fd);

static inline void kc_closep(int *fd)
{
	(void)kc_close(*fd);
}

static inline void kc_fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

/*
 * Reads from the current offset to the end, at most max bytes, into b (appended). -EFBIG when there
 * is more than max; a negative errno else. For regular files and for pipes that end.
 */
int kc_read_all(int fd, size_t max, struct kc_buf *b);

/* The same for a regular file that stat(2) gives a size, 0 for unknown: with one read where it is
 * that size. */
int kc_read_known(int fd, uint64_t size, size_t max, struct kc_buf *b);

/* Writes all, waiting where the descriptor would block. Negative errno on failure. */
int kc_write_all(int fd, const void *data, size_t len);

/* Opens what a descriptor (O_PATH, most likely) stands for, by /proc. A new one, or -errno. */
int kc_fd_reopen(int fd, int flags);

/*
 * The number of the mount that a descriptor is in, as mountinfo has it: "mnt_id" of
 * proc_pid_fdinfo(5), since Linux 3.15. -EOPNOTSUPP: the kernel does not say; or -errno.
 */
int kc_fd_mount(int fd, uint64_t *ret_id);
