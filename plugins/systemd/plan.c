/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd-descriptor.h"
#include "systemd.h"

/* What stands between a host and those who mean it ill; to take it away weakens the host. */
static const char *const guards[] = {
	"apparmor.service",  "auditd.service",	  "fail2ban.service",
	"firewalld.service", "ip6tables.service", "iptables.service",
	"nftables.service",  "ufw.service",	  NULL,
};

static int by_hand(const struct unit_rule *rule, uint32_t horizon, const char *commands,
		   const char *why)
{
	return kc_plan_by_hand(rule->host, rule->run, horizon, commands, why);
}

#define unit_text(rule, ...) kc_text((rule)->host, (rule)->run, __VA_ARGS__)

static const char *verb_of(uint32_t kind)
{
	return kind == KC_STEP_UNIT_ENABLE    ? "enable"
	       : kind == KC_STEP_UNIT_DISABLE ? "disable"
	       : kind == KC_STEP_UNIT_MASK    ? "mask"
	       : kind == KC_STEP_UNIT_START   ? "start"
					      : "stop";
}

static int step(const struct unit_rule *rule, uint32_t kind, uint32_t flags, uint32_t horizon,
		const char *unit, const char *why)
{
	bool takes = kind == KC_STEP_UNIT_DISABLE || kind == KC_STEP_UNIT_MASK ||
		     kind == KC_STEP_UNIT_STOP;
	const struct kc_step s = {
		.size = sizeof(s),
		.kind = kind,
		.flags = flags | (takes && kc_strv_has(guards, unit) ? KC_STEP_WEAKENS : 0),
		.horizon = horizon,
		.target = unit,
		.why = why,
	};

	/* What a rule names may be touched, and not what that is another name of. */
	if (!kc_streq(unit, rule->unit))
		return by_hand(rule, horizon,
			       unit_text(rule, "systemctl %s '%s'\n", verb_of(kind), unit),
			       unit_text(rule, "%s is another name of %s.", rule->unit, unit));
	return kc_step(rule->host, rule->run, &s);
}

/* The mask is a link in that folder, where the unit's own file may lie. */
static int plan_mask(const struct unit_rule *rule, const char *unit, const char *why)
{
	const char *path = unit_text(rule, "/etc/systemd/system/%s", unit);
	struct kc_stat st = { .size_of = sizeof(st) };

	if (kc_stat(rule->host, rule->run, path, KC_NOFOLLOW, &st) == 0 &&
	    st.type == KC_FILE_REGULAR && st.size > 0)
		return by_hand(
			rule, KC_BOOT,
			unit_text(rule, "mv '%s' /root/ && systemctl mask '%s'\n", path, unit),
			"Its file lies where a mask would.");
	return step(rule, KC_STEP_UNIT_MASK, 0, KC_BOOT, unit, why);
}

static int plan_missing(const struct unit_rule *rule, uint32_t horizon)
{
	return by_hand(rule, horizon,
		       unit_text(rule,
				 "# Install the package that brings %s; its name is said by:\n"
				 "dnf provides '*/systemd/system/%s' || "
				 "apt-file search systemd/system/%s\n",
				 rule->unit, rule->unit, rule->unit),
		       "No step installs packages.");
}

static int plan_enabled(const struct unit_rule *rule, const struct unit_judgement *j)
{
	const char *unit = j->state.unit;

	switch (j->state.state) {
	case KC_UNIT_DISABLED:
	case KC_UNIT_LINKED:
	case KC_UNIT_ALIAS:
		return step(rule, KC_STEP_UNIT_ENABLE, 0, KC_BOOT, unit,
			    "The next start brings up what is enabled.");
	case KC_UNIT_MASKED:
		return by_hand(rule, KC_BOOT,
			       unit_text(rule, "systemctl unmask '%s' && systemctl enable '%s'\n",
					 unit, unit),
			       "Somebody masked it on purpose; whether that still holds is for a "
			       "person to say.");
	case KC_UNIT_ENABLED:
		return by_hand(rule, KC_BOOT, "systemctl set-default multi-user.target\n",
			       "default.target does not lead to what wants it.");
	case KC_UNIT_STATIC:
		return by_hand(
			rule, KC_BOOT,
			unit_text(rule, "systemctl add-wants multi-user.target '%s'\n", unit),
			"It has no [Install] section, so that it cannot be enabled.");
	default:
		return by_hand(
			rule, KC_BOOT,
			unit_text(rule, "systemctl cat '%s'\nsystemctl enable '%s'\n", unit, unit),
			unit_text(rule,
				  "It is %s, of which nothing can be made that is sure "
				  "to start it.",
				  kc_unit_enablement_name(j->state.state)));
	}
}

