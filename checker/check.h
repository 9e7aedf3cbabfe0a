/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "commands.h"
#include "report-files.h"
#include "run/run.h"

/* A run of `k8scheck --profile …`: what cmd-check.c, which judges, and cmd-fix.c, which repairs,
 * share. */

/* A report that was asked for. */
struct kc_wanted {
	struct kc_report_spec spec;
	struct kc_report_output *output;
	const struct kc_report_format *format;
};

struct kc_check_run {
	const struct kc_command *command;
	const struct kc_options *options;
	struct kc_arena *arena;
	const struct kc_profile *profile;
	struct kc_plugin_file *plugins;
	uint32_t n_plugins, max_plugins;
	/* Opened while the profile was read, and not yet among the plugins. */
	struct kc_plugin_file *early;
	size_t n_early, early_room;
	bool asks_bus; /* the broker knows that it will be asked */
	struct kc_crew crew;
	struct kc_wanted *wanted;
	size_t n_wanted;
	struct kc_run_config config;
	const char **warnings;
	size_t n_warnings;
	bool progress_shown;
	struct kc_trust_folder folder; /* of the plugins */
};

/*
 * Runs the selected rules once more, in processes of their own: for verdicts, or with `planning`
 * for what their checks plan. What was warned of before is not said again. -errno, with a sentence.
 */
int kc_check_again(struct kc_check_run *c, bool planning, struct kc_err *err,
		   struct kc_outcome *ret_outcome);

/*
 * Repairs what failed, after it was shown and asked for, and judges again: *outcome is then of the
 * second time, with verdicts `fixed` and `pending`. Returns 0 to go on with the reports; else what
 * the program exits with, nothing having been changed.
 */
int kc_check_fix(struct kc_check_run *c, struct kc_outcome *outcome,
		 struct kc_report_repair *ret_repair);

/* Whether a report that is no text goes to standard output, where nothing else may stand then. */
bool kc_check_owns_stdout(const struct kc_check_run *c);

/* How a text for people is to be written to a stream. */
struct kc_report_style kc_check_style(const struct kc_check_run *c, int fd);
