/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd-descriptor.h"
#include "systemd.h"

static int step(const struct unit_rule *rule, uint32_t kind, uint32_t flags, uint32_t horizon,
		const char *unit, const char *why)
{
	const struct kc_step s = {
		.size = sizeof(s),
		.kind = kind,
		.flags = flags,
		.horizon = horizon,
		.target = unit,
		.why = why,
	};

	return kc_step(rule->host, rule->run, &s);
}

static int by_hand(const struct unit_rule *rule, uint32_t horizon, const char *commands,
		   const char *why)
{
	const struct kc_step s = {
		.size = sizeof(s),
		.kind = KC_STEP_MANUAL,
		.horizon = horizon,
		.content = commands,
		.content_size = strlen(commands),
		.why = why,
	};

	return kc_step(rule->host, rule->run, &s);
}

static int plan_enabled(const struct unit_rule *rule, const struct unit_judgement *j)
{
	const char *unit = j->state.unit;

	switch (j->state.state) {
	case KC_UNIT_DISABLED:
	case KC_UNIT_LINKED:
		return step(rule, KC_STEP_UNIT_ENABLE, 0, KC_BOOT, unit,
			    "The next start brings up what is enabled.");
	case KC_UNIT_MASKED:
		return by_hand(rule, KC_BOOT,
			       kc_text(rule->host, rule->run,
				       "systemctl unmask %s && systemctl enable %s\n", unit, unit),
			       "Somebody masked it on purpose; whether that still holds is for a "
			       "person to say.");
	case KC_UNIT_ENABLED:
		return by_hand(rule, KC_BOOT, "systemctl set-default multi-user.target\n",
			       "default.target does not lead to what wants it.");
	case KC_UNIT_STATIC:
		return by_hand(rule, KC_BOOT,
			       kc_text(rule->host, rule->run,
				       "systemctl add-wants multi-user.target %s\n", unit),
			       "It has no [Install] section, so that it cannot be enabled.");
	default:
		return 0;
	}
}

static int plan_disabled(const struct unit_rule *rule, const struct unit_judgement *j)
{
	if (j->state.state == KC_UNIT_ENABLED || j->state.state == KC_UNIT_GENERATED)
		return step(rule, KC_STEP_UNIT_DISABLE, 0, KC_BOOT, j->state.unit,
			    "The next start leaves out what is disabled.");
	return step(
		rule, KC_STEP_UNIT_MASK, 0, KC_BOOT, j->state.unit,
		"Other units want it, whatever its own state: only a mask keeps it from starting.");
}

static int plan_boot(const struct unit_rule *rule)
{
	struct unit_judgement j;

	unit_judge_boot(rule, &j);
	if (j.verdict != KC_FAIL || !j.state.unit || j.state.state == KC_UNIT_NOT_FOUND)
		return 0;
	if (kc_streq(rule->enabled, "enabled"))
		return plan_enabled(rule, &j);
	if (kc_streq(rule->enabled, "disabled"))
		return plan_disabled(rule, &j);
	if (kc_streq(rule->enabled, "masked"))
		return step(rule, KC_STEP_UNIT_MASK, 0, KC_BOOT, j.state.unit,
			    "Nothing can start what is masked.");
	return by_hand(rule, KC_BOOT,
		       kc_text(rule->host, rule->run, "systemctl unmask %s\n", j.state.unit),
		       "Somebody masked it on purpose; whether that still holds is for a person to "
		       "say.");
}

static int plan_now(const struct unit_rule *rule)
{
	struct unit_judgement j;

	unit_judge_now(rule, &j);
	if (j.verdict != KC_FAIL || kc_streq(j.found, "not installed"))
		return 0;
	if (kc_streq(rule->active, "active"))
		return step(rule, KC_STEP_UNIT_START, 0, KC_NOW, rule->unit, "It does not run.");
	if (kc_streq(rule->active, "inactive"))
		return step(rule, KC_STEP_UNIT_STOP, KC_STEP_DISTURBS, KC_NOW, rule->unit,
			    "It runs.");
	return by_hand(rule, KC_NOW,
		       kc_text(rule->host, rule->run, "journalctl -u %s\nsystemctl restart %s\n",
			       rule->unit, rule->unit),
		       "A unit that failed fails again until its cause is mended.");
}

int systemd_unit_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = UNIT_MEMORY_MAX };
	uint32_t horizons = kc_horizons(host, run);
	struct unit_rule rule;
	int r;

	r = unit_rule_read(host, run, &arena, &rule);
	if (!r && !rule.invalid_name && (horizons & KC_BOOT) && !kc_streq(rule.enabled, "any"))
		r = plan_boot(&rule);
	if (!r && !rule.invalid_name && (horizons & KC_NOW) && !kc_streq(rule.active, "any"))
		r = plan_now(&rule);
	return r;
}
