/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config.h"
#include "slots.h"
#include "sys/root.h"

/*
 * A worker: one plugin, in a process of its own. It loads the plugin, hears what it is to be held
 * to and which rules there are, says READY, and then runs the rules it is told, one after another,
 * until its channel closes.
 */

/* What a worker is born with. */
struct kc_worker_birth {
	const char *name, *path; /* of its plugin; path is for messages */
	int channel;
	int log; /* its standard output and error */
	int plugin; /* the shared object that was vetted */
	int mountinfo; /* of kc_mountinfo_open(); or negative */
	uint32_t slot; /* which of the slots is its own */
};

/* Runs the worker; called in the zygote's child. Of config, what is known before the profile. */
kc_noreturn void kc_worker_main(const struct kc_run_config *config, const struct kc_root *root,
				const struct kc_sandbox *sandbox,
				const struct kc_worker_birth *birth, struct kc_slot *slot,
				pid_t parent);
