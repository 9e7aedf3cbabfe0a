/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

/* Links that systemctl follows before it gives up. */
enum {
	FOLLOW_MAX = 64
};

/* Where systemctl enables units. */
#define CONFIG_DIR "/etc/systemd/system"

/* What is known of the unit while its state is looked up. */
struct query {
	struct kc_unit_folders *folders;
	const char *asked; /* the name that was asked for */
	const char *name; /* behind aliases */
	const char *path; /* its file, link or mask; NULL when it is not there */
	const char *target; /* of a link that is not followed yet; else NULL */
	bool is_linked; /* the link leaves the unit folders: its name counts, not the target's */
	bool masked;
	struct kc_unit_settings install; /* of file and drop-ins */
	struct kc_unit_names aliases; /* that [Install] names */
	const char *default_instance; /* the name with DefaultInstance=, or NULL */
	bool has_rules, has_also;
	const char *fault;
};

/* What a pass over the links of the unit folders found. */
struct links {
	const char *config; /* a link in CONFIG_DIR */
	const char *other; /* a link in another unit folder */
	const char *same; /* a link of the unit's name in CONFIG_DIR itself */
};

static const char *const state_names[] = {
	NULL,	 "not-found", "enabled",   "disabled", "masked", "static",
	"alias", "indirect",  "generated", "linked",   "bad",
};

const char *kc_unit_enablement_name(uint32_t state)
{
	return state < KC_ARRAY_SIZE(state_names) ? state_names[state] : NULL;
}

static int set_fault(struct query *q, const char *what, const char *path)
{
	q->fault = kc_arena_printf(q->folders->arena, "%s %s", path, what);
	q->path = NULL;
	q->target = NULL;
	return q->fault ? 0 : -ENOMEM;
}

/* ---- from the name to its file ---- */

/* Whether systemctl accepts a link between two units of the folders; else sets the fault. */
static int check_alias(struct query *q)
{
	const char *name = strrchr(q->path, '/') + 1, *base = strrchr(q->target, '/') + 1;
	int valid;

	if (kc_streq(name, base))
		return set_fault(q, "is a link to its own name, which systemctl refuses", q->path);
	valid = kc_unit_alias_valid(q->folders->arena, name, base);
	if (valid < 0)
		return valid;
	return valid ? 0 : set_fault(q, "is a link to a unit of another kind", q->path);
}

/* Looks at what is at q->path: a mask, a file, or a link (to q->target). */
static int look_at(struct query *q)
{
	struct kc_unit_folders *f = q->folders;
	struct kc_stat stat = { .size_of = sizeof(stat) };
	int r;

	q->target = NULL;
	q->is_linked = false;
	r = kc_unit_link_target(f, q->path, &q->target);
	if (r && r != -EINVAL)
		return r;
	if (q->target) {
		q->is_linked = !kc_unit_in_folders(f, q->target);
		r = q->is_linked ? 0 : check_alias(q);
		if (r || q->fault)
			return r;
		r = kc_conf_file_is_void(f, q->path);
		if (r) {
			q->masked = r == 1;
			return r < 0 ? r : 0;
		}
	}
	r = kc_stat(f->host, f->run, q->path, 0, &stat);
	if (r)
		return r == -ELOOP ? set_fault(q, "is a link in a loop", q->path) : r;
	if (stat.type == KC_FILE_REGULAR && !stat.size)
		q->masked = true;
	else if (stat.type != KC_FILE_REGULAR)
		return set_fault(q, "is not a file", q->path);
	return 0;
}

/* Looks for a name in the folders; q->path stays NULL when none has it. */
static int look_for(struct query *q, const char *name)
{
	for (size_t i = 0; i < q->folders->n; i++) {
		const struct kc_unit_dir *dir = &q->folders->dir[i];

		if (!kc_unit_dir_has(dir, name))
			continue;
		q->path = kc_unit_path(q->folders->arena, dir->path, name);
		return q->path ? look_at(q) : -ENOMEM;
	}
	return 0;
}

