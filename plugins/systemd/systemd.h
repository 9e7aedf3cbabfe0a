/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"
#include "formats/unit.h"

/* A rule's parameters. */
struct unit_rule {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *unit; /* with its type */
	const char *enabled; /* "any", "enabled", "disabled", "masked", "not-masked" */
	const char *active; /* "any", "active", "inactive", "not-failed" */
	const char *missing; /* "fail", "skip", "pass" */
	const char *invalid_name; /* what the rule has instead of a unit's name; else NULL */
};

/* Most memory of the readers of unit files, for one rule. */
enum {
	UNIT_MEMORY_MAX = 64 << 20
};

/* What came of one horizon; texts in the run's memory. */
struct unit_judgement {
	uint32_t verdict; /* enum kc_verdict */
	const char *expected, *found, *source, *message;
	const char *reason; /* with KC_SKIP */
	struct kc_unit_enabled state; /* of the boot horizon; state 0 when it was not looked up */
	const char *started_by; /* boot: the link or setting by which default.target leads to it,
				   or NULL */
	bool missing; /* it is not installed */
	bool masked; /* now: nothing can start it */
};

/* Judge one horizon; an error of the host is a verdict, too. */
void unit_judge_now(const struct unit_rule *rule, struct unit_judgement *ret_judgement);
void unit_judge_boot(const struct unit_rule *rule, struct unit_judgement *ret_judgement);

/* A unit that is not installed: met is whether that is what the rule asks for. */
void unit_judge_missing(const struct unit_rule *rule, bool met, struct unit_judgement *judgement);

/* Reads the parameters. */
int unit_rule_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		   struct unit_rule *ret_rule);
