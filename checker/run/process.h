/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/macro.h"

/* What the processes of a run have in common. */

/* Closes every descriptor from 3 on but those listed, which it sorts (sentinels are passed over).
 */
void kc_close_all_but(int *keep, size_t n);

/* Every signal to its default. The zygote and the broker begin with it; what they start inherits
 * it. */
void kc_reset_all_signals(void);

/* Standard input, output and error to /dev/null; no core dumps, and no new privileges. What is
 * forked from then on inherits it. */
void kc_process_deafen(void);

/*
 * Makes a child of the run out of a fresh fork: default signals, none blocked, standard output and
 * error to err_fd where that is no -EBADF, a process group of its own, killed with its parent
 * `parent`.
 */
void kc_process_begin(pid_t parent, int err_fd);

/* Limits of a worker: memory (data, and address space), CPU time, descriptors; no files written,
 * and no POSIX queues (setrlimit(2)). */
void kc_process_limit(uint64_t cpu_usec);

/* fork() for a child that shall not share the parent's unflushed output. */
pid_t kc_fork(void);

/* Waits for a child without blocking for ever: 1 it is gone, 0 it is not by then. */
int kc_wait_until(pid_t pid, uint64_t deadline_usec, int *ret_status);

/*
 * Kills and reaps the children that are not `ours`: what a subreaper inherited. When one is gone,
 * its own children are next, until there are none or the deadline. Adds how many to *n_ended. 1:
 * none is left; 0: the deadline came first.
 */
int kc_end_strays(bool (*ours)(const void *context, pid_t pid), const void *context,
		  uint64_t deadline_usec, unsigned *n_ended);

/* Names this process for ps(1) and the like: "kc-WHAT", cut to what the kernel keeps (15 bytes). */
void kc_process_name(const char *what);
