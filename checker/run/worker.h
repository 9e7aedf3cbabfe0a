/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config.h"
#include "sys/root.h"

/*
 * A worker: one plugin, in a process of its own. It loads the plugin, says READY, and then runs the
 * rules it is told, one after another, until its channel closes.
 */

/*
 * What the worker is doing, in memory that it shares with k8scheck alone, so that a rule's start
 * costs no system call. The worker may write anything into it: it is a hint for whom to blame, and
 * when.
 */
struct kc_slot {
	uint32_t doing; /* index of the rule + 1; KC_DOING_*; 0: nothing */
	uint32_t waits; /* 1: for facts that are still gathered, which is not the rule's time */
	uint64_t since_usec; /* kc_now_usec() */
};

enum {
	KC_DOING_NOTHING = 0,
	KC_DOING_LOADING = UINT32_MAX,
	KC_DOING_GATHERING = UINT32_MAX - 1,
};

/* Descriptors that a worker is born with. */
struct kc_worker_fds {
	int channel;
	int log; /* its standard output and error */
	int slot; /* memory file of one struct kc_slot, sealed against resizing */
};

/* Runs the worker; called in the zygote's child. */
kc_noreturn void kc_worker_main(const struct kc_run_config *config, uint32_t plugin,
				const struct kc_root *root, const struct kc_worker_fds *fds,
				pid_t parent);