static int search(struct query *q, const char *name)
{
	const char *template;
	int r;

	q->name = name;
	q->path = NULL;
	q->target = NULL;
	r = look_for(q, name);
	if (r || q->path || q->fault || kc_unit_name_kind(name) != KC_UNIT_INSTANCE)
		return r;
	template = kc_unit_name_template(q->folders->arena, name);
	return template ? look_for(q, template) : -ENOMEM;
}

/* One step along a link: to the same unit elsewhere, or to another one that is looked for. */
static int follow(struct query *q)
{
	const char *link = q->path, *base = strrchr(q->target, '/') + 1;
	int r;

	if (kc_unit_name_kind(q->name) == KC_UNIT_INSTANCE &&
	    kc_unit_name_kind(base) == KC_UNIT_TEMPLATE) {
		const char *instance = kc_unit_name_instance(q->folders->arena, q->name);

		base = instance ? kc_unit_name_with(q->folders->arena, base, instance) : NULL;
		if (!base)
			return -ENOMEM;
	}
	if (q->is_linked || kc_streq(base, q->name)) {
		q->path = q->target;
		r = look_at(q);
		if (r == -ENOENT || r == -ENOTDIR)
			return set_fault(q, "is a link that leads nowhere", link);
		return r;
	}
	if (kc_unit_name_kind(base) < 0)
		return set_fault(q, "is a link to a file that is not named like a unit", link);
	r = search(q, base);
	if (!r && !q->path && !q->fault)
		return set_fault(q, "is a link to a unit that is not there", link);
	return r;
}

static int discover(struct query *q, const char *name)
{
	int r;

	q->asked = name;
	r = search(q, name);
	for (unsigned hop = 0; !r && q->path && q->target && !q->masked; hop++) {
		if (hop > FOLLOW_MAX)
			return set_fault(q, "is a link in a loop", q->path);
		r = follow(q);
	}
	return r;
}

/* ---- [Install] ---- */

/* Adds the words of one setting to a set, which an empty assignment empties. */
static int add_words(struct query *q, const struct kc_unit_setting *setting,
		     struct kc_unit_names *names)
{
	const char *text = setting->value;
	char *word;
	int r;

	if (!*text)
		names->n = 0;
	while ((r = kc_unit_word(&text, KC_WORD_RETAIN, q->folders->arena, &word)) > 0) {
		r = kc_unit_names_add(names, q->folders->arena, word);
		if (r)
			return r;
	}
	return r == -EINVAL ? 0 : r;
}

static int set_default_instance(struct query *q, const char *value)
{
	const char *instance;
	int r;

	if (kc_unit_name_kind(q->name) != KC_UNIT_TEMPLATE)
		return 0;
	q->default_instance = NULL;
	if (!*value)
		return 0;
	r = kc_unit_specifiers(q->name, value, q->folders->arena, &instance);
	if (r)
		return r;
	q->default_instance = kc_unit_name_with(q->folders->arena, q->name, instance);
	return q->default_instance ? 0 : -ENOMEM;
}

static int read_install_settings(struct query *q)
{
	struct kc_unit_names rules = { 0 }, also = { 0 };
	int r = 0;

	for (size_t i = 0; !r && i < q->install.n; i++) {
		const struct kc_unit_setting *s = &q->install.item[i];

		if (!kc_streq(s->section, "Install"))
			continue;
		if (kc_streq(s->key, "Alias") && kc_unit_type_may_alias(q->name))
			r = add_words(q, s, &q->aliases);
		else if (kc_streq(s->key, "WantedBy") || kc_streq(s->key, "RequiredBy") ||
			 kc_streq(s->key, "UpheldBy"))
			r = add_words(q, s, &rules);
		else if (kc_streq(s->key, "Also") && *s->value)
			r = add_words(q, s, &also);
		else if (kc_streq(s->key, "DefaultInstance"))
			r = set_default_instance(q, s->value);
	}
	q->has_rules = rules.n || q->aliases.n;
	q->has_also = also.n;
	return r;
}

