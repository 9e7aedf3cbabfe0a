/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd-descriptor.h"
#include "systemd.h"

int unit_rule_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		   struct unit_rule *ret_rule)
{
	struct unit_rule rule = { .host = host, .run = run, .arena = arena };
	const char *name;
	int r;

	r = kc_param_string(host, run, "unit", &name);
	if (!r)
		r = kc_param_string(host, run, "enabled", &rule.enabled);
	if (!r)
		r = kc_param_string(host, run, "active", &rule.active);
	if (!r)
		r = kc_param_string(host, run, "missing", &rule.missing);
	if (r)
		return r;
	rule.unit = kc_unit_name_complete(arena, name);
	if (!rule.unit) {
		rule.unit = name;
		rule.invalid_name = name;
	}
	*ret_rule = rule;
	return 0;
}

void unit_judge_missing(const struct unit_rule *rule, bool met, struct unit_judgement *judgement)
{
	judgement->missing = true;
	judgement->found = "not installed";
	if (kc_streq(rule->missing, "skip")) {
		judgement->verdict = KC_SKIP;
		judgement->reason = "not-installed";
		judgement->message =
			kc_text(rule->host, rule->run, "There is no unit %s.", rule->unit);
		return;
	}
	judgement->verdict = met || kc_streq(rule->missing, "pass") ? KC_PASS : KC_FAIL;
	if (judgement->verdict == KC_FAIL)
		judgement->message =
			kc_text(rule->host, rule->run,
				"There is no unit %s: is its package installed?", rule->unit);
}

static int report(const struct unit_rule *rule, uint32_t horizon, const struct unit_judgement *j)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = j->verdict,
		.horizon = horizon,
		.subject = rule->unit,
		.expected = j->expected,
		.found = j->found,
		.source = j->source,
		.message = j->message,
		.reason = j->reason,
	};

	return kc_finding(rule->host, rule->run, &finding);
}

/* A finding about the rule itself, at every horizon that is judged. */
static int report_rule(const struct unit_rule *rule, uint32_t horizons, const char *message)
{
	const struct unit_judgement j = { .verdict = KC_ERROR, .message = message };
	int r = 0;

	if (horizons & KC_NOW)
		r = report(rule, KC_NOW, &j);
	if (!r && (horizons & KC_BOOT))
		r = report(rule, KC_BOOT, &j);
	return r;
}

static int report_horizon(const struct unit_rule *rule, uint32_t horizon, const char *parameter,
			  const char *wanted,
			  void (*judge)(const struct unit_rule *, struct unit_judgement *))
{
	struct unit_judgement j;

	if (kc_streq(wanted, "any"))
		return kc_report_skip(rule->host, rule->run, horizon, rule->unit, "not-asked",
				      kc_text(rule->host, rule->run,
					      "The rule asks nothing of it (%s: any).", parameter));
	judge(rule, &j);
	return report(rule, horizon, &j);
}

static int judge_rule(const struct unit_rule *rule)
{
	uint32_t horizons = kc_horizons(rule->host, rule->run);
	int r = 0;

	if (rule->invalid_name)
		return report_rule(rule, horizons,
				   kc_text(rule->host, rule->run,
					   "\"%s\" is not the name of a unit.",
					   rule->invalid_name));
	if (kc_streq(rule->enabled, "any") && kc_streq(rule->active, "any"))
		return report_rule(rule, horizons,
				   "The rule asks for nothing: give it \"enabled\" or \"active\".");
	/* From files while the bus gets ready. */
	if (horizons & KC_BOOT)
		r = report_horizon(rule, KC_BOOT, "enabled", rule->enabled, unit_judge_boot);
	if (!r && (horizons & KC_NOW))
		r = report_horizon(rule, KC_NOW, "active", rule->active, unit_judge_now);
	return r;
}

int systemd_unit_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = UNIT_MEMORY_MAX };
	struct unit_rule rule;
	int r;

	r = unit_rule_read(host, run, &arena, &rule);
	return r ? r : judge_rule(&rule);
}
