/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "options.h"
#include "paths.h"
#include "profile/profile.h"
#include "report-modules.h"

/* The verbs. Each returns the program's exit code and has said on standard error what went wrong.
 */
struct kc_command {
	char *const *argv; /* of the program, for the fixer, which reads it again */
	const struct kc_options *options;
	struct kc_paths paths;
	struct kc_arena *arena; /* lives as long as the program */
};

enum {
	/* Bytes of a line on standard error; more is cut, with a note. */
	KC_MESSAGE_MAX = 64 * 1024
};

int kc_command_check(const struct kc_command *command);
int kc_command_list(const struct kc_command *command);
int kc_command_explain(const struct kc_command *command);
int kc_command_lint(const struct kc_command *command);
int kc_command_rollback(const struct kc_command *command);

/* Prints "k8scheck: …" on standard error and returns the exit code. */
int kc_complain(int exit_code, const char *fmt, ...) kc_printf(2, 3);

/*
 * The profile that the options name. NULL when it has faults, which are printed then. A run tells
 * whom to tell of plugins, and gets manifests without what people read of them; others give NULL.
 */
const struct kc_profile *kc_command_profile(const struct kc_command *command, kc_on_need *on_need,
					    void *context);

/* The report formats there are. */
struct kc_report_formats kc_command_formats(const struct kc_command *command);

/* All manifests, by name; faults of one are printed, and it is left out. NULL-terminated; NULL: no
 * memory. */
const struct kc_manifest *const *kc_command_manifests(const struct kc_command *command);
