/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "config.h"

/* What a rule's check has planned. */
struct kc_rule_steps {
	struct kc_step *items; /* in the arena, their texts too */
	size_t n, room;
	const char *fault; /* why there is no plan, or not all of it: a sentence; else NULL */
};

/*
 * Results from what workers say, and from what k8scheck itself knows: what does not apply, what was
 * not asked, what died. Texts are masked and copied into the arena.
 */
struct kc_judge {
	const struct kc_run_config *config;
	struct kc_arena *arena;
	struct kc_result *results; /* by index of the rule; of selected rules alone is .rule set */
	struct kc_rule_steps *steps; /* the same; NULL unless config->planning */
	bool *settled; /* by index of the rule */
	uint32_t n_open; /* selected rules that are not settled */
	bool failed; /* memory was short */
};

int kc_judge_init(struct kc_judge *j, const struct kc_run_config *config, struct kc_arena *arena);
void kc_judge_done(struct kc_judge *j);

/*
 * Settles what needs no worker: horizons that were not asked or that the root does not have, and
 * rules that the profile's variables exclude.
 */
void kc_judge_scope(struct kc_judge *j);

/* Settles the rules whose conditions do not hold, or cannot be decided. */
void kc_judge_conditions(struct kc_judge *j, const struct kc_fact_value *facts, uint32_t n_facts);

/* Takes a finding that is not final before kc_judge_settle(). */
void kc_judge_finding(struct kc_judge *j, uint32_t rule, const struct kc_finding *finding);

/* Takes a step of a plan. -E2BIG: there are more than anybody would read. */
int kc_judge_step(struct kc_judge *j, uint32_t rule, const struct kc_step *step);

/* The check has ended: code and why are what run() returned. */
void kc_judge_settle(struct kc_judge *j, uint32_t rule, int code, const char *why,
		     uint64_t duration_usec);

/* It will be run once more: forgets what it had said. */
void kc_judge_again(struct kc_judge *j, uint32_t rule);

/* It came to nothing: forgets what it had said, and makes it an error at all its horizons. */
void kc_judge_error(struct kc_judge *j, uint32_t rule, const char *message);

/* Text of a host for reports: masked, in the arena; NULL stays NULL. */
const char *kc_judge_text(struct kc_judge *j, const char *text);
