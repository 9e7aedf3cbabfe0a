/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * What child processes of doors share. Everything but kc_child_reap() may be called between fork
 * and exec: no memory is allocated, no lock taken.
 */

/* Marks every descriptor from `first` on to be closed by exec. Negative errno on failure. */
int kc_child_cloexec_from(int first);

/*
 * Gives up root for good: user and group nobody (65534), no other groups, no capabilities, no new
 * privileges by exec. Without root only the last. Negative errno on failure: the child must not go
 * on.
 */
int kc_child_drop_privileges(void);

/*
 * Limits: no file is written, no core is left, not even to a program that core_pattern names; so
 * many descriptors, so many MiB of data. Never above the hard limits that are there. Negative errno
 * on failure: the child must not go on.
 */
int kc_child_limit(unsigned max_files, unsigned max_data_mib);

/*
 * Ends a child with SIGKILL and takes its status away, but waits at most `timeout_usec` for that: a
 * process in an uninterruptible sleep cannot be ended. 0, or -ETIMEDOUT.
 */
int kc_child_reap(pid_t pid, uint64_t timeout_usec);

/* Milliseconds until a deadline of kc_now_usec(), rounded up, for poll(2); 0 when it has passed. */
int kc_child_poll_timeout(uint64_t deadline_usec);
