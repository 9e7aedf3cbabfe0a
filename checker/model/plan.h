/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "report.h"

/*
 * A repair as it is shown and reported: plain values. The fixer says what each step would change,
 * and later what became of it; nothing here looks at the host.
 */

/* What is to become, or has become, of a step. */
enum kc_step_state {
	KC_STATE_NEEDED = 1, /* it is to be carried out */
	KC_STATE_ALREADY = 2, /* it is so already: there is nothing to do */
	KC_STATE_BY_HAND = 3, /* commands for a person */
	KC_STATE_HELD = 4, /* not without an option, which `text` names */
	KC_STATE_REFUSED = 5, /* it cannot be done here, for the reason in `text` */
	KC_STATE_DONE = 6,
	KC_STATE_FAILED = 7, /* for the reason in `text`; it changed nothing, or was taken back */
	KC_STATE_TAKEN_BACK = 8, /* it was done, and a later step failed */
	KC_STATE_STUCK = 9, /* it could not be taken back, for the reason in `text` */
	KC_STATE_NOT_BEGUN = 10,
	KC_STATE_MAX = 11,
};

/* A file, folder or link as it is before and as it will be behind a change. */
struct kc_plan_node {
	uint32_t type; /* enum kc_file_type; 0: it is not there */
	uint32_t mode, uid, gid;
	const char *text; /* content of a file, text of a link; NULL where it is not to be shown */
	size_t size; /* of the content */
	const char *sha256; /* of the content, in hexadecimal; NULL: not known, or secret */
};

/*
 * One place that a step changes. Most steps have one; to enable a unit makes several links.
 * `secret`: others than its owner may not read it, so that no content is shown.
 */
struct kc_plan_change {
	const char *path;
	struct kc_plan_node before, after;
	bool secret;
};

struct kc_plan_step {
	uint32_t kind; /* enum kc_step_kind */
	uint32_t flags; /* KC_STEP_WEAKENS, … */
	uint32_t horizon; /* KC_NOW or KC_BOOT: which judgement it mends */
	uint32_t state; /* enum kc_step_state */
	const char *target; /* path, key, module, device, unit or zone; NULL where the kind has none
			     */
	const char *content; /* of runtime steps: mode, zone, port; commands of a step by hand;
				else NULL */
	const char *why; /* the plugin's sentence; may be NULL */
	const char *text; /* the fixer's sentence about the state; may be NULL */
	const char *inverse; /* how it is taken back ("is removed again"); NULL: it has none */
	/* Of what runs: the value before and after; NULL where there is none to be shown. */
	const char *value_before, *value_after;
	const struct kc_plan_change *changes;
	uint32_t n_changes;
};

struct kc_plan_rule {
	const struct kc_rule *rule;
	const struct kc_plan_step *steps;
	uint32_t n_steps;
	const char *text; /* why nothing of it is carried out: a sentence; else NULL */
};

struct kc_plan {
	const char *profile; /* name */
	const char *root; /* "/" or what --root named */
	const char *hash; /* SHA-256 of what would be carried out, in hexadecimal */
	const char *transaction; /* id; NULL while nothing was carried out */
	const char *refusal; /* why nothing at all can be repaired here; NULL */
	const struct kc_plan_rule *rules; /* those that failed, in the profile's order */
	uint32_t n_rules;
};

/* "write-file", "sysctl", … as plans and journals have them; NULL for a kind that there is not. */
const char *kc_step_kind_name(uint32_t kind);
extern const char *const kc_step_kind_names[];

/* "needed", "done", …; NULL for a state that there is not. */
const char *kc_step_state_name(uint32_t state);
extern const char *const kc_step_state_names[];

/* Steps in the state. */
uint32_t kc_plan_count(const struct kc_plan *plan, uint32_t state);

/* Whether a step that is to be carried out needs a restart of a unit, or of the machine. */
bool kc_plan_step_restarts(const struct kc_plan_step *step);

/*
 * Whether one step does what the other is to do, as two rules may want the same. A restart is a
 * start, too. Mode and owner count for files and folders alone: nothing else has any.
 */
bool kc_step_same(const struct kc_step *does, const struct kc_step *wanted);

/*
 * What a format says about a plan. Writes to the stream alone. 0, or negative errno with a
 * sentence.
 */
typedef int kc_plan_writer(const struct kc_plan *plan, const struct kc_report_style *style,
			   FILE *out, struct kc_err *err);
