/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

/* Names that are followed before the search is given up. */
enum {
	WISHES_MAX = 8192
};

static const char *const dependency_keys[] = { "Wants",	  "Requires", "BindsTo",
					       "Upholds", "BindTo",   NULL };
static const char *const dependency_dirs[] = { "wants", "requires", "upholds", NULL };

/* A name that somebody wants, to be visited; `link`: where, if that may be a mask. */
struct wish {
	const char *name, *link;
};

struct wishes {
	struct wish *item;
	size_t n, size, next;
};

struct search {
	struct kc_unit_folders *folders;
	struct kc_unit_names wanted; /* names of the unit that is looked for */
	struct wishes targets, others; /* targets are visited first: they lead there sooner */
	struct kc_unit_names visited;
	struct kc_unit_start start;
};

static bool is_wanted(const struct search *s, const char *name)
{
	for (size_t i = 0; i < s->wanted.n; i++)
		if (kc_streq(s->wanted.item[i], name))
			return true;
	return false;
}

/* Notes that `by` wants the unit of this name, at a place; link as in struct wish. */
static int want(struct search *s, const char *by, const char *name, const char *source,
		const char *link)
{
	struct wishes *wishes = kc_endswith(name, ".target") ? &s->targets : &s->others;
	struct wish *items;
	int kind = kc_unit_name_kind(name);

	if (s->start.reached || kind < 0 || kind == KC_UNIT_TEMPLATE)
		return 0;
	if (is_wanted(s, name)) {
		s->start.reached = true;
		s->start.by = by;
		s->start.source = source;
		return 0;
	}
	if (wishes->n >= WISHES_MAX)
		return -E2BIG;
	items = kc_arena_grow(s->folders->arena, wishes->item, wishes->n, &wishes->size,
			      sizeof(*items));
	if (!items)
		return -ENOMEM;
	wishes->item = items;
	items[wishes->n++] = (struct wish){ .name = name, .link = link };
	return 0;
}

/* Follows Wants= and the like. */
static int follow_settings(struct search *s, const struct kc_unit_file *unit)
{
	struct kc_arena *arena = s->folders->arena;

	for (size_t i = 0; i < unit->n_settings && !s->start.reached; i++) {
		const struct kc_unit_setting *setting = &unit->setting[i];
		const char *text = setting->value, *source, *name;
		char *word;
		int r;

		if (!kc_streq(setting->section, "Unit") ||
		    !kc_strv_has(dependency_keys, setting->key))
			continue;
		source = kc_arena_printf(arena, "%s:%u", setting->place.file, setting->place.line);
		if (!source)
			return -ENOMEM;
		while ((r = kc_unit_word(&text, KC_WORD_RETAIN, arena, &word)) > 0) {
			r = kc_unit_specifiers(unit->canonical, word, arena, &name);
			if (!r)
				r = want(s, unit->canonical, name, source, NULL);
			if (r)
				return r;
		}
		if (r && r != -EINVAL)
			return r;
	}
	return 0;
}

/* Adds the names in NAME.KIND below all unit folders. */
static int add_links(struct search *s, const char *name, const char *kind,
		     struct kc_conf_files *links)
{
	struct kc_unit_folders *f = s->folders;
	const char *folder = kc_arena_printf(f->arena, "%s.%s", name, kind);

	if (!folder)
		return -ENOMEM;
	for (size_t i = 0; i < f->n; i++) {
		struct kc_strings names;
		const char *path;
		int r;

		if (!kc_unit_dir_has(&f->dir[i], folder))
			continue;
		path = kc_unit_path(f->arena, f->dir[i].path, folder);
		if (!path)
			return -ENOMEM;
		r = kc_list_dir(f->host, f->run, path, &names);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		for (size_t j = 0; !r && j < names.n; j++)
			r = kc_conf_files_put(f, path, names.item[j], links);
		if (r)
			return r;
	}
	return 0;
}

