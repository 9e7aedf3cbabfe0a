/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/search-path.h"
#include "software.h"

/* What is found instead of the program. */
static const char *describe_none(const struct software_rule *rule, const char *name,
				 const struct kc_search_path *path,
				 const struct kc_search_result *result)
{
	if (strchr(name, '/'))
		return result->near ? result->near : "not there";
	return software_text(rule, "in no folder of PATH (%s)%s%s", path->text,
			     result->near ? "; " : "", result->near ? result->near : "");
}

static int judge(const struct software_rule *rule, const char *name, const char *unit)
{
	const char *expected = strchr(name, '/')
				       ? "an executable file"
				       : software_text(rule, "an executable %s in PATH%s%s", name,
						       unit ? " of " : "", unit ? unit : "");
	struct kc_search_result result;
	struct kc_search_path path;
	int r;

	r = kc_search_path_read(rule->host, rule->run, rule->arena, unit, &path);
	if (r < 0)
		return software_report(rule, KC_ERROR, name, expected, NULL, unit,
				       r == -E2BIG || r == -ENOMEM
					       ? "The unit's files have more than k8scheck reads."
					       : kc_why(rule->host, rule->run));
	r = kc_search_path_find(rule->host, rule->run, rule->arena, path.text, name, &result);
	if (r < 0)
		return r;
	if (result.path)
		return software_report(rule, KC_PASS, name, expected, result.path, path.source,
				       NULL);
	if (result.unseen)
		return software_report(rule, KC_ERROR, name, expected, NULL, path.source,
				       result.unseen);
	return software_report(rule, KC_FAIL, name, expected,
			       describe_none(rule, name, &path, &result), path.source, NULL);
}

/* Reads the rule, and judges it. */
static int judge_rule(void *state, const struct kc_host *host, struct kc_run *run,
		      software_plan *plan)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = SOFTWARE_MEMORY_MAX };
	const struct software_rule rule = { host, run, &arena, state, plan };
	const char *name, *unit = NULL, *complete = NULL;
	int r;

	r = kc_param_string(host, run, "name", &name);
	if (r < 0)
		return r;
	r = kc_param_string(host, run, "unit", &unit);
	if (r < 0 && r != -ENOENT)
		return r;
	if (unit)
		complete = kc_unit_name_complete(&arena, unit);
	if (unit && !complete)
		return software_report(
			&rule, KC_ERROR, name, NULL, NULL, NULL,
			software_text(&rule, "\"%s\" is not the name of a unit.", unit));
	if (!*name || kc_endswith(name, "/"))
		return software_report(&rule, KC_ERROR, name, NULL, NULL, NULL,
				       "The rule names no program.");
	return judge(&rule, name, complete);
}

int software_program_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	return judge_rule(state, host, run, NULL);
}

static int plan_program(const struct software_rule *rule, uint32_t horizon, const char *subject,
			const char *found)
{
	const char *name = strrchr(subject, '/');

	name = name ? name + 1 : subject;
	return kc_plan_by_hand(
		rule->host, rule->run, horizon,
		software_text(rule,
			      "# Install the package that brings %s; its name is said by:\n"
			      "dnf provides '*bin/%s' || apt-file search bin/%s\n",
			      subject, name, name),
		"No step installs packages.");
}

int software_program_plan(void *state, const struct kc_host *host, struct kc_run *run)
{
	return judge_rule(state, host, run, plan_program);
}
