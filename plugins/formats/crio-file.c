/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "crio-merge.h"
#include "toml.h"

/* Where values that matter come from, and where they go to. */
static const struct {
	const char *table, *name;
	size_t offset;
} slots[] = {
	{ "crio.runtime", "conmon", offsetof(struct kc_crio_config, conmon) },
	{ "crio.runtime", "conmon_cgroup", offsetof(struct kc_crio_config, conmon_cgroup) },
	{ "crio.runtime", "cgroup_manager", offsetof(struct kc_crio_config, cgroup_manager) },
	{ "crio.runtime", "default_runtime", offsetof(struct kc_crio_config, default_runtime) },
	{ "crio.runtime", "selinux", offsetof(struct kc_crio_config, selinux) },
	{ "crio.runtime", "pids_limit", offsetof(struct kc_crio_config, pids_limit) },
	{ "crio.api", "listen", offsetof(struct kc_crio_config, listen) },
	{ "crio.network", "network_dir", offsetof(struct kc_crio_config, network_dir) },
	{ "crio.network", "plugin_dirs", offsetof(struct kc_crio_config, plugin_dirs) },
};

static const struct {
	const char *name;
	size_t offset;
} handler_slots[] = {
	{ "runtime_path", offsetof(struct kc_crio_handler, runtime_path) },
	{ "runtime_type", offsetof(struct kc_crio_handler, runtime_type) },
	{ "monitor_path", offsetof(struct kc_crio_handler, monitor_path) },
	{ "monitor_cgroup", offsetof(struct kc_crio_handler, monitor_cgroup) },
};

static const char *node_source(const struct kc_crio_merge *m, const struct kc_toml_node *node)
{
	return kc_arena_printf(m->arena, "%s:%u", m->file, node->line);
}

static const char *node_text(const struct kc_crio_merge *m, const struct kc_toml_node *node)
{
	char *text, *end;
	size_t size = 1;

	if (node->type == KC_TOML_STRING)
		return node->text;
	if (node->type == KC_TOML_BOOLEAN)
		return node->number ? "true" : "false";
	if (node->type == KC_TOML_INTEGER)
		return kc_arena_printf(m->arena, "%" PRId64, node->number);
	for (uint32_t i = 0; i < node->n; i++)
		size += node->child[i].size + 2;
	end = text = kc_arena_zalloc(m->arena, size, 1);
	for (uint32_t i = 0; text && i < node->n; i++) {
		if (i > 0)
			end = mempcpy(end, ", ", 2);
		end = mempcpy(end, node->child[i].text, node->child[i].size);
	}
	return text;
}

static int set_value(struct kc_crio_merge *m, const struct kc_toml_node *node,
		     struct kc_crio_value *value)
{
	value->text = node_text(m, node);
	value->source = node_source(m, node);
	value->place = (struct kc_place){ m->file, node->line };
	if (!value->text || !value->source)
		return -ENOMEM;
	if (node->type == KC_TOML_STRING && strlen(node->text) != node->size)
		return kc_crio_note(m, KC_CRIO_REFUSED, node->key, value->source,
				    "the value of %s has a NUL character in it", node->key);
	return 0;
}

/* A key that CRI-O passes over in silence. */
static int note_ignored(struct kc_crio_merge *m, const char *table, const struct kc_toml_node *node)
{
	uint32_t kind = m->version > KC_CRIO_NEWEST ? KC_CRIO_UNJUDGED : KC_CRIO_IGNORED;
	const char *nearest, *source, *subject;

	/* The nearest name takes its time, and a hostile file has thousands of keys. */
	if (kc_crio_is_full(m, kind))
		return 0;
	nearest = kc_crio_key_nearest(table, node->key);
	source = node_source(m, node);
	subject = *table ? kc_arena_printf(m->arena, "%s.%s", table, node->key) : node->key;
	if (!source || !subject)
		return -ENOMEM;
	if (kind == KC_CRIO_UNJUDGED)
		return kc_crio_note(m, kind, subject, source,
				    "%s is no key of CRI-O up to 1.%d, the newest known here",
				    subject, KC_CRIO_NEWEST);
	return kc_crio_note(m, kind, subject, source, "CRI-O has no key %s and ignores it%s%s%s",
			    subject, nearest ? "; it has \"" : "", nearest ? nearest : "",
			    nearest ? "\"" : "");
}

/* Holds a node against its key: 1 when CRI-O takes it, 0 when not. */
static int accept(struct kc_crio_merge *m, const char *table, const struct kc_crio_key *key,
		  const struct kc_toml_node *node)
{
	const char *wants = kc_crio_key_wants(key, node);
	const char *source = node_source(m, node);
	int r;

	if (!source)
		return -ENOMEM;
	if (m->version && key->since > m->version) {
		r = kc_crio_note(m, KC_CRIO_IGNORED, node->key, source,
				 "%s.%s came with CRI-O 1.%u; CRI-O 1.%u ignores it", table,
				 node->key, key->since, m->version);
		return r < 0 ? r : 0;
	}
	if (m->version && key->gone && key->gone <= m->version)
		return 0;
	if (!wants)
		return 1;
	r = kc_crio_note(m, KC_CRIO_REFUSED, node->key, source, "%s.%s must be %s, and is %s",
			 table, node->key, wants, kc_toml_type_name(node->type));
	return r < 0 ? r : 0;
}

