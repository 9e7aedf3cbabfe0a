/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "layout.h"
#include "model/plan.h"

/* The lines of a plan as text that belong to a step. */

enum {
	KC_PLAN_VALUE_MAX = 2048, /* bytes of a host's value */
	KC_PLAN_STATE_WIDTH = 10, /* of the longest, "taken back" and "so already" */
	KC_PLAN_DETAIL_INDENT = 2 + KC_PLAN_STATE_WIDTH + 2,
};

struct kc_plan_lines {
	const struct kc_plan *plan;
	const struct kc_report_style *style;
	struct kc_layout layout;
	struct kc_buf raw, line; /* scratch: before and behind kc_value_add() */
	bool begun; /* a line is written */
	bool failed; /* memory was short: something is missing */
};

/* What `line` has; "" when memory was short, which fails the plan at its end. */
const char *kc_plan_lines_text(struct kc_plan_lines *t);

/* Appends `raw`, escaped, to `line`. */
void kc_plan_lines_escape(struct kc_plan_lines *t);

/* A line of `line` behind its label. */
void kc_plan_lines_row(struct kc_plan_lines *t, const char *label);

/* A line of its own, secrets masked; NULL: none. */
void kc_plan_lines_sentence(struct kc_plan_lines *t, const char *s);

/* What becomes of a file, folder or link: owner, mode, target, and a unified diff. */
void kc_plan_lines_change(struct kc_plan_lines *t, const struct kc_plan_step *step,
			  const struct kc_plan_change *change);
