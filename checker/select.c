/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "select.h"

/* Every --rule, --skip and --tag must mean something: a slip of the pen would judge too little. */
static int check_names(const struct kc_profile *profile, const char *option,
		       const struct kc_list *names, struct kc_err *err)
{
	for (size_t i = 0; i < names->n; i++) {
		kc_cleanup(kc_freep) const char **ids = calloc(profile->n_rules + 1, sizeof(*ids));
		bool found = false;
		const char *near;

		if (!ids)
			return kc_err_set(err, -ENOMEM, "out of memory");
		for (uint32_t k = 0; k < profile->n_rules; k++) {
			ids[k] = profile->rules[k].id;
			found = found || fnmatch(names->item[i], ids[k], 0) == 0;
		}
		if (found)
			continue;
		near = kc_nearest(names->item[i], ids);
		return kc_err_set(err, -EINVAL, "%s %s: the profile has no such rule%s%s%s", option,
				  names->item[i], near ? "; did you mean " : "", near ? near : "",
				  near ? "?" : "");
	}
	return 0;
}

static int refuse_tag(const struct kc_profile *profile, const char *tag, struct kc_err *err)
{
	kc_cleanup(kc_freep) const char **tags = NULL;
	const char *near;
	size_t n = 0;

	for (uint32_t i = 0; i < profile->n_rules; i++)
		n += kc_strv_len(profile->rules[i].tags);
	tags = calloc(n + 1, sizeof(*tags));
	if (!tags)
		return kc_err_set(err, -ENOMEM, "out of memory");
	n = 0;
	for (uint32_t i = 0; i < profile->n_rules; i++)
		KC_FOREACH_STR (name, profile->rules[i].tags)
			tags[n++] = name;
	near = kc_nearest(tag, tags);
	return kc_err_set(err, -EINVAL, "--tag %s: no rule of the profile has it%s%s%s", tag,
			  near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static int check_tags(const struct kc_profile *profile, const struct kc_list *tags,
		      struct kc_err *err)
{
	for (size_t i = 0; i < tags->n; i++) {
		bool found = false;

		for (uint32_t k = 0; k < profile->n_rules && !found; k++)
			found = kc_strv_has(profile->rules[k].tags, tags->item[i]);
		if (!found)
			return refuse_tag(profile, tags->item[i], err);
	}
	return 0;
}

static bool matches(const struct kc_list *patterns, const char *id)
{
	for (size_t i = 0; i < patterns->n; i++) {
		if (fnmatch(patterns->item[i], id, 0) == 0)
			return true;
	}
	return false;
}

static bool has_tag(const struct kc_rule *rule, const struct kc_list *tags)
{
	for (size_t i = 0; i < tags->n; i++) {
		if (kc_strv_has(rule->tags, tags->item[i]))
			return true;
	}
	return false;
}

int kc_select(const struct kc_profile *profile, const struct kc_options *o, struct kc_err *err)
{
	uint32_t left = 0;
	int r;

	r = check_names(profile, "--rule", &o->rules, err);
	if (r >= 0)
		r = check_names(profile, "--skip", &o->skips, err);
	if (r >= 0)
		r = check_tags(profile, &o->tags, err);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		struct kc_rule *rule = profile->rules + i;

		rule->selected = (o->rules.n == 0 || matches(&o->rules, rule->id)) &&
				 !matches(&o->skips, rule->id) &&
				 (o->stages.n == 0 ||
				  kc_strv_has(o->stages.item, kc_stage_name(rule->stage))) &&
				 (o->tags.n == 0 || has_tag(rule, &o->tags));
		left += rule->selected;
	}
	if (left == 0)
		return kc_err_set(err, -EINVAL,
				  "no rule is left by --rule, --skip, --stage and --tag");
	return 0;
}