/* 1 for an entry of such a folder that counts: a link, wherever it leads, but not to /dev/null. */
static int link_counts(const struct search *s, const char *link)
{
	const char *target;
	int r;

	r = kc_read_link(s->folders->host, s->folders->run, link, &target);
	if (r == -EINVAL || r == -ENOENT)
		return 0;
	if (!r)
		r = kc_conf_file_is_void(s->folders, link);
	return r < 0 ? r : r != 1;
}

/* Follows the links of one kind; those of a template's folder count for its instances. */
static int follow_links(struct search *s, const char *canonical, const char *kind)
{
	struct kc_conf_files links = { 0 };
	struct kc_unit_names names;
	int r;

	r = kc_unit_names_of(s->folders, canonical, &names);
	if (!r && kc_unit_name_kind(canonical) == KC_UNIT_INSTANCE) {
		const char *template = kc_unit_name_template(s->folders->arena, canonical);

		r = template ? kc_unit_names_add(&names, s->folders->arena, template) : -ENOMEM;
	}
	for (size_t i = 0; !r && i < names.n; i++)
		r = add_links(s, names.item[i], kind, &links);
	for (size_t i = 0; !r && i < links.n; i++) {
		const struct kc_conf_file *link = &links.item[i];

		/* Most are never visited, so that they are not looked at before. */
		r = is_wanted(s, link->base) ? link_counts(s, link->path) : 1;
		if (r > 0)
			r = want(s, canonical, link->base, link->path, link->path);
	}
	return r;
}

/* Follows what a unit wants, if it is one, can start, and has not been followed. */
static int visit(struct search *s, const struct wish *wish)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	const struct kc_unit_file *unit;
	struct kc_unit_found found;
	size_t n = s->visited.n;
	int r;

	r = wish->link ? link_counts(s, wish->link) : 1;
	if (r <= 0)
		return r;
	r = kc_unit_find(s->folders, wish->name, &found);
	if (r || found.loops || found.entry.type != KC_ENTRY_FILE)
		return r;
	r = kc_unit_names_add(&s->visited, s->folders->arena, found.name);
	if (r || s->visited.n == n)
		return r;
	/* What is no file, or too large for one, is not loaded, whatever its folders want. */
	r = kc_stat(s->folders->host, s->folders->run, found.entry.path, 0, &st);
	if (r == 0 && st.type != KC_FILE_REGULAR)
		return 0;
	if (r == 0 && st.size > KC_UNIT_FILE_MAX)
		return kc_unit_load(s->folders, found.name, &unit);
	KC_FOREACH_STR (kind, dependency_dirs) {
		r = follow_links(s, found.name, kind);
		if (r || s->start.reached)
			return r;
	}
	r = kc_unit_load(s->folders, found.name, &unit);
	return r ? r : follow_settings(s, unit);
}

static int run_search(struct search *s)
{
	int r = 0;

	while (!r && !s->start.reached) {
		struct wishes *wishes = s->targets.next < s->targets.n ? &s->targets : &s->others;

		if (wishes->next == wishes->n)
			return 0;
		r = visit(s, &wishes->item[wishes->next++]);
	}
	return r;
}

int kc_unit_start(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		  const char *name, struct kc_unit_start *ret_start)
{
	struct kc_unit_folders folders;
	struct search s = { .folders = &folders };
	struct kc_unit_found found;
	int r;

	if (kc_unit_name_kind(name) < 0)
		return -EINVAL;
	r = kc_unit_folders_open(host, run, arena, &folders);
	if (!r)
		r = kc_unit_find(&folders, name, &found);
	if (!r)
		r = kc_unit_names_of(&folders, found.name, &s.wanted);
	if (!r)
		r = kc_unit_find(&folders, "default.target", &found);
	if (r)
		return r;
	if (!found.loops && found.entry.type == KC_ENTRY_FILE) {
		s.start.target = found.name;
		r = want(&s, "default.target", found.name, found.entry.path, NULL);
	}
	if (!r)
		r = run_search(&s);
	if (r)
		return r;
	*ret_start = s.start;
	return 0;
}
