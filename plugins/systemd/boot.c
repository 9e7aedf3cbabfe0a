/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd.h"

/* What the files say of the unit, while the verdict is found. */
struct boot {
	const struct unit_rule *rule;
	struct kc_unit_enabled asked; /* of the name that the rule has */
	struct kc_unit_enabled unit; /* behind an alias; else the same */
	struct kc_unit_start start;
	const char *script_link; /* of a generated unit: the link that starts its script */
};

/* The unit whose folder of wants or requires a link is in; NULL when it is in none. */
static const char *wanter_of(const struct unit_rule *rule, const char *link)
{
	const char *slash = strrchr(link, '/'), *start = slash, *dot = slash;

	if (!slash || slash == link)
		return NULL;
	while (start > link && start[-1] != '/')
		start--;
	while (dot > start && *dot != '.')
		dot--;
	if (dot == start ||
	    (!kc_after_prefix(dot, ".wants/") && !kc_after_prefix(dot, ".requires/") &&
	     !kc_after_prefix(dot, ".upholds/")))
		return NULL;
	return kc_text(rule->host, rule->run, "%.*s", (int)(dot - start), start);
}

/* A link S??NAME of a runlevel that leads to multi-user.target or graphical.target. */
static int find_script_link(struct boot *b)
{
	static const char *const runlevels[] = { "/etc/rc2.d", "/etc/rc3.d", "/etc/rc4.d",
						 "/etc/rc5.d", NULL };
	const struct unit_rule *rule = b->rule;
	const char *script = strrchr(b->unit.source, '/') + 1;

	KC_FOREACH_STR (dir, runlevels) {
		struct kc_strings names;
		int r;

		r = kc_list_dir(rule->host, rule->run, dir, &names);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (r)
			return r;
		for (size_t i = 0; i < names.n && !b->script_link; i++)
			if (names.item[i][0] == 'S' && strlen(names.item[i]) > 3 &&
			    kc_streq(names.item[i] + 3, script))
				b->script_link =
					kc_text(rule->host, rule->run, "%s/%s", dir, names.item[i]);
	}
	return 0;
}

/* Looks up what the files say. */
static int look_up(struct boot *b)
{
	const struct unit_rule *rule = b->rule;
	int r;

	r = kc_unit_enablement(rule->host, rule->run, rule->arena, rule->unit, &b->asked);
	if (r)
		return r;
	b->unit = b->asked;
	if (b->asked.state == KC_UNIT_ALIAS && !kc_streq(b->asked.unit, rule->unit)) {
		r = kc_unit_enablement(rule->host, rule->run, rule->arena, b->asked.unit, &b->unit);
		if (r)
			return r;
	}
	if (b->unit.state == KC_UNIT_GENERATED)
		return find_script_link(b);
	if (b->unit.state == KC_UNIT_NOT_FOUND || b->unit.state == KC_UNIT_MASKED ||
	    b->unit.state == KC_UNIT_BAD)
		return 0;
	return kc_unit_start(rule->host, rule->run, rule->arena, rule->unit, &b->start);
}

/* "disabled", "enabled (as crio.service)". */
static const char *describe(const struct boot *b)
{
	const char *state = kc_unit_enablement_name(b->unit.state);

	if (b->asked.state != KC_UNIT_ALIAS)
		return state;
	return kc_text(b->rule->host, b->rule->run, "%s (an alias of %s)", state, b->asked.unit);
}

static const char *default_target(const struct boot *b)
{
	return b->start.target ? b->start.target : "a target that is not there";
}

/* What stands between the unit and the next start. */
static const char *explain_not_started(const struct boot *b)
{
	const struct unit_rule *rule = b->rule;
	const char *wanter;

	switch (b->unit.state) {
	case KC_UNIT_ENABLED:
		wanter = wanter_of(rule, b->unit.source);
		if (!wanter)
			return kc_text(
				rule->host, rule->run,
				"The link gives it another name, but nothing that starts at boot "
				"wants it: default.target is %s.",
				default_target(b));
		return kc_text(rule->host, rule->run,
			       "%s wants it, but default.target is %s, which does not lead there. "
			       "See systemctl get-default.",
			       wanter, default_target(b));
	case KC_UNIT_STATIC:
		return "It has no [Install] section, so that it cannot be enabled, and nothing "
		       "that "
		       "starts at boot wants it.";
	case KC_UNIT_MASKED:
		return kc_text(
			rule->host, rule->run,
			"This mask keeps everything from starting it. See systemctl unmask %s.",
			b->unit.unit);
	case KC_UNIT_GENERATED:
		return "It is a script of /etc/init.d, and no runlevel has a link that starts it.";
	case KC_UNIT_INDIRECT:
		return "It is known by other names only, and none of them starts at boot.";
	default:
		return b->unit.preset ? kc_text(rule->host, rule->run, "The preset has it %s.",
						b->unit.preset)
				      : NULL;
	}
}

