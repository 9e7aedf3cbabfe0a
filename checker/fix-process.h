/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "commands.h"

/*
 * The fixer as k8scheck sees it: a process in a session of its own, which goes on with what it has
 * begun when k8scheck is gone.
 */
struct kc_fix_process {
	pid_t pid;
	int socket; /* -EBADF: not started */
};

/*
 * Starts it with the program's own arguments and an environment that is the same everywhere. It is
 * held to the same rules of trust as a plugin. -errno, with a sentence.
 */
int kc_fix_process_start(const struct kc_command *command, struct kc_err *err,
			 struct kc_fix_process *ret_process);

/* Says that nothing more will be asked for, and waits until it has ended. */
void kc_fix_process_end(struct kc_fix_process *process);
