/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The process between a door and a program that it runs: it has the program as its child, reports
 * how it ended, and sees to it that nothing is left of it.
 */
struct kc_supervised {
	int fd; /* the program, O_PATH */
	bool keep_fd; /* it is a script, which is opened again by its interpreter */
	char *const *argv;
	int out, err; /* where it writes; above 2 */
	int reports; /* a pipe, above 2, that struct kc_report_exec are written to */
	uint64_t deadline_usec; /* kc_now_usec() */
};

enum kc_report_kind {
	/* value: errno of what went wrong before the program began; another follows */
	KC_EXEC_FAILED = 1,
	KC_EXEC_EXITED = 2, /* value: exit code */
	KC_EXEC_SIGNALLED = 3, /* value: signal */
	KC_EXEC_LATE = 4, /* the deadline passed */
	KC_EXEC_FORK_FAILED = 5, /* value: errno */
};

struct kc_report_exec {
	int32_t kind; /* enum kc_report_kind */
	int32_t value;
};

/*
 * Starts the supervisor, in PID, network and IPC namespaces of its own where the kernel lets us,
 * and returns its pid, to be ended by kc_child_reap(). Negative errno when there can be no process.
 */
pid_t kc_supervise(const struct kc_supervised *job);