/* enabled: enabled */
static void judge_enabled(const struct boot *b, struct unit_judgement *j)
{
	const struct unit_rule *rule = b->rule;
	bool counts = b->unit.state != KC_UNIT_DISABLED && b->start.reached;

	j->verdict = counts || b->script_link ? KC_PASS : KC_FAIL;
	if (b->unit.state == KC_UNIT_BAD) {
		j->message = b->unit.fault;
	} else if (b->script_link) {
		j->source = b->script_link;
	} else if (j->verdict == KC_FAIL) {
		j->message = explain_not_started(b);
		/* "expected enabled, found enabled" would explain nothing. */
		if (b->unit.state == KC_UNIT_ENABLED)
			j->found = kc_text(rule->host, rule->run, "%s, and not started at boot",
					   j->found);
		if (b->start.reached)
			j->message =
				kc_text(rule->host, rule->run,
					"%s wants it all the same (%s), so that it may start.%s%s",
					b->start.by, b->start.source, j->message ? " " : "",
					j->message ? j->message : "");
	} else if (b->unit.state != KC_UNIT_ENABLED) {
		j->source = b->start.source;
		j->message = kc_text(rule->host, rule->run, "%s wants it.", b->start.by);
	}
}

/* enabled: disabled */
static void judge_disabled(const struct boot *b, struct unit_judgement *j)
{
	const struct unit_rule *rule = b->rule;

	if (b->unit.state == KC_UNIT_BAD) {
		j->verdict = KC_ERROR;
		j->message = b->unit.fault;
		return;
	}
	j->verdict = b->unit.state == KC_UNIT_ENABLED || b->start.reached || b->script_link
			     ? KC_FAIL
			     : KC_PASS;
	if (b->script_link) {
		j->source = b->script_link;
	} else if (j->verdict == KC_PASS) {
		if (b->unit.state == KC_UNIT_STATIC)
			j->message =
				"It cannot be enabled, and nothing that starts at boot wants it.";
	} else if (!b->start.reached) {
		j->message = explain_not_started(b);
	} else if (b->unit.state != KC_UNIT_ENABLED) {
		j->source = b->start.source;
		j->message =
			kc_text(rule->host, rule->run,
				"%s wants it, whatever its own state; only a mask keeps it from "
				"starting.",
				b->start.by);
	}
}

static void judge_masked(const struct boot *b, bool wanted, struct unit_judgement *j)
{
	bool masked = b->unit.state == KC_UNIT_MASKED;

	if (b->unit.state == KC_UNIT_BAD) {
		j->verdict = KC_ERROR;
		j->message = b->unit.fault;
		return;
	}
	j->verdict = masked == wanted ? KC_PASS : KC_FAIL;
	if (masked && !wanted)
		j->message = explain_not_started(b);
}

/* The bounds of the readers are not the host's, which has no sentence for them. */
static const char *explain_error(const struct unit_rule *rule, int r)
{
	if (r == -E2BIG || r == -ENOMEM)
		return "The unit folders have more files, links or settings than k8scheck reads.";
	return kc_text(rule->host, rule->run, "%s", kc_why(rule->host, rule->run));
}

void unit_judge_boot(const struct unit_rule *rule, struct unit_judgement *ret_judgement)
{
	struct unit_judgement j = { .expected = rule->enabled };
	struct boot b = { .rule = rule };
	int r;

	if (kc_streq(rule->enabled, "not-masked"))
		j.expected = "not masked";
	r = look_up(&b);
	j.state = b.unit;
	j.started_by = b.start.reached ? b.start.source : NULL;
	j.source = b.unit.source;
	if (r) {
		j.verdict = KC_ERROR;
		j.message = explain_error(rule, r);
	} else if (b.unit.state == KC_UNIT_NOT_FOUND) {
		unit_judge_missing(rule, kc_streq(rule->enabled, "disabled"), &j);
	} else {
		j.found = describe(&b);
		if (kc_streq(rule->enabled, "enabled"))
			judge_enabled(&b, &j);
		else if (kc_streq(rule->enabled, "disabled"))
			judge_disabled(&b, &j);
		else
			judge_masked(&b, kc_streq(rule->enabled, "masked"), &j);
	}
	*ret_judgement = j;
}
