/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "check.h"
#include "fix-message.h"
#include "fix-process.h"

/* A repair on its way: what cmd-fix.c carries out, and fix-merge.c and fix-consent.c have a part
 * in. */
struct kc_fixing {
	struct kc_check_run *check;
	struct kc_outcome *outcome; /* of the first time */
	bool *selected; /* of the profile's rules, at first */
	struct kc_fix_rule *rules; /* to be repaired; steps as they go to the fixer, merged */
	struct kc_fix_rule *planned; /* the same, as each check planned its own */
	bool *asked; /* of each of them: it was asked for, and need not be again */
	uint32_t n_rules;
	struct kc_fix_process fixer;
	struct kc_plan plan;
	bool weaken; /* agreed to */
	struct kc_fix_outcome done;
};

/* Those with a fault are shown, and have no part in what is done. */
bool kc_fixing_takes_part(const struct kc_fix_rule *rule);

/*
 * The steps as the fixer gets them, made of `planned` each time: where several rules write one
 * file, each gets the text of all, and the marks of all, since none of it could be left out then.
 * What cannot be merged keeps its own, and is refused by the fixer, by name. -ENOMEM.
 */
int kc_fixing_merge(struct kc_fixing *f, struct kc_err *err);

/* Makes the plan anew of the rules that take part. cmd-fix.c; -errno, with a sentence. */
int kc_fixing_plan(struct kc_fixing *f, struct kc_err *err);

/* Shows the plan as it stands, before it is asked for. 0, or an exit code. */
int kc_fixing_show(struct kc_fixing *f);

/*
 * Asks for the plan, and what weakens the host apart, as the options have it. Where something is
 * left out, what remains is planned, shown and asked for again. 1: carry it out; 0: there is
 * nothing to do; else an exit code.
 */
int kc_fixing_agree(struct kc_fixing *f, struct kc_err *err);

/* Another rule's step does it for this one. */
bool kc_fixing_is_served(const struct kc_plan_step *step);
