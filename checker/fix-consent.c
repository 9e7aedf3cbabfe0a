/* SPDX-License-Identifier: Apache-2.0 */
#include "fixing.h"
#include "terminal.h"

static bool has_needed(const struct kc_plan_rule *rule, uint32_t flag)
{
	for (uint32_t i = 0; i < rule->n_steps; i++) {
		if (rule->steps[i].state == KC_STATE_NEEDED &&
		    (!flag || (rule->steps[i].flags & flag)))
			return true;
	}
	return false;
}

static unsigned count_rules(const struct kc_fixing *f, uint32_t flag)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < f->plan.n_rules; i++)
		n += has_needed(f->plan.rules + i, flag);
	return n;
}

/* Another rule's step does it for this one. */
bool kc_fixing_is_served(const struct kc_plan_step *step)
{
	return step->state == KC_STATE_ALREADY && step->text;
}

/* Whether to carry the plan out changes something for this rule, by a step of its own or not. */
static bool has_part(const struct kc_plan_rule *rule)
{
	for (uint32_t i = 0; i < rule->n_steps; i++) {
		if (rule->steps[i].state == KC_STATE_NEEDED || kc_fixing_is_served(rule->steps + i))
			return true;
	}
	return false;
}

static bool is_to_be_asked(const struct kc_fixing *f, uint32_t index, uint32_t policy)
{
	const struct kc_plan_rule *rule = f->plan.rules + index;

	return !f->asked[index] && rule->rule->fix == policy && has_part(rule);
}

/*
 * Those that are to be asked for one by one, then the rest. True when something was left out; then
 * rules may take part that did not before, and were not asked for.
 */
static bool ask_for_rules(struct kc_fixing *f)
{
	unsigned automatic = 0;
	bool dropped = false, yes;

	for (uint32_t i = 0; i < f->n_rules; i++) {
		automatic += is_to_be_asked(f, i, KC_FIX_AUTO);
		if (!is_to_be_asked(f, i, KC_FIX_ASK))
			continue;
		f->asked[i] = true;
		if (!kc_terminal_ask("Repair %s?", f->rules[i].id)) {
			f->rules[i].fault = "not agreed to";
			dropped = true;
		}
	}
	if (automatic == 0)
		return dropped;
	yes = kc_terminal_ask("Carry this plan out for %u rule%s?", automatic,
			      automatic == 1 ? "" : "s");
	for (uint32_t i = 0; i < f->n_rules; i++) {
		if (!is_to_be_asked(f, i, KC_FIX_AUTO))
			continue;
		f->asked[i] = true;
		if (!yes) {
			f->rules[i].fault = "not agreed to";
			dropped = true;
		}
	}
	return dropped;
}

static void ask_for_weakening(struct kc_fixing *f)
{
	const struct kc_options *o = f->check->options;
	kc_cleanup(kc_buf_done) struct kc_buf names = { 0 };

	f->weaken = o->allow_weaken;
	if (f->weaken || o->yes || count_rules(f, KC_STEP_WEAKENS) == 0)
		return;
	for (uint32_t i = 0; i < f->plan.n_rules; i++) {
		if (has_needed(f->plan.rules + i, KC_STEP_WEAKENS))
			kc_buf_addf(&names, "%s%s", names.len ? ", " : "",
				    f->plan.rules[i].rule->id);
	}
	f->weaken =
		kc_terminal_ask("Steps of %s lower the protection of this host. Carry those out, "
				"too?",
				names.data && !names.failed ? names.data : "some rules");
}

int kc_fixing_agree(struct kc_fixing *f, struct kc_err *err)
{
	const struct kc_options *o = f->check->options;
	bool resuming = o->resume && !f->plan.refusal, smaller = false;
	int r;

	if (count_rules(f, 0) == 0 && !resuming)
		return 0;
	if (o->yes) {
		f->weaken = o->allow_weaken;
		return 1;
	}
	if (!kc_terminal_there())
		return kc_complain(
			KC_EXIT_USAGE,
			"--fix asks before it changes anything, and there is no terminal "
			"to ask at: add --yes to go on without a question, or --dry-run "
			"to see the plan alone; nothing was changed");
	while (ask_for_rules(f)) {
		/* The texts of several rules may have been merged: without these it is another
		 * plan.
		 */
		if (kc_fixing_plan(f, err) < 0)
			return kc_complain(KC_EXIT_USAGE, "%s; nothing was changed", err->text);
		if (count_rules(f, 0) == 0 && !resuming)
			return kc_complain(KC_EXIT_USAGE,
					   "nothing was agreed to, and nothing was changed");
		smaller = true;
	}
	if (smaller) {
		r = kc_fixing_show(f);
		if (r)
			return r;
		if (!kc_terminal_ask("This is left of it. Carry it out?"))
			return kc_complain(KC_EXIT_USAGE, "nothing was changed");
	}
	ask_for_weakening(f);
	return 1;
}
