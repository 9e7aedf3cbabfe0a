/* SPDX-License-Identifier: Apache-2.0 */
#include "firewalld-descriptor.h"
#include "firewalld.h"
#include "formats/unit.h"

const char *zone_why(const struct zone_rule *rule)
{
	return zone_text(rule, "%s", kc_why(rule->host, rule->run));
}

int zone_rule_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		   struct zone_rule *ret_rule)
{
	struct zone_rule rule = { .host = host, .run = run, .arena = arena };
	const char *stopped, *repair;
	int r;

	r = kc_param_string(host, run, "zone", &rule.zone);
	if (!r)
		r = kc_param_string(host, run, "stopped", &stopped);
	if (!r)
		r = kc_param_string(host, run, "repair", &repair);
	if (!r)
		r = kc_param_list(host, run, "other-zones", &rule.others);
	if (r)
		return r;
	rule.stopped = kc_streq(stopped, "pass");
	rule.repair_stops = rule.stopped && kc_streq(repair, "stop");
	*ret_rule = rule;
	return 0;
}

int firewalld_installed(const struct zone_rule *rule)
{
	static const char *const programs[] = { "/usr/sbin/firewalld", "/usr/bin/firewalld", NULL };
	struct kc_stat st = { .size_of = sizeof(st) };
	int r;

	KC_FOREACH_STR (program, programs) {
		r = kc_stat(rule->host, rule->run, program, 0, &st);
		if (r != -ENOENT && r != -ENOTDIR)
			return r < 0 ? r : 1;
	}
	KC_FOREACH_STR (dir, kc_unit_dirs) {
		/* A mask alone installs nothing. */
		const char *unit = zone_text(rule, "%s/" FIREWALLD_UNIT, dir);

		r = kc_stat(rule->host, rule->run, unit, 0, &st);
		if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP ||
		    (!r && (st.type != KC_FILE_REGULAR || st.size == 0)))
			continue;
		return r < 0 ? r : 1;
	}
	return 0;
}

void zone_judge_missing(struct zone_judgement *judgement)
{
	judgement->verdict = KC_SKIP;
	judgement->reason = "not-installed";
	judgement->message = "There is neither firewalld.service nor firewalld's program.";
}

static const char *expected(const struct zone_rule *rule, uint32_t horizon)
{
	if (!rule->stopped)
		return zone_text(rule, "default zone %s", rule->zone);
	return zone_text(rule, "default zone %s, or %s", rule->zone,
			 horizon == KC_NOW ? "not running" : "not started");
}

/* Sources are exceptions that somebody made for some peers: told, and not judged. */
static const char *add_sources(const struct zone_rule *rule, const struct zone_judgement *j)
{
	const char *message = j->message;
	size_t told = 0;

	for (size_t i = 0; i < j->bounds.n; i++) {
		const struct zone_bound *b = &j->bounds.item[i];

		if (!b->is_source || told++ >= FIREWALLD_BOUND_MAX)
			continue;
		message = zone_text(rule, "%s%sTraffic from %s gets zone %s (%s).",
				    message ? message : "", message ? " " : "", b->name, b->zone,
				    b->source);
	}
	return message;
}

static int report_bounds(const struct zone_rule *rule, uint32_t horizon,
			 const struct zone_judgement *j)
{
	size_t told = 0;
	int r = 0;

	for (size_t i = 0; i < j->bounds.n && !r && told < FIREWALLD_BOUND_MAX; i++) {
		const struct zone_bound *b = &j->bounds.item[i];

		if (b->is_source)
			continue;
		told++;
		r = kc_report(rule->host, rule->run, horizon, KC_FAIL, b->name,
			      zone_text(rule, "zone %s", rule->zone),
			      zone_text(rule, "zone %s", b->zone), b->source,
			      "It is bound to that zone by name, so that the default zone does not "
			      "count for it.");
	}
	return r;
}

static int report(struct zone_rule *rule, uint32_t horizon,
		  int (*judge)(struct zone_rule *, struct zone_judgement *))
{
	struct zone_judgement j = { 0 };
	struct kc_finding finding = {
		.size = sizeof(finding),
		.horizon = horizon,
		.subject = "firewalld",
	};
	int r;

	r = judge(rule, &j);
	if (r)
		return r;
	if (j.verdict) {
		finding.verdict = j.verdict;
		finding.expected = j.verdict == KC_SKIP ? NULL : expected(rule, horizon);
		finding.found = j.found;
		finding.source = j.source;
		finding.message = add_sources(rule, &j);
		finding.reason = j.reason;
		r = kc_finding(rule->host, rule->run, &finding);
	}
	if (!r && j.trouble)
		r = kc_report(rule->host, rule->run, horizon, KC_ERROR, "firewalld", NULL, NULL,
			      j.trouble_source, j.trouble);
	return r ? r : report_bounds(rule, horizon, &j);
}

int firewalld_default_zone_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = FIREWALLD_MEMORY_MAX };
	uint32_t horizons = kc_horizons(host, run);
	struct zone_rule rule;
	int r;

	r = zone_rule_read(host, run, &arena, &rule);
	/* From files while the bus gets ready. */
	if (!r && (horizons & KC_BOOT))
		r = report(&rule, KC_BOOT, zone_judge_boot);
	if (!r && (horizons & KC_NOW))
		r = report(&rule, KC_NOW, zone_judge_now);
	return r;
}
