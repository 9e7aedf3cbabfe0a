/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"
#include "base/str.h"
#include "model/mask.h"

enum {
	STEPS_MAX = 4096 /* of one rule */
};

static const uint32_t horizon_of[KC_J_MAX] = { [KC_J_NOW] = KC_NOW, [KC_J_BOOT] = KC_BOOT };

int kc_judge_init(struct kc_judge *j, const struct kc_run_config *config, struct kc_arena *arena)
{
	uint32_t n = config->profile->n_rules;

	*j = (struct kc_judge){ .config = config, .arena = arena };
	j->results = kc_arena_zalloc(arena, (size_t)n + 1, sizeof(*j->results));
	j->settled = calloc((size_t)n + 1, sizeof(*j->settled));
	if (config->planning)
		j->steps = kc_arena_zalloc(arena, (size_t)n + 1, sizeof(*j->steps));
	if (!j->results || !j->settled || (config->planning && !j->steps)) {
		kc_judge_done(j);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < n; i++) {
		const struct kc_rule *rule = config->profile->rules + i;

		j->settled[i] = !rule->selected;
		if (!rule->selected)
			continue;
		j->results[i].rule = rule;
		j->n_open++;
	}
	return 0;
}

/* Findings of rules that were never settled are still outside the arena. */
static void forget(struct kc_result *result)
{
	for (unsigned k = 0; k < KC_J_MAX; k++) {
		free(result->judgements[k].findings);
		result->judgements[k] = (struct kc_judgement){ 0 };
	}
}

void kc_judge_done(struct kc_judge *j)
{
	for (uint32_t i = 0; j->results && j->settled && i < j->config->profile->n_rules; i++) {
		if (!j->settled[i])
			forget(j->results + i);
	}
	free(j->settled);
	j->settled = NULL;
}

const char *kc_judge_text(struct kc_judge *j, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf masked = { 0 };
	size_t n;
	char *copy;

	if (!text)
		return NULL;
	n = strlen(text);
	if (kc_mask_needed(text, n)) {
		(void)kc_mask(&masked, text, n);
		copy = kc_buf_error(&masked) < 0
			       ? NULL
			       : kc_arena_memdup(j->arena, masked.data, masked.len);
	} else {
		copy = kc_arena_memdup(j->arena, text, n);
	}
	if (!copy)
		j->failed = true;
	return copy ? copy : "(out of memory)";
}

static void add(struct kc_judge *j, struct kc_judgement *judgement,
		const struct kc_result_finding *finding)
{
	uint32_t n = judgement->n_findings;
	struct kc_result_finding *grown = judgement->findings;

	if ((n & (n - 1)) == 0)
		grown = realloc(judgement->findings,
				(n ? (size_t)n * 2 : 1) * sizeof(*judgement->findings));
	if (!grown) {
		j->failed = true;
		return;
	}
	judgement->findings = grown;
	grown[judgement->n_findings++] = *finding;
}

void kc_judge_finding(struct kc_judge *j, uint32_t rule, const struct kc_finding *finding)
{
	unsigned k = finding->horizon == KC_NOW ? KC_J_NOW : KC_J_BOOT;
	struct kc_result_finding own;

	if (j->settled[rule])
		return;
	own = (struct kc_result_finding){
		.verdict = finding->verdict,
		.subject = kc_judge_text(j, finding->subject),
		.expected = kc_judge_text(j, finding->expected),
		.found = kc_judge_text(j, finding->found),
		.source = kc_judge_text(j, finding->source),
		.message = kc_judge_text(j, finding->message),
		.reason = kc_judge_text(j, finding->reason),
	};
	/* A reason's id says little to a reader of JSON; its sentence stands in the manifest. */
	if (!own.message && own.reason)
		own.message = kc_manifest_reason(j->results[rule].rule->check, own.reason);
	add(j, j->results[rule].judgements + k, &own);
}

static int copy_step(struct kc_judge *j, const struct kc_step *from, struct kc_step *to)
{
	*to = *from;
	to->target = from->target ? kc_arena_strdup(j->arena, from->target) : NULL;
	to->why = kc_judge_text(j, from->why);
	if (from->content)
		to->content = kc_arena_memdup(j->arena, from->content, from->content_size);
	if (from->before)
		to->before = kc_arena_memdup(j->arena, from->before, from->before_size);
	return (from->target && !to->target) || (from->content && !to->content) ||
			       (from->before && !to->before)
		       ? -ENOMEM
		       : 0;
}

int kc_judge_step(struct kc_judge *j, uint32_t rule, const struct kc_step *step)
{
	struct kc_rule_steps *steps = j->steps + rule;
	void *grown;

	if (j->settled[rule])
		return 0;
	if (steps->n >= STEPS_MAX)
		return -E2BIG;
	grown = kc_arena_grow(j->arena, steps->items, steps->n, &steps->room,
			      sizeof(*steps->items));
	if (!grown || copy_step(j, step, (struct kc_step *)grown + steps->n) < 0) {
		j->failed = true;
		return 0;
	}
	steps->items = grown;
	steps->n++;
	return 0;
}

/* A plan that broke off is none: half a repair is worse than none at all. */
static void settle_steps(struct kc_judge *j, uint32_t rule, int code, const char *why)
{
	struct kc_rule_steps *steps = j->steps + rule;

	if (code >= 0)
		return;
	*steps = (struct kc_rule_steps){
		.fault = kc_judge_text(j, why && *why ? why : kc_strerror(code)),
	};
}