/* The key of a member; a spelling in another case counts only where the exact one is not there. */
static const struct kc_crio_key *find_key(const char *table, const struct kc_toml_node *parent,
					  const struct kc_toml_node *node)
{
	const struct kc_crio_key *key = kc_crio_key(table, node->key);

	return key && !kc_streq(key->name, node->key) && kc_toml_get(parent, key->name) ? NULL
											: key;
}

/* The names of keys that the old table has and the new one has not. */
static int lost_keys(struct kc_crio_merge *m, const struct kc_toml_node *old,
		     const struct kc_toml_node *new, const char **ret_names)
{
	const char *names = NULL;

	for (uint32_t i = 0; i < old->n; i++) {
		const char *key = old->child[i].key;

		if (kc_toml_get(new, key))
			continue;
		names = names ? kc_arena_printf(m->arena, "%s, %s", names, key) : key;
		if (!names)
			return -ENOMEM;
	}
	*ret_names = names;
	return 0;
}

/*
 * `crio config` itself prints three keys of [crio.runtime] behind the handlers' tables, where they
 * have no effect (seen in 1.37). With their default values nothing is lost.
 */
static bool is_slip_of_crio(const struct kc_toml_node *node)
{
	return (kc_streq(node->key, "hostnetwork_disable_selinux") &&
		node->type == KC_TOML_BOOLEAN && node->number) ||
	       (kc_streq(node->key, "disable_hostport_mapping") && node->type == KC_TOML_BOOLEAN &&
		!node->number) ||
	       (kc_streq(node->key, "timezone") && node->type == KC_TOML_STRING && node->size == 0);
}

static int merge_handler_key(struct kc_crio_merge *m, struct kc_crio_handler *handler,
			     const struct kc_toml_node *table, const struct kc_toml_node *node)
{
	static const char *const path = "crio.runtime.runtimes.*";
	const struct kc_crio_key *key = find_key(path, table, node);
	int r;

	if (!key)
		return is_slip_of_crio(node) ? 0 : note_ignored(m, path, node);
	r = accept(m, path, key, node);
	for (size_t s = 0; r > 0 && s < KC_ARRAY_SIZE(handler_slots); s++)
		if (kc_streq(handler_slots[s].name, key->name)) {
			char *to = (char *)handler + handler_slots[s].offset;

			return set_value(m, node, (struct kc_crio_value *)(void *)to);
		}
	return r < 0 ? r : 0;
}

static int merge_handler(struct kc_crio_merge *m, const struct kc_toml_node *table)
{
	const struct kc_crio_draft *old = kc_crio_draft(m, table->key);
	const struct kc_toml_node *old_table = old ? old->table : NULL;
	const char *old_source = old ? old->handler.source : NULL;
	const char *source = node_source(m, table), *lost = NULL;
	struct kc_crio_draft *draft;
	int r = source ? 0 : -ENOMEM;

	if (r == 0 && old_table)
		r = lost_keys(m, old_table, table, &lost);
	if (r == 0 && lost)
		r = kc_crio_note(
			m, KC_CRIO_REPLACED, table->key, source,
			"this table replaces the whole of [crio.runtime.runtimes.%s] of %s; "
			"what stood there is lost: %s",
			table->key, old_source, lost);
	if (r < 0)
		return r;
	draft = kc_crio_draft_new(m, table->key, source);
	if (!draft)
		return -ENOMEM;
	draft->table = table;
	for (uint32_t i = 0; i < table->n && r == 0; i++)
		r = merge_handler_key(m, &draft->handler, table, &table->child[i]);
	return r;
}

/* Up to 1.24 a file that names handlers, but not runc, takes runc away. */
static void drop_runc(struct kc_crio_merge *m, const struct kc_toml_node *handlers)
{
	struct kc_crio_draft *runc = kc_crio_draft(m, "runc");

	if (m->complete || m->version == 0 || m->version > 24 || !runc || handlers->n == 0 ||
	    kc_toml_get(handlers, "runc"))
		return;
	memmove(runc, runc + 1, (size_t)(m->draft + m->n_drafts - (runc + 1)) * sizeof(*runc));
	m->n_drafts--;
}

static int merge_handlers(struct kc_crio_merge *m, const struct kc_toml_node *handlers)
{
	for (uint32_t i = 0; i < handlers->n; i++) {
		int r = merge_handler(m, &handlers->child[i]);

		if (r < 0)
			return r;
	}
	drop_runc(m, handlers);
	return 0;
}

static int merge_table(struct kc_crio_merge *m, const char *path, const struct kc_toml_node *table);

