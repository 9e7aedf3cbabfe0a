/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * The kernel's own processes, which need no look when one of user space is searched for: most of
 * what /proc lists.
 */
struct kc_kernel_threads {
	uint32_t *pid; /* in ascending order */
	size_t n;
};

/*
 * The children of kthreadd, by /proc/2/task/2/children (proc(5); CONFIG_PROC_CHILDREN). None where
 * that is not there, or where process 2 is no kernel thread, as in a container. Lives in the arena;
 * only -ENOMEM.
 */
int kc_kernel_threads_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			   struct kc_kernel_threads *ret_threads);

bool kc_kernel_threads_have(const struct kc_kernel_threads *threads, uint32_t pid);

/* Whether a /proc/PID/stat is of a kernel thread: PF_KTHREAD of its ninth field. False when it
 * cannot be told. */
bool kc_is_kernel_thread(const char *stat);
