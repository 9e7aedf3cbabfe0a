/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "repository.h"

static bool is_meant(const struct repository_rule *r, const struct dnf_repository *repository)
{
	for (size_t i = 0; i < r->ids.n; i++)
		if (fnmatch(r->ids.item[i], repository->id, 0) == 0)
			return true;
	return false;
}

static const char *join(const struct software_rule *rule, const struct kc_strings *list,
			const char *between)
{
	const char *text = "";

	for (size_t i = 0; i < list->n; i++)
		text = software_text(rule, "%s%s%s", text, i ? between : "", list->item[i]);
	return text;
}

static const char *describe_expected(const struct repository_rule *r)
{
	if (r->exclude.n == 0)
		return r->state;
	return software_text(&r->rule, "%s, with exclude= of %s", r->state,
			     join(&r->rule, &r->exclude, ", "));
}

/* What of a repository does not hold. */
static const char *explain(const struct repository_rule *r, const struct dnf *dnf,
			   const struct dnf_repository *repository, const char *missing)
{
	const char *text = "";

	if (*missing && dnf->unexcluded)
		text = software_text(&r->rule, "disable_excludes= (%s) turns excludes off.",
				     dnf->unexcluded_source);
	if (repository->odd)
		text = software_text(&r->rule, "%s%sdnf does not know %s and leaves it out.", text,
				     *text ? " " : "", repository->odd);
	if (repository->again)
		text = software_text(&r->rule,
				     "%s%sThe same id at %s does not count, as the first wins.",
				     text, *text ? " " : "", repository->again);
	if (dnf->fault.text)
		text = software_text(&r->rule, "%s%s%s: %s", text, *text ? " " : "",
				     dnf->fault.source, dnf->fault.text);
	return *text ? text : NULL;
}

/* Judges excludes, and whether it is enabled, of one repository. */
static int judge_one(const struct repository_rule *r, const struct dnf *dnf,
		     const struct dnf_repository *repository)
{
	bool wrong = kc_streq(r->state, "enabled") && !repository->enabled;
	const char *source = repository->enabled_source && (wrong || r->exclude.n == 0)
				     ? repository->enabled_source
				     : repository->source;
	const char *found = repository->enabled ? "enabled" : "disabled", *missing = "";
	const char *covered = NULL;

	for (size_t i = 0; i < r->exclude.n; i++) {
		const char *at = dnf_excluded(dnf, repository, r->exclude.item[i]);

		if (at)
			covered = at;
		else
			missing = software_text(&r->rule, "%s%s%s", missing, *missing ? ", " : "",
						r->exclude.item[i]);
	}
	if (*missing)
		found = software_text(&r->rule, "%s, without exclude= of %s", found, missing);
	else if (covered)
		found = software_text(&r->rule, "%s, with exclude=", found);
	return software_report(&r->rule, wrong || *missing ? KC_FAIL : KC_PASS, repository->id,
			       r->expected, found, covered && !wrong ? covered : source,
			       explain(r, dnf, repository, missing));
}

/* No repository of these ids. */
static int judge_none(const struct repository_rule *r, const struct dnf *dnf)
{
	bool absent = kc_streq(r->state, "absent");

	if (dnf->fault.text)
		return software_report(&r->rule, KC_ERROR, r->name, r->expected, NULL,
				       dnf->fault.source,
				       software_text(&r->rule,
						     "%s Whether the repository is there cannot "
						     "be said.",
						     dnf->fault.text));
	return software_report(&r->rule, absent ? KC_PASS : KC_FAIL, r->name, r->expected,
			       "no such repository", "/etc/yum.repos.d", NULL);
}

static int judge_found(const struct repository_rule *r, const struct dnf *dnf,
		       const struct dnf_repository *const *meant, size_t n, bool any_enabled)
{
	int code = 0;

	for (size_t i = 0; code == 0 && i < n; i++) {
		if (kc_streq(r->state, "absent"))
			code = software_report(&r->rule, KC_FAIL, meant[i]->id, r->expected,
					       meant[i]->enabled ? "enabled" : "disabled",
					       meant[i]->source, NULL);
		/* One that is off, beside one that is on, gives nothing and takes nothing. */
		else if (!kc_streq(r->state, "enabled") || !any_enabled || meant[i]->enabled)
			code = judge_one(r, dnf, meant[i]);
	}
	return code;
}

static int judge(const struct repository_rule *r, const struct dnf *dnf)
{
	const struct dnf_repository **meant =
		kc_arena_zalloc(r->rule.arena, dnf->n + 1, sizeof(*meant));
	bool any_enabled = false;
	size_t n = 0;

	if (!meant)
		return -ENOMEM;
	if (dnf->fault.fatal)
		return software_report(&r->rule, KC_ERROR, r->name, r->expected, NULL,
				       dnf->fault.source, dnf->fault.text);
	for (size_t i = 0; i < dnf->n; i++) {
		if (!is_meant(r, &dnf->repository[i]))
			continue;
		meant[n++] = &dnf->repository[i];
		any_enabled |= dnf->repository[i].enabled;
	}
	return n ? judge_found(r, dnf, meant, n, any_enabled) : judge_none(r, dnf);
}

/* Reads the rule, and judges it. */
static int judge_rule(void *state, const struct kc_host *host, struct kc_run *run,
		      software_plan *plan)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = SOFTWARE_MEMORY_MAX };
	struct repository_rule r = { .rule = { host, run, &arena, state, plan } };
	struct dnf dnf;
	int code;

	code = kc_param_list(host, run, "ids", &r.ids);
	if (code == 0)
		code = kc_param_string(host, run, "state", &r.state);
	if (code == 0)
		code = kc_param_list(host, run, "exclude", &r.exclude);
	if (code == -ENOENT && r.state)
		code = 0;
	if (code < 0)
		return code;
	r.name = join(&r.rule, &r.ids, " or ");
	r.expected = describe_expected(&r);
	if (r.ids.n == 0)
		return software_report(&r.rule, KC_ERROR, NULL, NULL, NULL, NULL,
				       "The rule names no repository.");
	code = dnf_load(&r.rule, &dnf);
	if (code == -E2BIG || code == -ENOMEM)
		return software_report(&r.rule, KC_ERROR, r.name, r.expected, NULL, NULL,
				       "There are more repositories or excludes than k8scheck "
				       "reads.");
	if (code < 0)
		return code;
	if (dnf.kind == DNF_NONE)
		return software_skip(&r.rule, KC_BOOT, r.name, "no-dnf");
	r.dnf = &dnf;
	return judge(&r, &dnf);
}

int software_repository_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return judge_rule(state, host, run, NULL);
}

int software_repository_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	return judge_rule(state, host, run, repository_plan);
}
