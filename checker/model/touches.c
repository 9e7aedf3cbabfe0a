/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "base/str.h"
#include "touches.h"

/* Exact, or with "*" within one component of a path. */
static bool is_named(const char *entry, const char *target)
{
	return fnmatch(entry, target, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

static bool is_value(const char *value, const char *rest, const char *target)
{
	const char *behind = kc_after_prefix(target, value);

	if (!behind)
		return false;
	if (*rest)
		return is_named(rest, behind);
	return !*behind || (kc_streq(behind, ".service") && !strchr(value, '.'));
}

/* $NAME and $NAME/REST: a text, each item of a list, each key of a map; or else the default. */
static bool is_param(const struct kc_rule *rule, const char *entry, const char *target)
{
	size_t n = strcspn(entry, "/");
	const struct kc_manifest_check *check = rule->check;

	for (uint32_t i = 0; i < check->n_params; i++) {
		const struct kc_value *value = &rule->params[i];

		if (strlen(check->params[i].name) != n ||
		    strncmp(check->params[i].name, entry, n) != 0)
			continue;
		if (value->type == 0)
			value = &check->params[i].value;
		if (value->type == KC_TYPE_STRING || value->type == KC_TYPE_CHOICE)
			return is_value(value->string, entry + n, target);
		for (uint32_t k = 0; value->type == KC_TYPE_LIST && k < value->n; k++)
			if (is_value(value->list[k], entry + n, target))
				return true;
		for (uint32_t k = 0; value->type == KC_TYPE_MAP && k < value->n; k++)
			if (is_value(value->map[k].key, entry + n, target))
				return true;
	}
	return false;
}

bool kc_touches_name(const struct kc_rule *rule, const char *target)
{
	KC_FOREACH_STR (entry, rule->check->touches)
		if (*entry == '$' ? is_param(rule, entry + 1, target) : is_named(entry, target))
			return true;
	return false;
}

bool kc_touches_step(const struct kc_rule *rule, const struct kc_step *step)
{
	switch (step->kind) {
	case KC_STEP_MANUAL:
	case KC_STEP_SYSTEMD_RELOAD:
		return true;
	case KC_STEP_SELINUX_MODE:
		return kc_touches_name(rule, "/sys/fs/selinux/enforce");
	case KC_STEP_FIREWALLD_ZONE:
	case KC_STEP_FIREWALLD_PORT:
		return step->target && step->content && kc_touches_name(rule, step->target) &&
		       kc_touches_name(rule, step->content);
	default:
		return step->target && kc_touches_name(rule, step->target);
	}
}