static void close_rule(struct kc_judge *j, uint32_t rule)
{
	struct kc_result *result = j->results + rule;

	for (unsigned k = 0; k < KC_J_MAX; k++) {
		struct kc_judgement *judgement = result->judgements + k;
		size_t size = judgement->n_findings * sizeof(*judgement->findings);
		struct kc_result_finding *own = NULL;

		if (judgement->n_findings > 0) {
			own = kc_arena_alloc(j->arena, size);
			if (own)
				memcpy(own, judgement->findings, size);
			else
				j->failed = true;
		}
		free(judgement->findings);
		judgement->findings = own;
		if (!own)
			judgement->n_findings = 0;
	}
	kc_result_conclude(result);
	j->settled[rule] = true;
	j->n_open--;
}

/* The horizons of a rule that are asked, whether or not the root has them. */
static uint32_t asked(const struct kc_judge *j, const struct kc_rule *rule)
{
	uint32_t horizons = j->config->horizons;

	if (!(rule->check->flags & KC_CHECK_NOW))
		horizons &= ~(uint32_t)KC_NOW;
	if (!(rule->check->flags & KC_CHECK_BOOT))
		horizons &= ~(uint32_t)KC_BOOT;
	return horizons;
}

static void say(struct kc_judge *j, uint32_t rule, uint32_t horizons, uint32_t verdict,
		const char *reason, const char *message)
{
	const struct kc_result_finding finding = {
		.verdict = verdict,
		.message = kc_judge_text(j, message),
		.reason = reason,
	};

	for (unsigned k = 0; k < KC_J_MAX; k++) {
		if (horizons & horizon_of[k])
			add(j, j->results[rule].judgements + k, &finding);
	}
}

void kc_judge_settle(struct kc_judge *j, uint32_t rule, int code, const char *why,
		     uint64_t duration_usec)
{
	struct kc_result *result = j->results + rule;
	uint32_t horizons = kc_config_horizons(j->config, result->rule), silent = 0;

	if (j->settled[rule])
		return;
	for (unsigned k = 0; k < KC_J_MAX; k++) {
		if ((horizons & horizon_of[k]) && result->judgements[k].n_findings == 0)
			silent |= horizon_of[k];
	}
	if (j->steps)
		settle_steps(j, rule, code, why);
	else if (silent)
		say(j, rule, silent, KC_ERROR, NULL,
		    code < 0 ? (why && *why ? why : kc_strerror(code))
			     : "the check ended without a verdict");
	if (asked(j, result->rule) & ~horizons)
		say(j, rule, asked(j, result->rule) & ~horizons, KC_SKIP, "offline",
		    j->config->offline_reason);
	result->duration_usec = duration_usec;
	close_rule(j, rule);
}

void kc_judge_again(struct kc_judge *j, uint32_t rule)
{
	if (j->settled[rule])
		return;
	forget(j->results + rule);
	if (j->steps)
		j->steps[rule] = (struct kc_rule_steps){ 0 };
}

void kc_judge_error(struct kc_judge *j, uint32_t rule, const char *message)
{
	if (j->settled[rule])
		return;
	forget(j->results + rule);
	if (!j->steps)
		say(j, rule, kc_config_horizons(j->config, j->results[rule].rule), KC_ERROR, NULL,
		    message);
	kc_judge_settle(j, rule, j->steps ? -EIO : 0, message, 0);
}

/* Rules that the profile's variables exclude, whatever the host is. */
static void settle_excluded(struct kc_judge *j)
{
	for (uint32_t i = 0; i < j->config->profile->n_rules; i++) {
		const struct kc_rule *rule = j->config->profile->rules + i;
		const char *text = NULL;

		if (j->settled[i] || asked(j, rule) == 0 ||
		    !kc_rule_excluded(rule, j->arena, &text))
			continue;
		say(j, i, asked(j, rule), KC_SKIP, "condition", text);
		close_rule(j, i);
	}
}

void kc_judge_scope(struct kc_judge *j)
{
	settle_excluded(j);
	for (uint32_t i = 0; i < j->config->profile->n_rules; i++) {
		const struct kc_rule *rule = j->config->profile->rules + i;

		if (j->settled[i] || kc_config_horizons(j->config, rule) != 0)
			continue;
		if (asked(j, rule) == 0)
			say(j, i, j->config->horizons, KC_SKIP, "horizon",
			    "this check judges no horizon that was asked for");
		kc_judge_settle(j, i, 0, NULL, 0);
	}
}

void kc_judge_conditions(struct kc_judge *j, const struct kc_fact_value *facts, uint32_t n_facts)
{
	for (uint32_t i = 0; i < j->config->profile->n_rules; i++) {
		const struct kc_rule *rule = j->config->profile->rules + i;
		const char *text = NULL;
		int r;

		if (j->settled[i] || rule->n_when == 0)
			continue;
		r = kc_rule_applies(rule, facts, n_facts, j->arena, &text);
		if (r > 0)
			continue;
		if (r < 0) {
			say(j, i, kc_config_horizons(j->config, rule), KC_ERROR, NULL, text);
			kc_judge_settle(j, i, 0, NULL, 0);
		} else {
			say(j, i, asked(j, rule), KC_SKIP, "condition", text);
			close_rule(j, i);
		}
	}
}
