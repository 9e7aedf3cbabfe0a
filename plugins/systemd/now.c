/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd.h"

static const char *property(const struct kc_pairs *properties, const char *name)
{
	for (size_t i = 0; i < properties->n; i++)
		if (kc_streq(properties->item[i].key, name))
			return properties->item[i].value;
	return "";
}

/* "active (running)", "failed (failed, exit-code)", "inactive". */
static const char *describe(const struct unit_rule *rule, const struct kc_pairs *properties)
{
	const char *active = property(properties, "ActiveState");
	const char *sub = property(properties, "SubState");
	const char *result = property(properties, "Result");
	bool odd = *result && !kc_streq(result, "success");

	if (!*sub || (kc_streq(active, "inactive") && !odd))
		return active;
	return kc_text(rule->host, rule->run, "%s (%s%s%s)", active, sub, odd ? ", " : "",
		       odd ? result : "");
}

/* Whether the state is what the rule asks for. */
static bool is_met(const char *wanted, const char *active)
{
	if (kc_streq(wanted, "active"))
		return kc_streq(active, "active") || kc_streq(active, "reloading") ||
		       kc_streq(active, "refreshing");
	if (kc_streq(wanted, "inactive"))
		return kc_streq(active, "inactive") || kc_streq(active, "failed");
	return !kc_streq(active, "failed");
}

/* Why it is in that state, as far as systemd's answer shows it. */
static const char *explain(const struct unit_rule *rule, const struct kc_pairs *properties,
			   bool met)
{
	const char *load = property(properties, "LoadState");
	const char *active = property(properties, "ActiveState");

	if (met && kc_streq(rule->active, "inactive") && kc_streq(active, "failed"))
		return "It failed, and nothing of it runs.";
	if (met)
		return NULL;
	if (kc_streq(load, "masked"))
		return kc_streq(property(properties, "UnitFileState"), "masked-runtime")
			       ? "It is masked until the next boot: nothing can start it."
			       : "It is masked: nothing can start it.";
	if (kc_streq(load, "bad-setting") || kc_streq(load, "error"))
		return kc_text(rule->host, rule->run,
			       "systemd cannot load its file %s: systemctl status %s says why.",
			       property(properties, "FragmentPath"), rule->unit);
	if (kc_streq(active, "failed"))
		return kc_text(rule->host, rule->run, "journalctl -u %s says why it failed.",
			       rule->unit);
	if (kc_streq(property(properties, "SubState"), "auto-restart"))
		return kc_text(
			rule->host, rule->run,
			"It ends and is restarted, over and over: journalctl -u %s says why.",
			rule->unit);
	return NULL;
}

/* Adds that systemd's view is older than the files. */
static const char *add_reload(const struct unit_rule *rule, const struct kc_pairs *properties,
			      const char *message)
{
	static const char reload[] = "systemd has not read its changed files yet "
				     "(systemctl daemon-reload).";

	if (!kc_streq(property(properties, "NeedDaemonReload"), "yes"))
		return message;
	return message ? kc_text(rule->host, rule->run, "%s %s", message, reload) : reload;
}

void unit_judge_now(const struct unit_rule *rule, struct unit_judgement *ret_judgement)
{
	struct unit_judgement j = { 0 };
	struct kc_pairs properties;
	const char *active;
	bool met;
	int r;

	j.source = kc_text(rule->host, rule->run, "systemd: %s ActiveState", rule->unit);
	j.expected = kc_streq(rule->active, "not-failed") ? "not failed" : rule->active;
	r = kc_unit(rule->host, rule->run, rule->unit, &properties);
	if (r) {
		j.verdict = KC_ERROR;
		j.message = kc_text(rule->host, rule->run, "%s", kc_why(rule->host, rule->run));
		*ret_judgement = j;
		return;
	}
	active = property(&properties, "ActiveState");
	if (!*active) {
		j.verdict = KC_ERROR;
		j.message = "systemd's answer does not say whether the unit is active.";
		*ret_judgement = j;
		return;
	}
	if (kc_streq(property(&properties, "LoadState"), "not-found") &&
	    kc_streq(active, "inactive")) {
		unit_judge_missing(rule, kc_streq(rule->active, "inactive"), &j);
		*ret_judgement = j;
		return;
	}
	met = is_met(rule->active, active);
	j.verdict = met ? KC_PASS : KC_FAIL;
	j.masked = kc_streq(property(&properties, "LoadState"), "masked");
	j.found = describe(rule, &properties);
	j.message = add_reload(rule, &properties, explain(rule, &properties, met));
	*ret_judgement = j;
}
