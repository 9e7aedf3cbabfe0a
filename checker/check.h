/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "commands.h"
#include "report-files.h"
#include "run/run.h"

/*
 * A run of `k8scheck --profile …`: what cmd-check.c, which judges, check-plugins.c and
 * check-reports.c, which it leaves plugins and reports to, and cmd-fix.c, which repairs, share.
 */

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
 * While the rest of the profile is read, a worker loads the plugin, in the sandbox that it would be
 * loaded in anyway, and the broker gets ready for what will be asked. `context` is the run; what
 * goes wrong is told by kc_check_open_plugins().
 */
void kc_check_on_need(void *context, const struct kc_manifest *plugin, const struct kc_rule *rule,
		      bool first);

/*
 * Opens the plugins whose rules are selected, and those that gather facts, which reports carry.
 * Returns 0, or what the program exits with: each that is refused was named.
 */
int kc_check_open_plugins(struct kc_check_run *c);

/* Closes them, and those that were opened for nothing. */
void kc_check_plugins_done(struct kc_check_run *c);

/*
 * Opens the outputs of all reports that were asked for, or of a text on standard output. Returns 0,
 * or what the program exits with, having said why.
 */
int kc_check_want_reports(struct kc_check_run *c);

/*
 * What reports are written from; of the run's arena, and of its outcome. `started` is a time of day
 * in microseconds since 1970, `duration` in microseconds. -ENOMEM.
 */
int kc_check_make_report(struct kc_check_run *c, const struct kc_outcome *outcome, uint64_t started,
			 uint64_t duration, struct kc_report *ret_report);

/* Writes all reports; false where one could not be, which was said. */
bool kc_check_write_reports(struct kc_check_run *c, const struct kc_report *report);

/* Takes away what was begun of reports and is not whole. */
void kc_check_reports_done(struct kc_check_run *c);

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
