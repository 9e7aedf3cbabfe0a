/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "base/str.h"
#include "touches.h"

/* What an entry or a value names by its form: bits, since a word may be one of several. */
enum {
	OF_PATH = 1u << 0,
	OF_UNIT = 1u << 1,
	OF_SYSCTL = 1u << 2,
	OF_MODULE = 1u << 3,
	OF_FIREWALL = 1u << 4, /* a zone, or a port */
	OF_ANY = OF_PATH | OF_UNIT | OF_SYSCTL | OF_MODULE | OF_FIREWALL,
};

static unsigned needed_by(uint32_t kind)
{
	switch (kind) {
	case KC_STEP_MAKE_DIR:
	case KC_STEP_WRITE_FILE:
	case KC_STEP_EDIT_FILE:
	case KC_STEP_MOVE_ASIDE:
	case KC_STEP_REMOVE_FILE:
	case KC_STEP_SET_MODE:
	case KC_STEP_SWAP_OFF:
		return OF_PATH;
	case KC_STEP_SYSCTL:
		return OF_SYSCTL;
	case KC_STEP_LOAD_MODULE:
		return OF_MODULE;
	case KC_STEP_UNIT_ENABLE:
	case KC_STEP_UNIT_DISABLE:
	case KC_STEP_UNIT_MASK:
	case KC_STEP_UNIT_START:
	case KC_STEP_UNIT_STOP:
	case KC_STEP_UNIT_RESTART:
		return OF_UNIT;
	default:
		return 0;
	}
}

/* systemd.unit(5); no sysctl ends so. */
static bool has_unit_type(const char *name)
{
	static const char *const types[] = { ".service", ".socket", ".target",	  ".timer",
					     ".path",	 ".mount",  ".automount", ".swap",
					     ".device",	 ".slice",  ".scope",	  NULL };

	KC_FOREACH_STR (type, types) {
		if (kc_endswith(name, type))
			return true;
	}
	return false;
}

static unsigned form_of(const char *name)
{
	if (*name == '/')
		return OF_PATH;
	if (has_unit_type(name))
		return OF_UNIT;
	/* "6443/tcp" is a port, and no key has so few parts; firewalld has no other use for one. */
	if (strpbrk(name, "./"))
		return OF_SYSCTL | OF_FIREWALL;
	return OF_MODULE | OF_FIREWALL;
}

/* What a parameter says of its values by its own name. */
static unsigned kinds_of_param(const char *name)
{
	static const char *const units[] = { "unit", "units", "service", "services", NULL };
	static const char *const modules[] = { "module", "modules", NULL };

	if (kc_strv_has(units, name))
		return OF_UNIT;
	return kc_strv_has(modules, name) ? OF_MODULE : OF_ANY;
}

/* Exact, or with "*" within one component of a path. */
static bool is_named(const char *entry, const char *target)
{
	return fnmatch(entry, target, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

static bool is_value(const char *value, const char *rest, unsigned needed, const char *target)
{
	const char *behind = kc_after_prefix(target, value);
	const bool typeless = *value != '/' && !strpbrk(value, "./");

	if (!behind || !(needed & (form_of(value) | (typeless ? OF_UNIT : 0))))
		return false;
	if (*rest)
		return *value == '/' && is_named(rest, behind);
	return !*behind || (needed == OF_UNIT && typeless && kc_streq(behind, ".service"));
}

/* $NAME and $NAME/REST: a text, each item of a list, each key of a map; or else the default. */
static bool is_param(const struct kc_rule *rule, const char *entry, unsigned needed,
		     const char *target)
{
	size_t n = strcspn(entry, "/");
	const struct kc_manifest_check *check = rule->check;

	for (uint32_t i = 0; i < check->n_params; i++) {
		const struct kc_value *value = &rule->params[i];
		const char *name = check->params[i].name;

		if (strlen(name) != n || strncmp(name, entry, n) != 0 ||
		    !(kinds_of_param(name) & needed))
			continue;
		if (value->type == 0)
			value = &check->params[i].value;
		if (value->type == KC_TYPE_STRING || value->type == KC_TYPE_CHOICE)
			return is_value(value->string, entry + n, needed, target);
		for (uint32_t k = 0; value->type == KC_TYPE_LIST && k < value->n; k++)
			if (is_value(value->list[k], entry + n, needed, target))
				return true;
		for (uint32_t k = 0; value->type == KC_TYPE_MAP && k < value->n; k++)
			if (is_value(value->map[k].key, entry + n, needed, target))
				return true;
	}
	return false;
}

static bool is_touched(const struct kc_rule *rule, unsigned needed, const char *target)
{
	KC_FOREACH_STR (entry, rule->check->touches)
		if (*entry == '$' ? is_param(rule, entry + 1, needed, target)
				  : (form_of(entry) & needed) && is_named(entry, target))
			return true;
	return false;
}

bool kc_touches_name(const struct kc_rule *rule, uint32_t kind, const char *target)
{
	const unsigned needed = needed_by(kind);

	if (!needed)
		return false;
	/* What may be in use as swap, nobody knows before; the kernel has a list of what is. */
	if (kind == KC_STEP_SWAP_OFF && kc_strv_has(rule->check->touches, "/proc/swaps"))
		return *target == '/';
	return is_touched(rule, needed, target);
}

bool kc_touches_step(const struct kc_rule *rule, const struct kc_step *step)
{
	switch (step->kind) {
	case KC_STEP_MANUAL:
	case KC_STEP_SYSTEMD_RELOAD:
		return true;
	case KC_STEP_SELINUX_MODE:
		return is_touched(rule, OF_PATH, "/sys/fs/selinux/enforce");
	case KC_STEP_FIREWALLD_ZONE:
		return step->target && step->content && is_touched(rule, OF_UNIT, step->target) &&
		       is_touched(rule, OF_FIREWALL, step->content);
	case KC_STEP_FIREWALLD_PORT:
		return step->target && step->content &&
		       is_touched(rule, OF_FIREWALL, step->target) &&
		       is_touched(rule, OF_FIREWALL, step->content);
	default:
		return step->target && kc_touches_name(rule, step->kind, step->target);
	}
}
