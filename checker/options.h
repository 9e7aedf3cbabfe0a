/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "model/report.h"

/* The command line. All texts are borrowed from argv. */

enum kc_verb {
	KC_VERB_CHECK = 1,
	KC_VERB_LIST = 2,
	KC_VERB_EXPLAIN = 3,
	KC_VERB_LINT = 4,
	KC_VERB_ROLLBACK = 5,
	KC_VERB_HELP = 6,
	KC_VERB_VERSION = 7,
};

enum kc_color {
	KC_COLOR_AUTO = 0,
	KC_COLOR_ALWAYS = 1,
	KC_COLOR_NEVER = 2,
};

/* How a plan is printed. */
enum kc_plan_format {
	KC_PLAN_TEXT = 0,
	KC_PLAN_JSON = 1,
	KC_PLAN_ANSIBLE = 2,
};

/* Texts of an option that may be given several times; NULL-terminated. */
struct kc_list {
	const char **item;
	size_t n;
};

struct kc_options {
	enum kc_verb verb;
	struct kc_list profiles, var_files, vars, sets;
	struct kc_list rules, skips, stages, tags;
	struct kc_list reports, plugin_dirs;
	struct kc_list words; /* what follows the verb */
	char *const *command; /* behind "--", up to its NULL: to be run behind the gate; or NULL */
	const char *root; /* NULL: the host itself */
	bool live, strict, quiet, verbose, effective;
	/* of a repair */
	bool fix, dry_run, yes, allow_weaken, drained, resume;
	bool force, list; /* of rollback */
	const char *forget; /* id of a transaction, or NULL */
	enum kc_plan_format format;
	bool has_format;
	uint32_t horizons;
	enum kc_color color;
	enum kc_sandbox_policy sandbox;
	uint64_t timeout_usec, deadline_usec;
	uint32_t jobs;
};

/* -EINVAL for a command line that is none, with a sentence and the nearest option where there is
 * one. */
int kc_options_parse(int argc, char **argv, struct kc_err *err, struct kc_options *ret_options);
void kc_options_done(struct kc_options *options);

/* The text of --help. */
const char *kc_options_help(void);

/* All option names ("--profile", …), NULL-terminated: for the test that holds the manual to them.
 */
extern const char *const kc_option_names[];
