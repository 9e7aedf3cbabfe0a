/* SPDX-License-Identifier: Apache-2.0 */
#include "conf-file.h"
#include "firewalld-descriptor.h"
#include "firewalld.h"

static const char *const weakens =
	"firewalld lets all traffic of the default zone through then, if that zone is trusted.";

#define USUAL_CONF "/etc/firewalld/firewalld.conf"

static int by_hand(const struct zone_rule *rule, uint32_t horizon, const char *commands,
		   const char *why)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_MANUAL,
		.horizon = horizon,
		.content = commands,
		.content_size = strlen(commands),
		.why = why,
	};

	return kc_step(rule->host, rule->run, &step);
}

static int set_zone(const struct zone_rule *rule)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_FIREWALLD_ZONE,
		.flags = KC_STEP_WEAKENS | KC_STEP_DISTURBS,
		.horizon = KC_NOW,
		.target = FIREWALLD_UNIT,
		.content = rule->zone,
		.content_size = strlen(rule->zone),
		.why = weakens,
	};

	return kc_step(rule->host, rule->run, &step);
}

/* The line of a file, with the newline at its end. */
static void find_line(const struct kc_bytes *text, unsigned line, size_t *ret_start, size_t *ret_n)
{
	size_t start = 0, end;

	for (; line > 1 && start < text->size; start++)
		line -= text->data[start] == '\n';
	for (end = start; end < text->size && text->data[end] != '\n';)
		end++;
	*ret_start = start;
	*ret_n = end - start + (end < text->size);
}

/* Puts the zone into the line that counts, or behind all lines when there is none. */
static int edit_conf(const struct zone_rule *rule, const char *path, const struct kc_bytes *before,
		     const struct firewalld_conf *conf)
{
	struct kc_buf b = { 0 };
	size_t start = before->size, n = 0;
	struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_EDIT_FILE,
		.flags = KC_STEP_WEAKENS | KC_STEP_KEEP_OWNER,
		.horizon = KC_BOOT,
		.target = path,
		.before = before->data,
		.before_size = before->size,
		.why = weakens,
	};
	int r;

	if (conf->default_zone.value)
		find_line(before, conf->default_zone.line, &start, &n);
	kc_buf_add(&b, before->data, start);
	if (start > 0 && before->data[start - 1] != '\n')
		kc_buf_addc(&b, '\n');
	kc_buf_addf(&b, "DefaultZone=%s\n", rule->zone);
	kc_buf_add(&b, before->data + start + n, before->size - start - n);
	r = kc_buf_error(&b);
	if (!r) {
		step.content = b.data;
		step.content_size = b.len;
		r = kc_step(rule->host, rule->run, &step);
	}
	kc_buf_done(&b);
	return r;
}

static int write_conf(const struct zone_rule *rule, const char *path)
{
	const char *content = zone_text(rule, "DefaultZone=%s\n", rule->zone);
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = KC_STEP_WRITE_FILE,
		.flags = KC_STEP_WEAKENS,
		.horizon = KC_BOOT,
		.mode = 0644,
		.target = path,
		.content = content,
		.content_size = strlen(content),
		.why = weakens,
	};

	return kc_step(rule->host, rule->run, &step);
}

/*
 * The file, which firewalld would write itself when its zone is set; but that touches what runs,
 * and this does not.
 */
static int plan_file(const struct zone_rule *rule)
{
	const char *path = rule->permanent.conf;
	struct firewalld_conf conf;
	struct kc_bytes before;
	int r;

	if (kc_streq0(rule->permanent.zone, rule->zone))
		return by_hand(rule, KC_BOOT,
			       zone_text(rule, "firewall-cmd --permanent --load-zone-defaults=%s\n",
					 rule->zone),
			       "The default zone has that name, and its file in /etc is another "
			       "than the packaged one.");
	if (!kc_streq(path, USUAL_CONF))
		return by_hand(rule, KC_BOOT,
			       zone_text(rule, "# Put DefaultZone=%s into %s.\n", rule->zone, path),
			       "firewalld is started with a folder of its own.");
	r = kc_read_file(rule->host, rule->run, path, FIREWALLD_CONF_MAX, &before);
	if (r == -ENOENT)
		return write_conf(rule, path);
	if (!r)
		r = firewalld_conf_parse(before.data, before.size, rule->arena, &conf);
	if (r == -ENOMEM)
		return r;
	/* A carriage return ends lines of its own: their numbers are not those of the text. */
	if (r || conf.undecodable || memchr(before.data, '\r', before.size))
		return by_hand(rule, KC_BOOT,
			       zone_text(rule, "# Put DefaultZone=%s into %s.\n", rule->zone, path),
			       "The file is too odd to be edited by a program.");
	return edit_conf(rule, path, &before, &conf);
}