static int merge_member(struct kc_crio_merge *m, const char *path, const struct kc_crio_key *key,
			const struct kc_toml_node *node)
{
	int r = accept(m, path, key, node);

	if (r <= 0)
		return r;
	if (kc_streq(key->name, "runtimes"))
		return merge_handlers(m, node);
	if (key->type == KC_CRIO_TABLE) {
		const char *below =
			*path ? kc_arena_printf(m->arena, "%s.%s", path, key->name) : key->name;

		return below ? merge_table(m, below, node) : -ENOMEM;
	}
	for (size_t s = 0; s < KC_ARRAY_SIZE(slots); s++)
		if (kc_streq(slots[s].table, path) && kc_streq(slots[s].name, key->name)) {
			char *to = (char *)m->config + slots[s].offset;

			return set_value(m, node, (struct kc_crio_value *)(void *)to);
		}
	return 0;
}

static int merge_table(struct kc_crio_merge *m, const char *path, const struct kc_toml_node *table)
{
	for (uint32_t i = 0; i < table->n; i++) {
		const struct kc_toml_node *node = &table->child[i];
		const struct kc_crio_key *key = find_key(path, table, node);
		int r = key ? merge_member(m, path, key, node) : note_ignored(m, path, node);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Endings that editors and package managers give to what they put aside. */
static bool is_backup(const char *path)
{
	static const char *const endings[] = {
		"~",	    ".swp",	 ".swo", ".swx",    ".bak",	".old",
		".orig",    ".save",	 ".tmp", ".rej",    ".rpmsave", ".rpmnew",
		".rpmorig", ".disabled", ".off", ".sample", ".example", NULL,
	};
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');

	KC_FOREACH_STR (ending, endings)
		if (kc_endswith(name, ending))
			return true;
	if (name[0] == '.' || name[0] == '#' || strstr(name, ".dpkg-") || strstr(name, ".ucf-"))
		return true;
	/* "00-default" is CRI-O's own example of a name; "10-crio.conf.20240131" is somebody's
	 * copy. */
	return dot && !kc_streq(dot, ".conf") && !kc_streq(dot, ".toml");
}

/* Splits "FILE:LINE:COLUMN: what" of the parser. */
static int note_parse_error(struct kc_crio_merge *m, const struct kc_crio_file *file,
			    const struct kc_err *err)
{
	uint32_t kind = err->code == -EINVAL ? KC_CRIO_REFUSED : KC_CRIO_UNSEEN;
	const char *rest = kc_after_prefix(err->text, file->path);
	const char *end = rest ? strstr(rest, ": ") : NULL;
	const char *source =
		end ? kc_arena_memdup(m->arena, err->text, (size_t)(end - err->text)) : file->path;

	if (!source)
		return -ENOMEM;
	return kc_crio_note(m, kind, file->path, source, "%s%s",
			    kind == KC_CRIO_REFUSED ? "not TOML: " : "", end ? end + 2 : err->text);
}

/* What CRI-O makes of a file that cannot be read. */
static int note_unread(struct kc_crio_merge *m, const struct kc_crio_file *file)
{
	const char *source = file->path;

	if (file->asked)
		source = kc_arena_printf(m->arena, "%s:%u", file->asked->file, file->asked->line);
	if (!source)
		return -ENOMEM;
	switch (file->code) {
	case -ENOENT:
		return kc_crio_note(m, KC_CRIO_REFUSED, file->path, source,
				    "%s is not there, and CRI-O is told to read it", file->path);
	case -EISDIR:
		return kc_crio_note(m, KC_CRIO_REFUSED, file->path, source,
				    "%s is a folder or a link to a folder, and CRI-O tries to read "
				    "it as a file",
				    file->path);
	case -ELOOP:
		return kc_crio_note(m, KC_CRIO_REFUSED, file->path, source,
				    "%s is a link that leads in a circle", file->path);
	case -EINVAL:
		return kc_crio_note(m, KC_CRIO_REFUSED, file->path, source,
				    "%s is no regular file, and CRI-O tries to read it",
				    file->path);
	default:
		return kc_crio_note(m, KC_CRIO_UNSEEN, file->path, source, "%s",
				    file->why ? file->why : kc_strerror(file->code));
	}
}

int kc_crio_merge_file(struct kc_crio_merge *m, const struct kc_crio_file *file)
{
	const struct kc_toml_node *root;
	struct kc_err err = { 0 };
	int r = 0;

	m->file = file->path;
	m->dropin = file->dropin;
	if (file->dropin && is_backup(file->path))
		r = kc_crio_note(
			m, KC_CRIO_STRAY, file->path, file->path,
			"CRI-O reads every file of this folder, whatever its name: this one "
			"looks like a copy that was put aside, and its values are in effect");
	if (r == 0 && file->code < 0)
		return note_unread(m, file);
	if (r < 0)
		return r;
	r = kc_toml_parse(file->path, file->text, file->size, m->arena, &err, &root);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return note_parse_error(m, file, &err);
	return merge_table(m, "", root);
}
