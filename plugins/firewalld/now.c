/* SPDX-License-Identifier: Apache-2.0 */
#include "firewalld.h"

static int ask(const struct zone_rule *rule, const char *interface, const char *member,
	       bool property, struct kc_strings *ret_values)
{
	const struct kc_bus_question question = {
		.size = sizeof(question),
		.destination = FIREWALLD_NAME,
		.path = FIREWALLD_PATH,
		.interface = interface,
		.member = member,
		.property = property,
	};

	return kc_bus(rule->host, rule->run, &question, ret_values);
}

static const char *pair(const struct kc_pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (kc_streq(pairs->item[i].key, key))
			return pairs->item[i].value;
	return "";
}

/* One zone's "interfaces=eth0 eth1 sources=192.0.2.0/24", in whatever order. */
static int add_active(const struct zone_rule *rule, const char *zone, const char *text,
		      struct zone_bounds *bounds)
{
	struct zone_bound b = { .zone = zone, .source = FIREWALLD_NAME ".zone.getActiveZones" };
	int r = 0;

	for (const char *p = text; *p && !r; p += *p == ' ') {
		size_t n = strcspn(p, " ");
		const char *word = zone_text(rule, "%.*s", (int)n, p), *rest;

		p += n;
		rest = kc_after_prefix(word, "interfaces=");
		if (rest) {
			b.is_source = false;
		} else {
			rest = kc_after_prefix(word, "sources=");
			if (rest)
				b.is_source = true;
		}
		b.name = rest ? rest : word;
		if (*b.name)
			r = bounds_add(rule, bounds, &b);
	}
	return r;
}

/*
 * Interfaces in other zones. Those in the default zone may be there because it is the default one,
 * so that they say nothing more than it does.
 */
static int find_active(const struct zone_rule *rule, const char *default_zone,
		       struct zone_judgement *j)
{
	struct zone_bounds all = { 0 };
	struct kc_strings zones;
	int r;

	r = ask(rule, FIREWALLD_NAME ".zone", "getActiveZones", false, &zones);
	if (r == -ENOMEM)
		return r;
	if (r) {
		j->trouble = zone_why(rule);
		j->trouble_source = FIREWALLD_NAME ".zone.getActiveZones";
		return 0;
	}
	for (size_t i = 0; i + 1 < zones.n && !r; i += 2)
		if (!kc_streq(zones.item[i], default_zone))
			r = add_active(rule, zones.item[i], zones.item[i + 1], &all);
	return r ? r : bounds_elsewhere(rule, &all, &j->bounds);
}

/* Why the running firewalld has another zone, where the file has the right one. */
static const char *explain(struct zone_rule *rule)
{
	struct kc_strings state;

	if (permanent_read(rule) < 0 || !rule->permanent.zone ||
	    !kc_streq(rule->permanent.zone, rule->zone))
		return NULL;
	if (ask(rule, FIREWALLD_NAME, "state", true, &state) == 0 && state.n > 0 &&
	    kc_streq(state.item[0], "FAILED"))
		return zone_text(rule,
				 "%s has zone %s, but firewalld refused its configuration and runs "
				 "on its stock one: journalctl -u firewalld says why.",
				 rule->permanent.source, rule->zone);
	return zone_text(rule,
			 "%s has zone %s, which firewalld has not read yet: firewall-cmd --reload.",
			 rule->permanent.source, rule->zone);
}

static int judge_running(struct zone_rule *rule, const struct kc_strings *answer,
			 struct zone_judgement *j)
{
	if (answer->n == 0 || !*answer->item[0]) {
		j->verdict = KC_ERROR;
		j->message = "firewalld's answer has no default zone in it.";
		return 0;
	}
	j->runs = true;
	j->found = zone_text(rule, "default zone %s", answer->item[0]);
	j->verdict = kc_streq(answer->item[0], rule->zone) ? KC_PASS : KC_FAIL;
	if (j->verdict == KC_FAIL)
		j->message = explain(rule);
	return find_active(rule, answer->item[0], j);
}

/* Rules stay in the kernel when a firewalld with CleanupOnExit=no ends. */
static int judge_rules_left(struct zone_rule *rule, struct zone_judgement *j)
{
	int r = permanent_read(rule);

	if (r || j->verdict != KC_PASS || !rule->permanent.keeps_rules)
		return r;
	j->verdict = KC_MANUAL;
	j->source = rule->permanent.keeps_source;
	j->message = "CleanupOnExit is no: if firewalld ran since the last boot, its rules are "
		     "still in the kernel. nft list table inet firewalld, or iptables -S, shows "
		     "them.";
	return 0;
}

static int judge_stopped(struct zone_rule *rule, struct zone_judgement *j)
{
	struct kc_pairs unit;
	const char *active = "";
	int r = firewalld_installed(rule);

	if (r <= 0) {
		if (r == 0) {
			zone_judge_missing(j);
		} else {
			j->verdict = KC_ERROR;
			j->message = zone_why(rule);
		}
		return 0;
	}
	j->found = "not running";
	j->verdict = rule->stopped ? KC_PASS : KC_FAIL;
	/* Nobody owns the name, which is all that matters; systemd knows more about it, or less. */
	if (kc_unit(rule->host, rule->run, FIREWALLD_UNIT, &unit) == 0)
		active = pair(&unit, "ActiveState");
	if (*active)
		j->found = zone_text(rule, "not running (%s)", active);
	if (kc_streq(active, "active") || kc_streq(active, "reloading") ||
	    kc_streq(active, "activating") || kc_streq(active, "deactivating")) {
		j->verdict = KC_ERROR;
		j->message = zone_text(rule,
				       "systemd has " FIREWALLD_UNIT
				       " as %s, and nobody answers for it on the bus: it starts, "
				       "stops or hangs. See systemctl status firewalld.",
				       active);
		return 0;
	}
	return judge_rules_left(rule, j);
}

int zone_judge_now(struct zone_rule *rule, struct zone_judgement *ret_judgement)
{
	struct zone_judgement j = { .source = FIREWALLD_NAME ".getDefaultZone" };
	struct kc_strings answer;
	int r;

	r = ask(rule, FIREWALLD_NAME, "getDefaultZone", false, &answer);
	if (r == 0) {
		r = judge_running(rule, &answer, &j);
	} else if (r == -ENOENT) {
		j.source = FIREWALLD_NAME;
		r = judge_stopped(rule, &j);
	} else {
		const char *why = zone_why(rule);

		if (r == -ENOTCONN && firewalld_installed(rule) == 0) {
			zone_judge_missing(&j);
		} else {
			j.verdict = KC_ERROR;
			j.message = why;
		}
		r = 0;
	}
	if (!r)
		*ret_judgement = j;
	return r;
}
