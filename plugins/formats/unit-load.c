/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

/* A set of names, in the order they were found. */
struct names {
	const char **item;
	size_t n, size;
};

struct dropin {
	const char *base; /* behind the last slash of path */
	const char *path;
};

struct dropins {
	struct dropin *item;
	size_t n, size;
};

static int names_add(struct names *names, struct kc_arena *arena, const char *name)
{
	const char **items;

	for (size_t i = 0; i < names->n; i++)
		if (kc_streq(names->item[i], name))
			return 0;
	if (names->n >= KC_UNIT_ALIASES_MAX)
		return -E2BIG;
	items = kc_unit_grow(arena, names->item, names->n, &names->size, sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->item = items;
	names->item[names->n++] = name;
	return 0;
}

/* Adds what an alias is called for this unit: that of a template carries the instance. */
static int add_alias(const struct kc_unit_folders *folders, const char *alias,
		     const char *canonical, struct names *names)
{
	struct kc_unit_found found;
	int r;

	if (kc_unit_name_kind(alias) == KC_UNIT_TEMPLATE &&
	    kc_unit_name_kind(canonical) == KC_UNIT_INSTANCE) {
		const char *instance = kc_unit_name_instance(folders->arena, canonical);

		alias = instance ? kc_unit_name_with(folders->arena, alias, instance) : NULL;
		if (!alias)
			return -ENOMEM;
	}
	r = kc_unit_find(folders, alias, &found);
	if (r)
		return r;
	return !found.loops && kc_streq(found.name, canonical)
		       ? names_add(names, folders->arena, alias)
		       : 0;
}

/* All names of a unit: its drop-in folders may be called after any of them. */
static int find_aliases(const struct kc_unit_folders *folders, const char *canonical,
			struct names *names)
{
	const char *type = strrchr(canonical, '.');

	for (size_t i = 0; i < folders->n; i++) {
		const struct kc_unit_dir *dir = &folders->dir[i];

		for (size_t j = 0; j < dir->names.n; j++) {
			const char *name = dir->names.item[j], *path, *target;
			int r;

			if (!kc_endswith(name, type) || kc_unit_name_kind(name) < 0)
				continue;
			path = kc_unit_path(folders->arena, dir->path, name);
			if (!path)
				return -ENOMEM;
			r = kc_unit_link_target(folders, path, &target);
			if (r == -EINVAL || r == -ENOENT)
				continue;
			if (!r && kc_unit_in_folders(folders, target))
				r = add_alias(folders, name, canonical, names);
			if (r)
				return r;
		}
	}
	return 0;
}

/* Adds the drop-ins of one folder; a name that an earlier folder had is beaten by that. */
static int add_dropins(const struct kc_unit_folders *folders, const char *path,
		       struct dropins *dropins)
{
	struct kc_strings names;
	int r;

	r = kc_list_dir(folders->host, folders->run, path, &names);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	for (size_t i = 0; !r && i < names.n; i++) {
		struct kc_stat stat = { .size_of = sizeof(stat) };
		const char *base = names.item[i];
		struct dropin *items;
		bool beaten = false;

		if (*base == '.' || !kc_endswith(base, ".conf"))
			continue;
		for (size_t j = 0; j < dropins->n && !beaten; j++)
			beaten = kc_streq(dropins->item[j].base, base);
		if (beaten)
			continue;
		if (dropins->n >= KC_UNIT_DROPINS_MAX)
			return -E2BIG;
		items = kc_unit_grow(folders->arena, dropins->item, dropins->n, &dropins->size,
				     sizeof(*items));
		if (!items)
			return -ENOMEM;
		dropins->item = items;
		items[dropins->n].path = kc_unit_path(folders->arena, path, base);
		if (!items[dropins->n].path)
			return -ENOMEM;
		r = kc_stat(folders->host, folders->run, items[dropins->n].path, KC_NOFOLLOW,
			    &stat);
		if (r || (stat.type != KC_FILE_REGULAR && stat.type != KC_FILE_SYMLINK))
			continue;
		items[dropins->n].base = strrchr(items[dropins->n].path, '/') + 1;
		dropins->n++;
	}
	return r;
}

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

/* The folders NAME.d below one unit folder for a name and the prefixes of it, from the longest on.
 */
static int add_prefix_dropins(const struct kc_unit_folders *folders, const struct kc_unit_dir *dir,
			      const char *name, const char *instance, struct dropins *dropins)
{
	struct kc_arena *arena = folders->arena;
	char *prefix = (char *)kc_unit_name_prefix(arena, name);
	const char *at = strchr(name, '@') ? "@" : "", *type = strrchr(name, '.');

	if (!prefix)
		return -ENOMEM;
	do {
		const char *folder, *path;
		int r;

		folder = kc_arena_printf(arena, "%s%s%s%s.d", prefix, at, instance, type);
		if (!folder)
			return -ENOMEM;
		if (!kc_unit_dir_has(dir, folder))
			continue;
		path = kc_unit_path(arena, dir->path, folder);
		r = path ? add_dropins(folders, path, dropins) : -ENOMEM;
		if (r)
			return r;
	} while (shorten_prefix(prefix));
	return 0;
}

/*
 * The drop-in folders of one name below one unit folder: its own, then those of its template, then
 * those of its prefixes.
 */
static int add_name_dropins(const struct kc_unit_folders *folders, const struct kc_unit_dir *dir,
			    const char *name, struct dropins *dropins)
{
	const char *instance = kc_unit_name_instance(folders->arena, name), *path, *own;
	int r;

	if (!instance)
		return -ENOMEM;
	own = kc_arena_printf(folders->arena, "%s.d", name);
	path = own ? kc_unit_path(folders->arena, dir->path, own) : NULL;
	if (!path)
		return -ENOMEM;
	r = kc_unit_dir_has(dir, own) ? add_dropins(folders, path, dropins) : 0;
	if (!r && *instance)
		r = add_prefix_dropins(folders, dir, name, "", dropins);
	return r ? r : add_prefix_dropins(folders, dir, name, instance, dropins);
}

static int compare_dropins(const void *a, const void *b)
{
	return strcmp(((const struct dropin *)a)->base, ((const struct dropin *)b)->base);
}

/* All drop-ins, in the order they apply: by name, whatever folder they are in. */
static int find_dropins(const struct kc_unit_folders *folders, const struct names *names,
			struct dropins *dropins)
{
	const char *type_dir;
	int r;

	for (size_t i = 0; i < names->n; i++)
		for (size_t j = 0; j < folders->n; j++) {
			r = add_name_dropins(folders, &folders->dir[j], names->item[i], dropins);
			if (r)
				return r;
		}
	type_dir = kc_arena_printf(folders->arena, "%s.d", kc_unit_name_type(names->item[0]));
	if (!type_dir)
		return -ENOMEM;
	for (size_t j = 0; j < folders->n; j++) {
		const char *path;

		if (!kc_unit_dir_has(&folders->dir[j], type_dir))
			continue;
		path = kc_unit_path(folders->arena, folders->dir[j].path, type_dir);
		r = path ? add_dropins(folders, path, dropins) : -ENOMEM;
		if (r)
			return r;
	}
	if (dropins->n)
		qsort(dropins->item, dropins->n, sizeof(dropins->item[0]), compare_dropins);
	return 0;
}

static int read_settings(const struct kc_unit_folders *folders, const char *path,
			 struct kc_unit_settings *settings, const char **ret_fault)
{
	struct kc_bytes bytes;
	int r;

	r = kc_read_file(folders->host, folders->run, path, KC_UNIT_FILE_MAX, &bytes);
	if (r)
		return r;
	return kc_unit_parse(path, bytes.data, bytes.size, folders->arena, settings, ret_fault);
}

/* Whether a drop-in is a link that leads nowhere, or to /dev/null: it then says nothing. */
static int is_void(const struct kc_unit_folders *folders, const char *path)
{
	const char *at = path;
	struct kc_stat stat = { .size_of = sizeof(stat) };
	int r;

	for (unsigned hop = 0; hop < KC_UNIT_HOPS_MAX; hop++) {
		r = kc_unit_link_target(folders, at, &at);
		if (r == -EINVAL || r == -ENOENT || r == -ENOTDIR)
			break;
		if (r)
			return r;
		if (kc_streq(at, "/dev/null"))
			return 1;
	}
	r = kc_stat(folders->host, folders->run, path, 0, &stat);
	return r == -ENOENT ? 1 : 0;
}

static int load_dropins(const struct kc_unit_folders *folders, struct kc_unit_file *unit,
			struct kc_unit_settings *settings)
{
	struct names names = { 0 };
	struct dropins dropins = { 0 };
	const char **paths;
	size_t n = 0;
	int r;

	r = names_add(&names, folders->arena, unit->canonical);
	if (!r)
		r = find_aliases(folders, unit->canonical, &names);
	if (!r)
		r = find_dropins(folders, &names, &dropins);
	if (r)
		return r;
	paths = kc_arena_zalloc(folders->arena, dropins.n + 1, sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	for (size_t i = 0; i < dropins.n; i++) {
		const char *fault = NULL;

		r = is_void(folders, dropins.item[i].path);
		if (r < 0)
			return r;
		if (r)
			continue;
		r = read_settings(folders, dropins.item[i].path, settings, &fault);
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

static int load_found(const struct kc_unit_folders *folders, const struct kc_unit_found *found,
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
	r = read_settings(folders, unit->fragment, settings, &unit->fault);
	return r ? r : load_dropins(folders, unit, settings);
}

int kc_unit_file_load(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const char *name, const struct kc_unit_file **ret_unit)
{
	static const char *const no_dropins[] = { NULL };
	struct kc_unit_folders folders;
	struct kc_unit_settings settings = { 0 };
	struct kc_unit_found found;
	struct kc_unit_file *unit;
	int r;

	if (kc_unit_name_kind(name) < 0)
		return -EINVAL;
	unit = kc_arena_zalloc(arena, 1, sizeof(*unit));
	name = kc_arena_strdup(arena, name);
	if (!unit || !name)
		return -ENOMEM;
	r = kc_unit_folders_open(host, run, arena, &folders);
	if (!r)
		r = kc_unit_find(&folders, name, &found);
	if (r)
		return r;
	unit->name = name;
	unit->canonical = found.name;
	unit->dropins = no_dropins;
	r = load_found(&folders, &found, unit, &settings);
	if (r)
		return r;
	unit->setting = settings.item;
	unit->n_settings = settings.n;
	*ret_unit = unit;
	return 0;
}
