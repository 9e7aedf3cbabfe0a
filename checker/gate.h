/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <signal.h>
#include <stdbool.h>

/*
 * The gate in front of a command: `k8scheck … -- COMMAND ARG…`. Exit codes that are none of
 * COMMAND's are those of env(1), nohup(1) and timeout(1).
 */
enum {
	KC_GATE_CLOSED = 125, /* COMMAND was not run: the gate is closed, or k8scheck failed */
	KC_GATE_CANNOT_RUN = 126, /* COMMAND was found, and could not be run */
	KC_GATE_NOT_FOUND = 127,
};

/* What k8scheck changes of its process, and COMMAND is to find as it was. */
struct kc_gate {
	struct sigaction pipe, file_size;
};

/* Ignores SIGPIPE and SIGXFSZ, and remembers what was set for them. */
void kc_gate_begin(struct kc_gate *ret_gate);

/*
 * Runs a command in place of this process if `exit_code`, which k8scheck would have exited with,
 * says that the gate is open. Returns what to exit with when it did not, having said why on
 * standard error. `command` is NULL-terminated; the first is looked up as execvp(3) does.
 */
int kc_gate_pass(const struct kc_gate *gate, int exit_code, char *const *command);

/* Whether a command line, perhaps one that is none, has a command behind "--". */
bool kc_gate_is_asked(char *const *argv);
