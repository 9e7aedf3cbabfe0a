/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "rule.h"

/*
 * What came of a rule. Texts are the host's bytes with secrets masked, NUL-terminated; writers
 * escape them for their format. NULL where there is none.
 */
struct kc_result_finding {
	uint32_t verdict;
	const char *subject, *expected, *found, *source, *message;
	const char *reason; /* id, with KC_SKIP */
};

struct kc_judgement {
	uint32_t verdict; /* KC_VERDICT_NONE: this horizon was not asked, or is none of the check's
			   */
	struct kc_result_finding *findings;
	uint32_t n_findings;
};

enum {
	KC_J_NOW = 0,
	KC_J_BOOT = 1,
	KC_J_MAX = 2,
};

struct kc_result {
	const struct kc_rule *rule;
	uint32_t verdict; /* the worst of the judgements */
	struct kc_judgement judgements[KC_J_MAX];
	uint64_t duration_usec;
};

/* A fact as reports carry it. */
struct kc_fact_value {
	const char *name;
	uint32_t state; /* enum kc_fact_state */
	const char *value, *source;
};

/*
 * Whether the rule's conditions hold. 1: they do. 0: they do not. -ENODATA: a fact could not be
 * found out. For the last two *ret_text is a sentence, allocated in the arena.
 */
int kc_rule_applies(const struct kc_rule *rule, const struct kc_fact_value *facts, uint32_t n_facts,
		    struct kc_arena *arena, const char **ret_text);

/*
 * Whether a condition on a variable keeps the rule from applying, whatever the facts are: then 1,
 * with a sentence as above; else 0.
 */
int kc_rule_excluded(const struct kc_rule *rule, struct kc_arena *arena, const char **ret_text);

/* Whether one of its conditions is on a fact. */
bool kc_rule_awaits_facts(const struct kc_rule *rule);

/* Sets verdicts of judgements and rule from their findings. */
void kc_result_conclude(struct kc_result *result);
