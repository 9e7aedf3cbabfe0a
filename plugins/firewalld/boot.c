/* SPDX-License-Identifier: Apache-2.0 */
#include "firewalld.h"
#include "formats/unit.h"

/* Whether the next start brings firewalld up, and who does. */
struct start {
	struct kc_unit_enabled unit;
	bool starts;
	bool only_enabled; /* it starts by what its [Install] section made, and by nothing else */
	const char *by; /* a sentence, when it starts */
	const char *source;
};

enum {
	SERVICE_FILE_MAX = 64 << 10
};

/* The unit that a D-Bus service file names; NULL when it names none. */
static int activation_unit(const struct zone_rule *rule, const char *file, const char **ret_unit)
{
	struct kc_unit_setting *setting;
	const char *unit = NULL;
	struct kc_bytes bytes;
	size_t n;
	int r;

	r = kc_read_file(rule->host, rule->run, file, SERVICE_FILE_MAX, &bytes);
	if (!r)
		r = kc_unit_file_parse(file, bytes.data, bytes.size, rule->arena, &setting, &n);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++)
		if (kc_streq(setting[i].section, "D-BUS Service") &&
		    kc_streq(setting[i].key, "SystemdService"))
			unit = setting[i].value;
	*ret_unit = unit;
	return 0;
}

/* Whether the bus starts it for whoever asks: dbus-daemon(1), "standard_system_servicedirs". */
static int look_up_activation(const struct zone_rule *rule, struct start *start)
{
	static const char *const files[] = {
		"/usr/local/share/dbus-1/system-services/" FIREWALLD_NAME ".service",
		"/usr/share/dbus-1/system-services/" FIREWALLD_NAME ".service",
		"/lib/dbus-1/system-services/" FIREWALLD_NAME ".service",
		NULL,
	};

	KC_FOREACH_STR (file, files) {
		struct kc_unit_enabled enabled = { 0 };
		const char *unit;
		int r = activation_unit(rule, file, &unit);

		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (!r && unit)
			r = kc_unit_enablement(rule->host, rule->run, rule->arena, unit, &enabled);
		/* What stands behind an alias may be masked. */
		if (!r && unit && enabled.state == KC_UNIT_ALIAS)
			r = kc_unit_enablement(rule->host, rule->run, rule->arena, enabled.unit,
					       &enabled);
		if (r)
			return r;
		if (enabled.state == KC_UNIT_MASKED || enabled.state == KC_UNIT_NOT_FOUND)
			return 0;
		start->starts = true;
		start->source = file;
		start->by =
			zone_text(rule, "The bus starts it for whoever asks for it (%s).", file);
		return 0;
	}
	return 0;
}

static int look_up(const struct zone_rule *rule, struct start *start)
{
	struct kc_unit_start s = { 0 };
	int r;

	r = kc_unit_enablement(rule->host, rule->run, rule->arena, FIREWALLD_UNIT, &start->unit);
	if (r)
		return r;
	start->source = start->unit.source;
	if (start->unit.state == KC_UNIT_BAD)
		return 0;
	if (start->unit.state != KC_UNIT_MASKED && start->unit.state != KC_UNIT_NOT_FOUND) {
		r = kc_unit_start(rule->host, rule->run, rule->arena, FIREWALLD_UNIT, &s);
		if (r)
			return r;
	}
	/* Whoever asks for it on the bus is no matter of the default zone, but of a repair. */
	r = look_up_activation(rule, start);
	if (r || !s.reached)
		return r;
	start->only_enabled = !start->starts && start->unit.state == KC_UNIT_ENABLED &&
			      kc_after_prefix(s.source, "/etc/systemd/system/");
	start->starts = true;
	start->source = s.source;
	start->by = zone_text(rule, "%s starts it (%s).", s.by, s.source);
	return 0;
}

/* It starts: the default zone counts, and what is bound to other zones by name. */
static int judge_started(struct zone_rule *rule, const struct start *start,
			 struct zone_judgement *j)
{
	struct permanent *p = &rule->permanent;
	int r = permanent_read(rule);

	if (r)
		return r;
	j->runs = true;
	j->only_enabled = start->only_enabled;
	j->trouble = p->trouble;
	j->trouble_source = p->trouble_source;
	j->source = p->source;
	if (!p->zone)
		return 0;
	j->found = zone_text(rule, "default zone %s", p->zone);
	j->verdict = kc_streq(p->zone, rule->zone) ? KC_PASS : KC_FAIL;
	if (j->verdict == KC_FAIL) {
		j->message = p->note ? zone_text(rule, "%s %s", p->note, start->by) : start->by;
	} else if (p->target_source && !kc_streq0(p->target, "ACCEPT")) {
		j->verdict = KC_FAIL;
		j->found = zone_text(rule, "default zone trusted, with target %s",
				     p->target ? p->target : "default");
		j->source = p->target_source;
		j->message = "This file takes the place of the packaged zone, and does not accept "
			     "all traffic as that does (target ACCEPT).";
	} else {
		j->message = p->note;
	}
	return bounds_elsewhere(rule, &p->bounds, &j->bounds);
}

static void judge_not_started(const struct zone_rule *rule, const struct start *start,
			      struct zone_judgement *j)
{
	j->found = zone_text(rule, "not started (%s)", kc_unit_enablement_name(start->unit.state));
	j->verdict = rule->stopped ? KC_PASS : KC_FAIL;
	j->masked = start->unit.state == KC_UNIT_MASKED;
	if (start->unit.state == KC_UNIT_ENABLED)
		j->message = "A link enables it, but nothing that starts at boot leads there.";
}

/* Bounds of the readers are not the host's, which has no sentence for them. */
static const char *explain_error(const struct zone_rule *rule, int r)
{
	if (r == -E2BIG || r == -EFBIG || r == -EBADMSG || r == -EINVAL)
		return "Its unit, or a file that starts it, cannot be read as one.";
	return zone_why(rule);
}

int zone_judge_boot(struct zone_rule *rule, struct zone_judgement *ret_judgement)
{
	struct zone_judgement j = { 0 };
	struct start start = { 0 };
	int r;

	r = firewalld_installed(rule);
	if (r == 0) {
		zone_judge_missing(&j);
		*ret_judgement = j;
		return 0;
	}
	if (r > 0)
		r = look_up(rule, &start);
	if (r == -ENOMEM)
		return r;
	j.source = start.source;
	if (r < 0) {
		j.verdict = KC_ERROR;
		j.message = explain_error(rule, r);
		r = 0;
	} else if (start.unit.state == KC_UNIT_BAD) {
		j.verdict = KC_ERROR;
		j.message = start.unit.fault;
	} else if (start.starts) {
		r = judge_started(rule, &start, &j);
	} else {
		judge_not_started(rule, &start, &j);
	}
	if (!r)
		*ret_judgement = j;
	return r;
}
