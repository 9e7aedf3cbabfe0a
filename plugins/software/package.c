/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"

struct package_rule {
	struct software_rule rule;
	struct kc_strings packages; /* "a|b": either of them */
	const char *state; /* "installed", "absent" */
	const char *version; /* or NULL */
	const char *held; /* "any", "held", "not-held" */
	const char *expected;
	enum kc_package_system system;
};

static const char *describe_expected(const struct package_rule *r)
{
	if (kc_streq(r->state, "absent"))
		return "not installed";
	return software_text(&r->rule, "installed%s%s%s", r->version ? ", version " : "",
			     r->version ? r->version : "",
			     kc_streq(r->held, "held")	     ? ", held"
			     : kc_streq(r->held, "not-held") ? ", not held"
							     : "");
}

/* The names of one entry, NULL-terminated. */
static const char *const *split(const struct package_rule *r, const char *entry)
{
	char *rest = kc_arena_strdup(r->rule.arena, entry), *name;
	const char **names = kc_arena_zalloc(r->rule.arena, strlen(entry) / 2 + 2, sizeof(*names));
	size_t n = 0;

	if (!rest || !names)
		return NULL;
	while ((name = strsep(&rest, "|"))) {
		name = kc_strstrip(name);
		if (*name)
			names[n++] = name;
	}
	return names;
}

static int report(const struct package_rule *r, uint32_t verdict, const char *subject,
		  const char *found, const char *source, const char *message)
{
	return software_report(&r->rule, verdict, subject, r->expected, found, source, message);
}

static int judge_installed(const struct package_rule *r, const struct kc_package *package)
{
	bool asks = !kc_streq(r->held, "any"), wrong;
	const char *found = package->full;
	struct hold hold = { 0 };
	int code;

	if (kc_streq(r->state, "absent"))
		return report(r, KC_FAIL, package->name, software_text(&r->rule, "%s", found),
			      package->source, NULL);
	wrong = r->version && !software_version_matches(package->version, r->version) &&
		!software_version_matches(package->full, r->version);
	if (wrong || !asks)
		return report(r, wrong ? KC_FAIL : KC_PASS, package->name, found, package->source,
			      NULL);
	code = hold_find(&r->rule, r->system, package, &hold);
	if (code < 0)
		return code;
	if (hold.unseen)
		return report(r, KC_ERROR, package->name, found, hold.source, hold.unseen);
	wrong = hold.held != kc_streq(r->held, "held");
	return report(r, wrong ? KC_FAIL : KC_PASS, package->name,
		      software_text(&r->rule, "%s, %s", found, hold.held ? "held" : "not held"),
		      hold.source ? hold.source : package->source, hold.note);
}

static int judge_entry(const struct package_rule *r, const char *entry,
		       const struct kc_packages *found)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->item[i].installed)
			return judge_installed(r, &found->item[i]);
	return report(r, kc_streq(r->state, "absent") ? KC_PASS : KC_FAIL, entry, "not installed",
		      found->n ? found->item[0].source : NULL, NULL);
}

/* All names of all entries, so that the database is looked into once. */
static const char *const *all_names(const struct package_rule *r)
{
	const char **names = NULL;
	size_t n = 0, most = 1;

	for (size_t i = 0; i < r->packages.n; i++)
		most += strlen(r->packages.item[i]) / 2 + 2;
	names = kc_arena_zalloc(r->rule.arena, most, sizeof(*names));
	for (size_t i = 0; names && i < r->packages.n; i++)
		KC_FOREACH_STR (name, split(r, r->packages.item[i]))
			names[n++] = name;
	return names;
}

/* What a name of the rule is that no package can have; NULL: all are well. */
static const char *find_invalid(const struct package_rule *r)
{
	for (size_t i = 0; i < r->packages.n; i++) {
		const char *const *names = split(r, r->packages.item[i]);

		if (!names || !names[0])
			return r->packages.item[i];
		KC_FOREACH_STR (name, names)
			if (!kc_package_name_valid(name))
				return name;
	}
	return NULL;
}

