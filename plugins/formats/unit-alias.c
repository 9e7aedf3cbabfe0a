/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

int kc_unit_names_add(struct kc_unit_names *names, struct kc_arena *arena, const char *name)
{
	const char **items;

	for (size_t i = 0; i < names->n; i++)
		if (kc_streq(names->item[i], name))
			return 0;
	if (names->n >= KC_UNIT_ALIASES_MAX)
		return -E2BIG;
	items = kc_arena_grow(arena, names->item, names->n, &names->size, sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->item = items;
	names->item[names->n++] = name;
	return 0;
}

/* Notes a name of a unit folder, if it is a link to a unit in one of them. */
static int note_alias(const struct kc_unit_folders *folders, const struct kc_unit_dir *dir,
		      const char *name, struct kc_unit_aliases *aliases)
{
	struct kc_unit_alias *items;
	const char *path, *target, *to;
	int r;

	path = kc_unit_path(folders->arena, dir->path, name);
	if (!path)
		return -ENOMEM;
	r = kc_unit_link_target(folders, path, &target);
	if (r == -EINVAL || r == -ENOENT)
		return 0;
	if (r || !kc_unit_in_folders(folders, target))
		return r;
	to = strrchr(target, '/') + 1;
	if (kc_streq(to, name))
		return 0;
	if (aliases->n >= KC_UNIT_ALIASES_MAX)
		return -E2BIG;
	items = kc_arena_grow(folders->arena, aliases->item, aliases->n, &aliases->size,
			      sizeof(*items));
	if (!items)
		return -ENOMEM;
	aliases->item = items;
	items[aliases->n++] = (struct kc_unit_alias){ .name = name, .to = to };
	return 0;
}

/*
 * Whether links lead from a name to the unit, whichever folder counts. Each link is followed once
 * for a question, of which `number` is the number.
 */
static bool may_lead(struct kc_unit_aliases *aliases, const char *from, const char *canonical,
		     size_t hops, uint32_t number)
{
	if (kc_streq(from, canonical))
		return true;
	for (size_t i = 0; hops > 0 && i < aliases->n; i++) {
		struct kc_unit_alias *alias = &aliases->item[i];

		if (alias->followed == number || !kc_streq(alias->name, from))
			continue;
		alias->followed = number;
		if (may_lead(aliases, alias->to, canonical, hops - 1, number))
			return true;
	}
	return false;
}

/*
 * What systemd takes an alias for. Most have nothing to do with the unit that is asked for, and are
 * not looked into; with templates, what a name comes to depends on the instance.
 */
static int know_alias(const struct kc_unit_folders *folders, struct kc_unit_aliases *aliases,
		      const char *canonical, struct kc_unit_alias *alias)
{
	struct kc_unit_found found;
	int r;

	if (alias->known)
		return 0;
	if (!strchr(canonical, '@') && !strchr(alias->name, '@') &&
	    !may_lead(aliases, alias->to, canonical, aliases->n, ++aliases->questions))
		return 0;
	r = kc_unit_find(folders, alias->name, &found);
	if (r)
		return r;
	if (!found.loops && !kc_streq(found.name, alias->name))
		alias->canonical = found.name;
	alias->known = true;
	return 0;
}

/* The names of a folder that may be links; all of them where the host cannot tell. */
static int list_links(const struct kc_unit_folders *folders, struct kc_unit_dir *dir)
{
	int r;

	if (dir->links_known)
		return 0;
	r = kc_list_links(folders->host, folders->run, dir->path, &dir->links);
	if (r == -ENOSYS)
		dir->links = dir->names;
	else if (r < 0)
		return r;
	dir->links_known = true;
	return 0;
}

int kc_unit_dir_has_link(const struct kc_unit_folders *folders, struct kc_unit_dir *dir,
			 const char *name)
{
	const char *path, *target;
	int r = list_links(folders, dir);

	if (r < 0)
		return r;
	for (size_t i = 0; i < dir->links.n; i++) {
		if (!kc_streq(dir->links.item[i], name))
			continue;
		if (dir->links.item != dir->names.item)
			return 1;
		/* The host cannot tell links from others. */
		path = kc_unit_path(folders->arena, dir->path, name);
		r = path ? kc_read_link(folders->host, folders->run, path, &target) : -ENOMEM;
		return r == 0 ? 1 : r == -EINVAL ? 0 : r;
	}
	return 0;
}

/* All aliases of units of a type. */
static int find_aliases(struct kc_unit_folders *folders, const char *suffix,
			struct kc_unit_aliases *aliases)
{
	for (size_t i = 0; i < folders->n; i++) {
		struct kc_unit_dir *dir = &folders->dir[i];
		int r = list_links(folders, dir);

		if (r < 0)
			return r;
		for (size_t j = 0; j < dir->links.n; j++) {
			const char *name = dir->links.item[j];

			if (!kc_endswith(name, suffix) || kc_unit_name_kind(name) < 0)
				continue;
			r = note_alias(folders, dir, name, aliases);
			if (r)
				return r;
		}
	}
	aliases->known = true;
	return 0;
}

/* Adds what the alias of a template is called for this instance, if that leads here, too. */
static int add_instance(const struct kc_unit_folders *folders, const char *alias,
			const char *canonical, struct kc_unit_names *names)
{
	const char *instance = kc_unit_name_instance(folders->arena, canonical), *name;
	struct kc_unit_found found;
	int r;

	name = instance ? kc_unit_name_with(folders->arena, alias, instance) : NULL;
	if (!name)
		return -ENOMEM;
	r = kc_unit_find(folders, name, &found);
	if (r || found.loops || !kc_streq(found.name, canonical))
		return r;
	return kc_unit_names_add(names, folders->arena, name);
}

int kc_unit_names_of(struct kc_unit_folders *folders, const char *canonical,
		     struct kc_unit_names *ret_names)
{
	struct kc_unit_aliases *aliases = &folders->aliases[kc_unit_type_index(canonical)];
	struct kc_unit_names names = { 0 };
	const char *template = NULL;
	int r;

	if (!aliases->known) {
		r = find_aliases(folders, strrchr(canonical, '.'), aliases);
		if (r)
			return r;
	}
	if (kc_unit_name_kind(canonical) == KC_UNIT_INSTANCE) {
		template = kc_unit_name_template(folders->arena, canonical);
		if (!template)
			return -ENOMEM;
	}
	r = kc_unit_names_add(&names, folders->arena, canonical);
	for (size_t i = 0; !r && i < aliases->n; i++) {
		struct kc_unit_alias *alias = &aliases->item[i];

		r = know_alias(folders, aliases, canonical, alias);
		if (r || !alias->canonical)
			continue;
		if (kc_streq(alias->canonical, canonical))
			r = kc_unit_names_add(&names, folders->arena, alias->name);
		else if (template && kc_streq(alias->canonical, template))
			r = add_instance(folders, alias->name, canonical, &names);
	}
	if (r)
		return r;
	*ret_names = names;
	return 0;
}