/* Reads the file and those drop-ins that systemctl reads: of the name and of its template. */
static int read_install(struct query *q)
{
	struct kc_unit_folders *f = q->folders;
	struct kc_conf_files dropins = { 0 };
	const char *names[2] = { q->name, NULL };
	int r;

	r = kc_unit_read(f, q->path, &q->install, &q->fault);
	if (r || q->fault)
		return r;
	if (kc_unit_name_kind(q->name) == KC_UNIT_INSTANCE) {
		names[1] = kc_unit_name_template(f->arena, q->name);
		if (!names[1])
			return -ENOMEM;
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(names) && names[i]; i++)
		for (size_t j = 0; j < f->n; j++) {
			const char *dir =
				kc_arena_printf(f->arena, "%s/%s.d", f->dir[j].path, names[i]);

			r = dir ? kc_conf_files_add(f, dir, ".conf", &dropins) : -ENOMEM;
			if (r)
				return r;
		}
	kc_conf_files_sort(&dropins);
	for (size_t i = 0; i < dropins.n && !q->fault; i++) {
		r = kc_conf_file_is_void(f, dropins.item[i].path);
		if (!r)
			r = kc_unit_read(f, dropins.item[i].path, &q->install, &q->fault);
		if (r < 0)
			return r;
	}
	return read_install_settings(q);
}

/* ---- links ---- */

static bool is_known_name(const struct query *q, const char *name)
{
	if (kc_streq(name, q->name) || kc_streq0(name, q->default_instance))
		return true;
	for (size_t i = 0; i < q->aliases.n; i++)
		if (kc_streq(q->aliases.item[i], name))
			return true;
	return false;
}

/* How a folder of links is read. */
struct scan {
	const char *dir;
	bool known_only; /* links by names that [Install] gives, not all that lead to the unit */
	bool ignore_names; /* the unit's own file has precedence over this folder */
	const char *link; /* result: one that enables the unit, or NULL */
	const char *same; /* result: one of its name that leads to it, in the unit folder itself */
};

/* Whether a link in a folder of wants is by the unit's name, or an instance's of the template it
 * is. */
static int is_wanted_as(const struct query *q, const char *name)
{
	const char *template;

	if (kc_streq(name, q->name))
		return 1;
	if (kc_unit_name_kind(q->name) != KC_UNIT_TEMPLATE ||
	    kc_unit_name_kind(name) != KC_UNIT_INSTANCE)
		return 0;
	template = kc_unit_name_template(q->folders->arena, name);
	return template ? kc_streq(template, q->name) : -ENOMEM;
}

/* The links of a folder of wants: their names alone count, wherever they lead. */
static int scan_wants(const struct query *q, struct scan *scan, const struct kc_strings *names)
{
	const struct kc_unit_folders *f = q->folders;

	for (size_t i = 0; i < names->n && !scan->link; i++) {
		const char *path, *target;
		int r;

		if (scan->known_only && !is_known_name(q, names->item[i]))
			continue;
		r = is_wanted_as(q, names->item[i]);
		if (r < 0)
			return r;
		if (!r)
			continue;
		path = kc_unit_path(f->arena, scan->dir, names->item[i]);
		if (!path)
			return -ENOMEM;
		r = kc_read_link(f->host, f->run, path, &target);
		if (!r)
			scan->link = path;
		else if (r != -EINVAL && r != -ENOENT)
			return r;
	}
	return 0;
}