static int plan_bounds(const struct zone_rule *rule, uint32_t horizon,
		       const struct zone_bounds *bounds)
{
	const char *permanent = horizon == KC_BOOT ? "--permanent " : "";
	const char *commands = "";

	for (size_t i = 0; i < bounds->n && i < FIREWALLD_BOUND_MAX; i++)
		if (!bounds->item[i].is_source)
			commands = zone_text(rule,
					     "%sfirewall-cmd %s--zone=%s "
					     "--change-interface=%s\n",
					     commands, permanent, rule->zone, bounds->item[i].name);
	if (!*commands)
		return 0;
	return by_hand(rule, horizon, commands,
		       "Somebody bound these to another zone by name; whether that still holds is "
		       "for a person to say.");
}

static int plan_unit(const struct zone_rule *rule, uint32_t kind, uint32_t flags, uint32_t horizon,
		     const char *why)
{
	const struct kc_step step = {
		.size = sizeof(step),
		.kind = kind,
		.flags = flags,
		.horizon = horizon,
		.target = FIREWALLD_UNIT,
		.why = why,
	};

	return kc_step(rule->host, rule->run, &step);
}

static int plan_zone(struct zone_rule *rule, bool now, bool boot)
{
	int r = permanent_read(rule);

	if (r)
		return r;
	if (!rule->permanent.has_zone)
		return by_hand(
			rule, now ? KC_NOW : KC_BOOT,
			zone_text(rule, "firewall-cmd --permanent --new-zone=%s\n", rule->zone),
			"firewalld has no zone of that name.");
	if (boot)
		r = plan_file(rule);
	return !r && now ? set_zone(rule) : r;
}

static bool has_interface(const struct zone_bounds *bounds)
{
	for (size_t i = 0; i < bounds->n; i++)
		if (!bounds->item[i].is_source)
			return true;
	return false;
}

static bool fails(const struct zone_judgement *j)
{
	return j->verdict == KC_FAIL || has_interface(&j->bounds);
}

/* The other way: no firewalld. */
static int plan_stop(const struct zone_rule *rule, const struct zone_judgement *now,
		     const struct zone_judgement *boot)
{
	int r = 0;

	if (boot->runs && fails(boot))
		r = plan_unit(rule, boot->only_enabled ? KC_STEP_UNIT_DISABLE : KC_STEP_UNIT_MASK,
			      KC_STEP_WEAKENS, KC_BOOT,
			      boot->only_enabled
				      ? "No firewall stands before the host from the next start on."
				      : "No firewall stands before the host from the next start "
					"on; the unit is masked, for others start it, too.");
	if (!r && now->runs && fails(now))
		r = plan_unit(rule, KC_STEP_UNIT_STOP, KC_STEP_WEAKENS | KC_STEP_DISTURBS, KC_NOW,
			      "No firewall stands before the host; rules that others made through "
			      "firewalld go with it.");
	return r;
}

/* A zone that is right, of a firewalld that runs as far as the rule wants it. */
static int plan_keep(struct zone_rule *rule, const struct zone_judgement *now,
		     const struct zone_judgement *boot)
{
	static const char why[] = "The rule wants a firewalld that runs.";
	bool zone_now = now->verdict == KC_FAIL && now->runs;
	bool zone_boot = boot->verdict == KC_FAIL && boot->runs;
	int r = 0;

	if (zone_now || zone_boot)
		r = plan_zone(rule, zone_now, zone_boot);
	if (!r && boot->masked && boot->verdict == KC_FAIL)
		r = by_hand(rule, KC_BOOT,
			    "systemctl unmask firewalld && systemctl enable --now firewalld\n",
			    "Somebody masked it on purpose; whether that still holds is for a "
			    "person to say.");
	else if (!r && boot->verdict == KC_FAIL && !boot->runs)
		r = plan_unit(rule, KC_STEP_UNIT_ENABLE, 0, KC_BOOT, why);
	if (!r && now->verdict == KC_FAIL && !now->runs && !boot->masked)
		r = plan_unit(rule, KC_STEP_UNIT_START, KC_STEP_DISTURBS, KC_NOW, why);
	if (!r)
		r = plan_bounds(rule, KC_NOW, &now->bounds);
	return r ? r : plan_bounds(rule, KC_BOOT, &boot->bounds);
}

int firewalld_default_zone_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = FIREWALLD_MEMORY_MAX };
	struct zone_judgement now = { 0 }, boot = { 0 };
	uint32_t horizons = kc_horizons(host, run);
	struct zone_rule rule;
	int r;

	r = zone_rule_read(host, run, &arena, &rule);
	if (!r && (horizons & KC_NOW))
		r = zone_judge_now(&rule, &now);
	if (!r && (horizons & KC_BOOT))
		r = zone_judge_boot(&rule, &boot);
	if (r)
		return r;
	return rule.repair_stops ? plan_stop(&rule, &now, &boot) : plan_keep(&rule, &now, &boot);
}
