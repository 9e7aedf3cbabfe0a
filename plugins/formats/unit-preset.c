/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "unit-internal.h"

static const char *const preset_dirs[] = { "/etc/systemd/system-preset",
					   "/usr/local/lib/systemd/system-preset",
					   "/usr/lib/systemd/system-preset",
					   "/lib/systemd/system-preset", NULL };

/* What stands behind a word at the start of a line; NULL when the line begins otherwise. */
static const char *after_word(const char *line, const char *word)
{
	const char *rest = kc_after_prefix(line, word);

	if (!rest || (*rest && !kc_unit_is_white(*rest)))
		return NULL;
	return rest + strspn(rest, KC_UNIT_WHITE);
}

/* "foo@.service a b": whether the name is the template, or one of its instances that are listed. */
static int matches_instances(struct kc_arena *arena, const char *pattern, const char *instances,
			     const char *name)
{
	const char *template, *instance;

	if (kc_unit_name_kind(pattern) != KC_UNIT_TEMPLATE ||
	    kc_unit_name_kind(name) == KC_UNIT_PLAIN)
		return 0;
	template = kc_unit_name_template(arena, name);
	instance = kc_unit_name_instance(arena, name);
	if (!template || !instance)
		return -ENOMEM;
	if (!kc_streq(template, pattern))
		return 0;
	while (*instances) {
		size_t n = strcspn(instances, KC_UNIT_WHITE);

		if (!*instance || (strlen(instance) == n && memcmp(instance, instances, n) == 0))
			return 1;
		instances += n;
		instances += strspn(instances, KC_UNIT_WHITE);
	}
	return 0;
}

/* 1 when a rule's pattern, with the instances it may list, is about the name. */
static int matches(struct kc_arena *arena, const char *rule, bool may_list, const char *name)
{
	size_t n = may_list ? strcspn(rule, KC_UNIT_WHITE) : strlen(rule);
	const char *pattern = kc_arena_memdup(arena, rule, n);

	if (!pattern)
		return -ENOMEM;
	rule += n;
	rule += strspn(rule, KC_UNIT_WHITE);
	if (*rule && kc_unit_name_kind(pattern) != KC_UNIT_TEMPLATE)
		return 0;
	if (fnmatch(pattern, name, FNM_NOESCAPE) == 0)
		return 1;
	return *rule ? matches_instances(arena, pattern, rule, name) : 0;
}

/* Looks for the first rule of a file about the name. */
static int query_file(const struct kc_unit_folders *folders, const char *path, const char *name,
		      const char **ret_preset)
{
	struct kc_arena *arena = folders->arena;
	struct kc_bytes bytes;
	unsigned number = 0;
	size_t i = 0;
	int r;

	r = kc_read_file(folders->host, folders->run, path, KC_UNIT_FILE_MAX, &bytes);
	while (!r && i < bytes.size) {
		size_t n = strcspn(bytes.data + i, "\n");
		char *line = kc_arena_memdup(arena, bytes.data + i, n);
		const char *rule;
		bool enable;

		if (!line)
			return -ENOMEM;
		number++;
		i += n + 1;
		line = kc_strstrip(line);
		rule = after_word(line, "enable");
		enable = rule;
		if (!rule)
			rule = after_word(line, "disable");
		if (!rule)
			continue;
		r = matches(arena, rule, enable, name);
		if (r > 0) {
			*ret_preset =
				kc_arena_printf(arena, "%s by %s:%u",
						enable ? "enabled" : "disabled", path, number);
			return *ret_preset ? 0 : -ENOMEM;
		}
	}
	return r;
}

int kc_unit_preset(const struct kc_unit_folders *folders, const char *name, const char **ret_preset)
{
	struct kc_conf_files files = { 0 };
	const char *preset = NULL;
	int r = 0;

	KC_FOREACH_STR (dir, preset_dirs) {
		if (kc_unit_path_is_double(folders->host, folders->run, dir))
			continue;
		r = kc_conf_files_add(folders, dir, ".preset", &files);
		if (r)
			return r;
	}
	kc_conf_files_sort(&files);
	for (size_t i = 0; !r && !preset && i < files.n; i++) {
		r = kc_conf_file_is_void(folders, files.item[i].path);
		if (r < 0)
			return r;
		r = r ? 0 : query_file(folders, files.item[i].path, name, &preset);
	}
	if (r)
		return r;
	*ret_preset = preset;
	return 0;
}