/* The database says nothing, of any of them. */
static int report_unseen(const struct package_rule *r, const char *why)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < r->packages.n; i++)
		code = report(
			r, KC_ERROR, r->packages.item[i], NULL, NULL,
			software_text(&r->rule, "Whether it is installed is not known: %s.", why));
	return code;
}

static int judge(struct package_rule *r)
{
	const char *invalid = find_invalid(r);
	const char *const *names = all_names(r);
	struct kc_packages found;
	const char *why;
	int code;

	if (!names)
		return -ENOMEM;
	if (!names[0])
		return report(r, KC_ERROR, NULL, NULL, NULL, "The rule names no package.");
	if (invalid)
		return report(
			r, KC_ERROR, invalid, NULL, NULL,
			software_text(&r->rule, "\"%s\" is not the name of a package.", invalid));
	code = software_find(&r->rule, names, &found, &why);
	if (code < 0)
		return report_unseen(r, why);
	r->system = found.system;
	if (found.system == KC_PACKAGES_NONE)
		return software_skip(&r->rule, KC_BOOT, NULL, "no-database");
	for (size_t i = 0; code == 0 && i < r->packages.n; i++) {
		const char *const *entry = split(r, r->packages.item[i]);

		if (!entry)
			return -ENOMEM;
		code = software_find(&r->rule, entry, &found, &why);
		if (code == 0)
			code = judge_entry(r, r->packages.item[i], &found);
	}
	return code;
}

/* Reads the rule, and judges it. */
static int judge_rule(void *state, const struct kc_host *host, struct kc_run *run,
		      software_plan *plan)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = SOFTWARE_MEMORY_MAX };
	struct package_rule r = { .rule = { host, run, &arena, state, plan } };
	int code;

	code = kc_param_list(host, run, "packages", &r.packages);
	if (code == 0)
		code = kc_param_string(host, run, "state", &r.state);
	if (code == 0)
		code = kc_param_string(host, run, "held", &r.held);
	if (code < 0)
		return code;
	code = kc_param_string(host, run, "version", &r.version);
	if (code < 0 && code != -ENOENT)
		return code;
	r.expected = describe_expected(&r);
	return judge(&r);
}

int software_package_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return judge_rule(state, host, run, NULL);
}

/* The commands, by the system that has the database. */
static const char *commands_of(const struct package_rule *r, const char *name, const char *found)
{
	const struct software_rule *rule = &r->rule;
	bool dpkg = r->system == KC_PACKAGES_DPKG;
	size_t n = strcspn(name, "|");

	if (kc_streq(r->state, "absent"))
		return software_text(rule, dpkg ? "apt-get remove %.*s\n" : "dnf remove %.*s\n",
				     (int)n, name);
	if (kc_endswith(found, ", not held"))
		return software_text(rule,
				     dpkg ? "apt-mark hold %.*s\n"
					  : "dnf install -y python3-dnf-plugin-versionlock\n"
					    "dnf versionlock add %.*s\n",
				     (int)n, name);
	if (kc_endswith(found, ", held"))
		return software_text(
			rule, dpkg ? "apt-mark unhold %.*s\n" : "dnf versionlock delete %.*s\n",
			(int)n, name);
	if (!r->version)
		return software_text(rule,
				     dpkg ? "apt-get install -y %.*s\n" : "dnf install -y %.*s\n",
				     (int)n, name);
	return software_text(rule,
			     dpkg ? "apt-get install -y --allow-change-held-packages '%.*s=%s*'\n"
				  : "dnf install -y '%.*s-%s*' --disableexcludes=all\n",
			     (int)n, name, r->version);
}

static int plan_package(const struct software_rule *rule, uint32_t horizon, const char *subject,
			const char *found)
{
	const struct package_rule *r = (const struct package_rule *)rule;

	return kc_plan_by_hand(rule->host, rule->run, horizon, commands_of(r, subject, found),
			       "No step installs, removes or holds packages.");
}

int software_package_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	return judge_rule(state, host, run, plan_package);
}