/* The links of a unit folder itself: aliases, and the unit linked in. */
static int scan_aliases(const struct query *q, struct scan *scan, const struct kc_strings *names)
{
	const struct kc_unit_folders *f = q->folders;

	for (size_t i = 0; i < names->n && !scan->link; i++) {
		const char *name = names->item[i], *path, *target, *base;
		bool found_path, found_target;
		int r;

		if (*name == '.' || (scan->known_only && !is_known_name(q, name)))
			continue;
		path = kc_unit_path(f->arena, scan->dir, name);
		if (!path)
			return -ENOMEM;
		r = kc_read_link(f->host, f->run, path, &target);
		if (r == -EINVAL || r == -ENOENT)
			continue;
		if (r)
			return r;
		base = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
		found_path = !scan->ignore_names && kc_streq(name, q->name);
		found_target = kc_streq(base, q->name);
		if (found_path && found_target)
			scan->same = path;
		else if (found_path || found_target)
			scan->link = path;
	}
	return 0;
}

static bool is_wants_dir(const char *name)
{
	return kc_endswith(name, ".wants") || kc_endswith(name, ".requires") ||
	       kc_endswith(name, ".upholds");
}

/* A folder of wants that is no link to one. */
static int scan_wants_dir(const struct query *q, struct scan *scan)
{
	const struct kc_unit_folders *f = q->folders;
	struct kc_strings names;
	int r;

	r = kc_list_dir(f->host, f->run, scan->dir, &names);
	return r == -ENOTDIR ? 0 : r ? r : scan_wants(q, scan, &names);
}

/* The folders of wants below one unit folder, then that folder itself. */
static int scan_unit_dir(const struct query *q, struct kc_unit_dir *dir, struct scan *scan)
{
	const struct kc_unit_folders *f = q->folders;

	for (size_t i = 0; i < dir->names.n && !scan->link; i++) {
		int r;

		if (!is_wants_dir(dir->names.item[i]))
			continue;
		scan->dir = kc_unit_path(f->arena, dir->path, dir->names.item[i]);
		if (!scan->dir)
			return -ENOMEM;
		r = kc_unit_dir_has_link(f, dir, dir->names.item[i]);
		if (!r)
			r = scan_wants_dir(q, scan);
		if (r < 0)
			return r;
	}
	scan->dir = dir->path;
	return scan->link ? 0 : scan_aliases(q, scan, &dir->names);
}

static int find_links(const struct query *q, bool known_only, struct links *links)
{
	bool below = false;

	*links = (struct links){ 0 };
	for (size_t i = 0; i < q->folders->n; i++) {
		struct kc_unit_dir *dir = &q->folders->dir[i];
		struct scan scan = { .known_only = known_only, .ignore_names = below };
		bool is_config = kc_streq(dir->path, CONFIG_DIR);
		const char *tail;
		int r;

		r = scan_unit_dir(q, dir, &scan);
		if (r)
			return r;
		if (scan.link && is_config) {
			links->config = scan.link;
			return 0;
		}
		if (scan.link && !links->other)
			links->other = scan.link;
		if (!scan.link && scan.same && is_config)
			links->same = scan.same;
		tail = kc_after_prefix(q->path, dir->path);
		if (!tail)
			tail = kc_after_prefix(q->path, dir->resolved);
		below = below || (tail && *tail == '/');
	}
	return 0;
}

/* Takes what a pass found; false when that decides nothing. */
static bool judge_links(const struct query *q, const struct links *links,
			struct kc_unit_enabled *enabled)
{
	if (links->config) {
		enabled->state = KC_UNIT_ENABLED;
		enabled->source = links->config;
	} else if (links->other && kc_unit_name_kind(q->name) == KC_UNIT_INSTANCE) {
		enabled->state = KC_UNIT_STATIC;
		enabled->source = links->other;
	} else if (links->same) {
		enabled->state = KC_UNIT_LINKED;
		enabled->source = links->same;
	} else {
		return false;
	}
	return true;
}