static int plan_disabled(const struct unit_rule *rule, const struct unit_judgement *j)
{
	/* What [Install] made is taken away; what a package or another unit wants stays. */
	bool wanted = j->started_by && !kc_after_prefix(j->started_by, "/etc/systemd/system/") &&
		      !kc_after_prefix(j->started_by, "/etc/rc");

	if (!wanted && (j->state.state == KC_UNIT_ENABLED || j->state.state == KC_UNIT_GENERATED))
		return step(rule, KC_STEP_UNIT_DISABLE, 0, KC_BOOT, j->state.unit,
			    "The next start leaves out what is disabled.");
	return plan_mask(
		rule, j->state.unit,
		"Other units want it, whatever its own state: only a mask keeps it from starting.");
}

static int plan_boot(const struct unit_rule *rule, bool *ret_missing)
{
	struct unit_judgement j;

	unit_judge_boot(rule, &j);
	if (j.verdict != KC_FAIL || (!j.missing && !j.state.unit))
		return 0;
	*ret_missing = j.missing;
	if (j.missing && kc_streq(rule->enabled, "masked"))
		return plan_mask(rule, rule->unit, "Nothing can start what is masked.");
	if (j.missing)
		return plan_missing(rule, KC_BOOT);
	if (kc_streq(rule->enabled, "enabled"))
		return plan_enabled(rule, &j);
	if (kc_streq(rule->enabled, "disabled"))
		return plan_disabled(rule, &j);
	if (kc_streq(rule->enabled, "masked"))
		return plan_mask(rule, j.state.unit, "Nothing can start what is masked.");
	return by_hand(rule, KC_BOOT, unit_text(rule, "systemctl unmask '%s'\n", j.state.unit),
		       "Somebody masked it on purpose; whether that still holds is for a person to "
		       "say.");
}

static int plan_now(const struct unit_rule *rule, bool missing)
{
	struct unit_judgement j;

	unit_judge_now(rule, &j);
	if (j.verdict != KC_FAIL)
		return 0;
	if (j.missing)
		return missing ? 0 : plan_missing(rule, KC_NOW);
	if (kc_streq(rule->active, "active") && j.masked)
		return by_hand(rule, KC_NOW,
			       unit_text(rule, "systemctl unmask '%s' && systemctl start '%s'\n",
					 rule->unit, rule->unit),
			       "Nothing can start what is masked.");
	if (kc_streq(rule->active, "active"))
		return step(rule, KC_STEP_UNIT_START, 0, KC_NOW, rule->unit, "It does not run.");
	if (kc_streq(rule->active, "inactive"))
		return step(rule, KC_STEP_UNIT_STOP, KC_STEP_DISTURBS, KC_NOW, rule->unit,
			    "It runs.");
	return by_hand(rule, KC_NOW,
		       unit_text(rule, "journalctl -u '%s'\nsystemctl restart '%s'\n", rule->unit,
				 rule->unit),
		       "A unit that failed fails again until its cause is mended.");
}

int systemd_unit_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = UNIT_MEMORY_MAX };
	uint32_t horizons = kc_horizons(host, run);
	struct unit_rule rule;
	bool missing = false;
	int r;

	r = unit_rule_read(host, run, &arena, &rule);
	if (!r && !rule.invalid_name && (horizons & KC_BOOT) && !kc_streq(rule.enabled, "any"))
		r = plan_boot(&rule, &missing);
	if (!r && !rule.invalid_name && (horizons & KC_NOW) && !kc_streq(rule.active, "any"))
		r = plan_now(&rule, missing);
	return r;
}
