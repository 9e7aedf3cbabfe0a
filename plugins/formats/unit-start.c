/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

/* Units that are looked at before the search is given up. */
enum {
	UNITS_MAX = 2048
};

static const char *const dependency_keys[] = { "Wants",	  "Requires", "BindsTo",
					       "Upholds", "BindTo",   NULL };
static const char *const dependency_dirs[] = { "wants", "requires", "upholds", NULL };

struct search {
	struct kc_unit_folders *folders;
	struct kc_unit_names wanted; /* names of the unit that is looked for */
	struct kc_unit_names targets, others; /* to visit: targets lead there sooner */
	size_t next_target, next_other;
	struct kc_unit_start start;
};

/* Notes that `by` wants the unit of this name, at a place. */
static int want(struct search *s, const char *by, const char *name, const char *source)
{
	struct kc_unit_found found;
	bool hit = false;
	int r;

	if (s->start.reached || kc_unit_name_kind(name) < 0 ||
	    kc_unit_name_kind(name) == KC_UNIT_TEMPLATE)
		return 0;
	for (size_t i = 0; i < s->wanted.n && !hit; i++)
		hit = kc_streq(s->wanted.item[i], name);
	if (hit) {
		s->start.reached = true;
		s->start.by = by;
		s->start.source = source;
		return 0;
	}
	r = kc_unit_find(s->folders, name, &found);
	if (r || found.loops || found.entry.type != KC_ENTRY_FILE)
		return r;
	if (s->targets.n + s->others.n >= UNITS_MAX)
		return -E2BIG;
	return kc_unit_names_add(kc_endswith(found.name, ".target") ? &s->targets : &s->others,
				 s->folders->arena, found.name);
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
				r = want(s, unit->canonical, name, source);
			if (r)
				return r;
		}
		if (r && r != -EINVAL)
			return r;
	}
	return 0;
}

/* Adds the links of NAME.KIND below all unit folders. */
static int add_links(struct search *s, const char *name, const char *kind,
		     struct kc_conf_files *links)
{
	struct kc_unit_folders *f = s->folders;
	const char *folder = kc_arena_printf(f->arena, "%s.%s", name, kind);

	if (!folder)
		return -ENOMEM;
	for (size_t i = 0; i < f->n; i++) {
		const char *path;
		int r;

		if (!kc_unit_dir_has(&f->dir[i], folder))
			continue;
		path = kc_unit_path(f->arena, f->dir[i].path, folder);
		r = path ? kc_conf_files_add(f, path, "", links) : -ENOMEM;
		if (r)
			return r;
	}
	return 0;
}

/* One entry of a folder of links: its name counts, wherever it leads; but not to /dev/null. */
static int follow_link(struct search *s, const char *canonical, const struct kc_conf_file *link)
{
	const char *target;
	int r;

	r = kc_read_link(s->folders->host, s->folders->run, link->path, &target);
	if (r == -EINVAL || r == -ENOENT)
		return 0;
	if (!r)
		r = kc_conf_file_is_void(s->folders, link->path);
	if (r < 0 || r == 1)
		return r < 0 ? r : 0;
	return want(s, canonical, link->base, link->path);
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
	for (size_t i = 0; !r && i < links.n; i++)
		r = follow_link(s, canonical, &links.item[i]);
	return r;
}

static int visit(struct search *s, const char *name)
{
	const struct kc_unit_file *unit;
	int r = 0;

	KC_FOREACH_STR (kind, dependency_dirs) {
		r = follow_links(s, name, kind);
		if (r || s->start.reached)
			return r;
	}
	r = kc_unit_load(s->folders, name, &unit);
	return r ? r : follow_settings(s, unit);
}

static int run_search(struct search *s)
{
	int r = 0;

	while (!r && !s->start.reached) {
		if (s->next_target < s->targets.n)
			r = visit(s, s->targets.item[s->next_target++]);
		else if (s->next_other < s->others.n)
			r = visit(s, s->others.item[s->next_other++]);
		else
			return 0;
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
		r = want(&s, "default.target", found.name, found.entry.path);
	}
	if (!r)
		r = run_search(&s);
	if (r)
		return r;
	*ret_start = s.start;
	return 0;
}
