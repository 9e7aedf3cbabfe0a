/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

static const char *const unit_types[] = { "service", "socket",	  "target", "device",
					  "mount",   "automount", "swap",   "timer",
					  "path",    "slice",	  "scope",  NULL };

const char *kc_unit_name_type(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && kc_strv_has(unit_types, dot + 1) ? dot + 1 : NULL;
}

size_t kc_unit_type_index(const char *name)
{
	const char *type = strrchr(name, '.') + 1;
	size_t i = 0;

	while (i < KC_UNIT_TYPES - 1 && !kc_streq(unit_types[i], type))
		i++;
	return i;
}

static bool is_one_of(const char *type, const char *const *list)
{
	return type && kc_strv_has(list, type);
}

bool kc_unit_type_may_alias(const char *name)
{
	static const char *const types[] = { "service", "socket", "target", "device",
					     "timer",	"path",	  NULL };

	return is_one_of(kc_unit_name_type(name), types);
}

bool kc_unit_type_may_template(const char *name)
{
	static const char *const types[] = { "service", "socket", "target", "timer", "path", NULL };

	return is_one_of(kc_unit_name_type(name), types);
}

int kc_unit_name_kind(const char *name)
{
	const char *dot = strrchr(name, '.'), *at = NULL;

	if (!dot || dot == name || strlen(name) > KC_UNIT_NAME_MAX || !kc_unit_name_type(name))
		return -EINVAL;
	for (const char *c = name; c < dot; c++) {
		if (*c == '@' && !at)
			at = c;
		if (*c != '@' && !strchr(":-_.\\", *c) && !(*c >= '0' && *c <= '9') &&
		    !(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z'))
			return -EINVAL;
	}
	if (!at)
		return KC_UNIT_PLAIN;
	if (at == name)
		return -EINVAL;
	return at + 1 == dot ? KC_UNIT_TEMPLATE : KC_UNIT_INSTANCE;
}

/* Where the prefix ends: at the @, or at the dot of the type. */
static size_t prefix_length(const char *name)
{
	const char *at = strchr(name, '@');

	return (size_t)((at ? at : strrchr(name, '.')) - name);
}

const char *kc_unit_name_prefix(struct kc_arena *arena, const char *name)
{
	return kc_arena_memdup(arena, name, prefix_length(name));
}

const char *kc_unit_name_instance(struct kc_arena *arena, const char *name)
{
	const char *at = strchr(name, '@');

	if (!at)
		return "";
	return kc_arena_memdup(arena, at + 1, (size_t)(strrchr(name, '.') - at - 1));
}

const char *kc_unit_name_with(struct kc_arena *arena, const char *name, const char *instance)
{
	return kc_arena_printf(arena, "%.*s@%s%s", (int)prefix_length(name), name, instance,
			       strrchr(name, '.'));
}

const char *kc_unit_name_template(struct kc_arena *arena, const char *name)
{
	return kc_unit_name_with(arena, name, "");
}

const char *kc_unit_name_complete(struct kc_arena *arena, const char *name)
{
	const char *full;

	full = kc_unit_name_type(name) ? kc_arena_strdup(arena, name)
				       : kc_arena_printf(arena, "%s.service", name);
	return full && kc_unit_name_kind(full) > 0 ? full : NULL;
}