static int judge_file(struct query *q, struct kc_unit_enabled *enabled)
{
	struct links links;
	int r;

	enabled->source = q->path;
	r = read_install(q);
	if (r || q->fault)
		return r;
	if (!kc_streq(q->asked, strrchr(q->path, '/') + 1) &&
	    kc_unit_name_kind(q->name) != KC_UNIT_INSTANCE) {
		enabled->state = KC_UNIT_ALIAS;
		return 0;
	}
	r = find_links(q, true, &links);
	if (r || judge_links(q, &links, enabled))
		return r;
	r = find_links(q, false, &links);
	if (r)
		return r;
	if (judge_links(q, &links, enabled))
		enabled->state = KC_UNIT_INDIRECT;
	else if (q->has_rules)
		enabled->state = KC_UNIT_DISABLED;
	else
		enabled->state = q->has_also ? KC_UNIT_INDIRECT : KC_UNIT_STATIC;
	return 0;
}

/* ---- what is not there ---- */

static int list_folders(const struct query *q, const char **ret_source)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	for (size_t i = 0; i < q->folders->n; i++)
		kc_buf_addf(&b, "%s%s", i ? ", " : "", q->folders->dir[i].path);
	if (!b.len)
		KC_FOREACH_STR (dir, kc_unit_dirs)
			kc_buf_addf(&b, "%s%s", b.len ? ", " : "", dir);
	if (kc_buf_error(&b))
		return -ENOMEM;
	*ret_source = kc_arena_strdup(q->folders->arena, b.data);
	return *ret_source ? 0 : -ENOMEM;
}

/* A script of /etc/init.d becomes a service at boot, by a generator. */
static int judge_absent(struct query *q, struct kc_unit_enabled *enabled)
{
	struct kc_stat stat = { .size_of = sizeof(stat) };
	const char *script;
	int r;

	enabled->state = KC_UNIT_NOT_FOUND;
	if (kc_endswith(q->asked, ".service") && kc_unit_name_kind(q->asked) == KC_UNIT_PLAIN) {
		script = kc_arena_printf(q->folders->arena, "/etc/init.d/%.*s",
					 (int)(strlen(q->asked) - strlen(".service")), q->asked);
		if (!script)
			return -ENOMEM;
		r = kc_stat(q->folders->host, q->folders->run, script, 0, &stat);
		if (!r && stat.type == KC_FILE_REGULAR && (stat.mode & 0100)) {
			enabled->state = KC_UNIT_GENERATED;
			enabled->source = script;
			return 0;
		}
		if (r && r != -ENOENT && r != -ENOTDIR)
			return r;
	}
	return list_folders(q, &enabled->source);
}

int kc_unit_enablement(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       const char *name, struct kc_unit_enabled *ret_enabled)
{
	struct kc_unit_enabled enabled = { 0 };
	struct kc_unit_folders folders;
	struct query q = { .folders = &folders };
	int r;

	if (kc_unit_name_kind(name) < 0)
		return -EINVAL;
	name = kc_arena_strdup(arena, name);
	if (!name)
		return -ENOMEM;
	q.asked = q.name = name;
	r = kc_unit_is_nowhere(host, run, arena, name);
	if (r > 0) {
		r = kc_unit_folders_find(host, run, arena, &folders);
	} else if (!r) {
		r = kc_unit_folders_open(host, run, arena, &folders);
		if (!r)
			r = discover(&q, name);
	}
	if (r)
		return r;
	if (q.masked) {
		enabled.state = KC_UNIT_MASKED;
		enabled.source = q.path;
	} else if (q.path) {
		r = judge_file(&q, &enabled);
	} else if (!q.fault) {
		r = judge_absent(&q, &enabled);
	}
	if (!r)
		r = kc_unit_preset(&folders, q.name, &enabled.preset);
	if (r)
		return r;
	if (q.fault) {
		enabled.state = KC_UNIT_BAD;
		enabled.source = NULL;
	}
	enabled.unit = q.name;
	enabled.fault = q.fault;
	*ret_enabled = enabled;
	return 0;
}
