/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

/* "foo-bar-baz" to "foo-bar-", "foo-bar-" to "foo-"; false when nothing is left to shorten. */
static bool shorten_prefix(char *prefix)
{
	size_t n = strlen(prefix);

	if (n && prefix[n - 1] == '-')
		n--;
	while (n && prefix[n - 1] != '-')
		n--;
	prefix[n] = '\0';
	return n > 1;
}

/* Adds the drop-ins of one folder below a unit folder, if that lists it. */
static int add_folder(const struct kc_unit_folders *folders, const struct kc_unit_dir *dir,
		      const char *name, struct kc_conf_files *dropins)
{
	const char *path;

	if (!kc_unit_dir_has(dir, name))
		return 0;
	path = kc_unit_path(folders->arena, dir->path, name);
	return path ? kc_conf_files_add(folders, path, ".conf", dropins) : -ENOMEM;
}

/*
 * The drop-in folders of one name below one unit folder: its own, its template's, then those of its
 * prefixes from the longest on.
 */
static int add_name(const struct kc_unit_folders *folders, const struct kc_unit_dir *dir,
		    const char *name, struct kc_conf_files *dropins)
{
	struct kc_arena *arena = folders->arena;
	const char *instance = kc_unit_name_instance(arena, name), *type = strrchr(name, '.');
	char *prefix = (char *)kc_unit_name_prefix(arena, name);
	const char *at = strchr(name, '@') ? "@" : "";

	if (!instance || !prefix)
		return -ENOMEM;
	do {
		const char *own, *template;
		int r;

		own = kc_arena_printf(arena, "%s%s%s%s.d", prefix, at, instance, type);
		template = kc_arena_printf(arena, "%s%s%s.d", prefix, at, type);
		if (!own || !template)
			return -ENOMEM;
		r = add_folder(folders, dir, own, dropins);
		if (!r && *instance)
			r = add_folder(folders, dir, template, dropins);
		if (r)
			return r;
	} while (shorten_prefix(prefix));
	return 0;
}

/* All drop-ins, in the order they apply. */
static int find_dropins(const struct kc_unit_folders *folders, const struct kc_unit_names *names,
			struct kc_conf_files *dropins)
{
	const char *type_dir;
	int r;

	for (size_t i = 0; i < names->n; i++)
		for (size_t j = 0; j < folders->n; j++) {
			r = add_name(folders, &folders->dir[j], names->item[i], dropins);
			if (r)
				return r;
		}
	type_dir = kc_arena_printf(folders->arena, "%s.d", kc_unit_name_type(names->item[0]));
	if (!type_dir)
		return -ENOMEM;
	for (size_t j = 0; j < folders->n; j++) {
		r = add_folder(folders, &folders->dir[j], type_dir, dropins);
		if (r)
			return r;
	}
	kc_conf_files_sort(dropins);
	return 0;
}

int kc_unit_read(const struct kc_unit_folders *folders, const char *path,
		 struct kc_unit_settings *settings, const char **ret_fault)
{
	struct kc_bytes bytes;
	int r;

	r = kc_read_file(folders->host, folders->run, path, KC_UNIT_FILE_MAX, &bytes);
	if (r)
		return r;
	return kc_unit_parse(path, bytes.data, bytes.size, folders->arena, settings, ret_fault);
}

static int load_dropins(struct kc_unit_folders *folders, struct kc_unit_file *unit,
			struct kc_unit_settings *settings)
{
	struct kc_unit_names names;
	struct kc_conf_files dropins = { 0 };
	const char **paths;
	size_t n = 0;
	int r;

	r = kc_unit_names_of(folders, unit->canonical, &names);
	if (!r)
		r = find_dropins(folders, &names, &dropins);
	if (r)
		return r;
	paths = kc_arena_zalloc(folders->arena, dropins.n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < dropins.n; i++) {
		const char *fault = NULL;

		r = kc_conf_file_is_void(folders, dropins.item[i].path);
		if (r < 0)
			return r;
		if (r)
			continue;
		r = kc_unit_read(folders, dropins.item[i].path, settings, &fault);
		if (r)
			return r;
		/* systemd keeps what stands before the fault, and goes on with the next drop-in. */
		if (fault)
			kc_log(folders->host, folders->run, KC_LOG_WARNING, fault);
		paths[n++] = dropins.item[i].path;
	}
	unit->dropins = paths;
	return 0;
}

static int load_found(struct kc_unit_folders *folders, const struct kc_unit_found *found,
		      struct kc_unit_file *unit, struct kc_unit_settings *settings)
{
	int r;

	if (found->loops) {
		unit->fault = kc_arena_printf(folders->arena,
					      "%s is a link in a chain of more than %d names, "
					      "which systemd does not follow",
					      found->entry.path, KC_UNIT_HOPS_MAX);
		return unit->fault ? 0 : -ENOMEM;
	}
	if (found->entry.type == KC_ENTRY_BROKEN) {
		unit->fault = kc_arena_printf(folders->arena,
					      "%s is a link to %s, where there is no file",
					      found->entry.path, found->entry.target);
		return unit->fault ? 0 : -ENOMEM;
	}
	if (found->entry.type == KC_ENTRY_NONE)
		return 0;
	unit->fragment = found->entry.path;
	unit->masked = found->entry.type == KC_ENTRY_MASK;
	if (unit->masked)
		return 0;
	r = kc_unit_read(folders, unit->fragment, settings, &unit->fault);
	return r ? r : load_dropins(folders, unit, settings);
}

/* A unit of that name, with nothing read of it yet. */
static struct kc_unit_file *new_unit(struct kc_arena *arena, const char *name)
{
	static const char *const no_dropins[] = { NULL };
	struct kc_unit_file *unit = kc_arena_zalloc(arena, 1, sizeof(*unit));

	name = kc_arena_strdup(arena, name);
	if (!unit || !name)
		return NULL;
	unit->name = name;
	unit->canonical = name;
	unit->dropins = no_dropins;
	return unit;
}

int kc_unit_load(struct kc_unit_folders *folders, const char *name,
		 const struct kc_unit_file **ret_unit)
{
	struct kc_unit_settings settings = { 0 };
	struct kc_unit_found found;
	struct kc_unit_file *unit;
	int r;

	if (kc_unit_name_kind(name) < 0)
		return -EINVAL;
	unit = new_unit(folders->arena, name);
	if (!unit)
		return -ENOMEM;
	r = kc_unit_find(folders, unit->name, &found);
	if (r)
		return r;
	unit->canonical = found.name;
	r = load_found(folders, &found, unit, &settings);
	if (r)
		return r;
	unit->setting = settings.item;
	unit->n_settings = settings.n;
	*ret_unit = unit;
	return 0;
}

int kc_unit_file_load(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const char *name, const struct kc_unit_file **ret_unit)
{
	struct kc_unit_folders folders;
	int r;

	if (kc_unit_name_kind(name) < 0)
		return -EINVAL;
	r = kc_unit_is_nowhere(host, run, arena, name);
	if (r > 0) {
		*ret_unit = new_unit(arena, name);
		return *ret_unit ? 0 : -ENOMEM;
	}
	if (!r)
		r = kc_unit_folders_open(host, run, arena, &folders);
	return r ? r : kc_unit_load(&folders, name, ret_unit);
}
