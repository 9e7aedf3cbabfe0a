/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/dropin.h"
#include "mount.h"

#define FSTAB "/etc/fstab"

enum {
	UNIT_DIRS_MAX = 8,
};

struct boot {
	const struct mount_rule *rule;
	struct kc_mount_table fstab;
	const char *note; /* what is not mounted, and why */
};

/* What PID 1 mounts by itself, whatever fstab says of the root file system. */
static bool is_api(const char *where)
{
	static const char *const list[] = { "/proc", "/sys", "/dev", "/run", NULL };

	return kc_strv_has(list, where);
}

/* Of "auto" and "noauto" the last one counts; what is mounted when it is used is mounted. */
static bool is_mounted_at_boot(struct kc_arena *arena, const char *options)
{
	const char *option;
	bool noauto = false, automount = false;

	while ((option = kc_mount_option_next(&options, arena))) {
		if (kc_streq(option, "noauto"))
			noauto = true;
		else if (kc_streq(option, "auto"))
			noauto = false;
		else if (kc_streq(option, "x-systemd.automount") ||
			 kc_streq(option, "comment=systemd.automount"))
			automount = true;
	}
	return !noauto || automount;
}

/* Of two lines for one folder systemd takes the first. */
static const struct kc_mount_entry *find_line(struct boot *b, const char *where)
{
	for (size_t i = 0; i < b->fstab.n; i++) {
		const struct kc_mount_entry *e = &b->fstab.item[i];
		const char *rest = kc_mount_path_below(where, e->where);

		if (*e->where != '/' || !rest || kc_mount_path_below(e->where, where) == NULL)
			continue;
		if (kc_streq(e->type, "swap"))
			continue;
		return is_mounted_at_boot(b->rule->arena, e->options) ? e : NULL;
	}
	return NULL;
}

/* Lets settings of a unit's file or drop-in replace what was found; the last assignment counts. */
static void take_settings(const struct mount_rule *rule, const struct kc_unit_setting *setting,
			  size_t n, struct mount_found *found)
{
	for (size_t i = 0; i < n; i++) {
		const struct kc_unit_setting *s = &setting[i];

		if (!kc_streq(s->section, "Mount"))
			continue;
		if (kc_streq(s->key, "What"))
			found->what = s->value;
		else if (kc_streq(s->key, "Type"))
			found->type = s->value;
		else if (kc_streq(s->key, "Options")) {
			found->options = s->value;
			found->source = kc_text(rule->host, rule->run, "%s:%u", s->place.file,
						s->place.line);
		}
	}
}

/* Drop-ins of the unit that a generator makes, which lies in no folder that is here to be read. */
static int take_dropins(const struct mount_rule *rule, const char *unit, struct mount_found *found)
{
	const char *folders[UNIT_DIRS_MAX + 1] = { NULL };
	struct kc_dropins list;
	int r;

	for (size_t i = 0; kc_unit_dirs[i] && i < UNIT_DIRS_MAX; i++)
		folders[i] = kc_text(rule->host, rule->run, "%s/%s.d", kc_unit_dirs[i], unit);
	r = kc_dropins_list(rule->host, rule->run, rule->arena, folders, ".conf", &list);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const char *path = list.item[i].path;
		struct kc_unit_setting *setting;
		struct kc_bytes text;
		size_t n;

		if (list.item[i].masked)
			continue;
		r = kc_read_file(rule->host, rule->run, path, MOUNT_FILE_MAX, &text);
		if (r)
			return r;
		/* A drop-in that systemd cannot read changes nothing. */
		if (kc_unit_file_parse(path, text.data, text.size, rule->arena, &setting, &n) == 0)
			take_settings(rule, setting, n, found);
	}
	return r;
}

/* Whether any unit folder has a file or drop-ins for the name, so that loading it is worth it. */
static bool has_files(const struct mount_rule *rule, const char *unit)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	for (const char *const *dir = kc_unit_dirs; *dir; dir++) {
		const char *path = kc_text(rule->host, rule->run, "%s/%s", *dir, unit);
		int r = kc_stat(rule->host, rule->run, path, KC_NOFOLLOW, &st);

		if (r && (r == -ENOENT || r == -ENOTDIR))
			r = kc_stat(rule->host, rule->run,
				    kc_text(rule->host, rule->run, "%s.d", path), KC_NOFOLLOW, &st);
		if (r != -ENOENT && r != -ENOTDIR)
			return true;
	}
	return false;
}

static struct mount_found of_line(const struct mount_rule *rule, const struct kc_mount_entry *e)
{
	return (struct mount_found){
		.what = e->what,
		.type = e->type,
		.options = e->options,
		.source = kc_text(rule->host, rule->run, FSTAB ":%u", e->line),
	};
}

/*
 * What the unit makes of it. A generator's unit for a line of fstab lies between what is below /etc
 * and what is below /usr. 1: a mount; 0: none.
 */
static int judge_unit(struct boot *b, const char *name, const struct kc_mount_entry *line,
		      struct mount_found *found)
{
	const struct mount_rule *rule = b->rule;
	const struct kc_unit_file *unit;
	struct kc_unit_start start = { 0 };
	bool beats;
	int r;

	r = kc_unit_file_load(rule->host, rule->run, rule->arena, name, &unit);
	if (r)
		return r == -EINVAL ? line != NULL : r;
	beats = unit->fragment && kc_after_prefix(unit->fragment, "/etc/");
	if (unit->masked && (beats || !line)) {
		b->note =
			kc_text(rule->host, rule->run, "%s is masked by %s.", name, unit->fragment);
		return 0;
	}
	if (line && !beats) {
		r = take_dropins(rule, name, found);
		return r ? r : 1;
	}
	if (unit->fault)
		b->note = kc_text(rule->host, rule->run, "systemd cannot load %s: %s", name,
				  unit->fault);
	if (!unit->fragment || unit->fault)
		return 0;
	if (!line)
		r = kc_unit_start(rule->host, rule->run, rule->arena, name, &start);
	if (r || (!line && !start.reached))
		return r;
	found->what = "";
	found->type = "auto";
	found->options = "";
	found->source = unit->fragment;
	take_settings(rule, unit->setting, unit->n_settings, found);
	return 1;
}

/* 1: something is mounted on the folder; 0: not; negative errno. */
static int look_at(struct boot *b, const char *where, struct mount_found *ret_found)
{
	const struct mount_rule *rule = b->rule;
	const struct kc_mount_entry *line = find_line(b, where);
	const char *unit = kc_unit_of_path(rule->arena, where, ".mount");
	struct mount_found found = { 0 };
	int r = line != NULL;

	if (!unit)
		return -ENOMEM;
	if (line)
		found = of_line(rule, line);
	if (has_files(rule, unit))
		r = judge_unit(b, unit, line, &found);
	found.where = where;
	if (r > 0)
		*ret_found = found;
	return r;
}

/* The nearest folder on the way up on which something is mounted. */
static int find_mount(struct boot *b, struct mount_found *ret_found, bool *ret_api)
{
	char *where = kc_arena_strdup(b->rule->arena, b->rule->resolved);
	int r = 0;

	if (!where)
		return -ENOMEM;
	for (unsigned depth = 0; depth < MOUNT_DEPTH_MAX; depth++) {
		char *slash = strrchr(where, '/');
		const char *folder = kc_arena_strdup(b->rule->arena, *where ? where : "/");

		if (!folder)
			return -ENOMEM;
		r = look_at(b, folder, ret_found);
		*ret_api = r == 0 && is_api(folder);
		if (r || *ret_api || kc_streq(folder, "/") || !slash)
			return r;
		*slash = '\0';
	}
	return -ELOOP;
}

static int read_fstab(struct boot *b)
{
	const struct mount_rule *rule = b->rule;
	struct kc_bytes text;
	int r;

	r = kc_read_file(rule->host, rule->run, FSTAB, MOUNT_FILE_MAX, &text);
	if (r == -ENOENT)
		return 0;
	if (r) {
		(void)kc_report_error(rule->host, rule->run, KC_BOOT, rule->path, FSTAB);
		return r;
	}
	r = kc_mount_table_parse(KC_MOUNT_FSTAB, text.data, text.size, rule->arena, &b->fstab);
	if (r || b->fstab.bad_line)
		(void)kc_report(rule->host, rule->run, KC_BOOT, KC_ERROR, rule->path, NULL, NULL,
				r ? FSTAB
				  : kc_text(rule->host, rule->run, FSTAB ":%u", b->fstab.bad_line),
				r == -ELIBACC ? KC_MOUNT_NO_LIBRARY
					      : "libmount cannot read this, so that nobody can say "
						"what is mounted.");
	return r ? r : b->fstab.bad_line ? -EBADMSG : 0;
}

int mount_judge_boot(const struct mount_rule *rule)
{
	struct boot b = { .rule = rule };
	struct mount_found found;
	bool api = false;
	int r;

	/* What is wrong has been reported. */
	if (read_fstab(&b) != 0)
		return 0;
	r = find_mount(&b, &found, &api);
	if (r < 0)
		return r == -ENOMEM || r == -E2BIG || r == -ELOOP
			       ? r
			       : kc_report_error(rule->host, rule->run, KC_BOOT, rule->path, NULL);
	if (r > 0)
		return mount_judge(rule, KC_BOOT, &found, b.note);
	return kc_report_skip(rule->host, rule->run, KC_BOOT, rule->path, "not-configured",
			      api ? "systemd mounts it by itself when it starts."
				  : kc_text(rule->host, rule->run,
					    "Neither " FSTAB
					    " nor a mount unit names a folder that %s lies in.%s%s",
					    rule->resolved, b.note ? " " : "",
					    b.note ? b.note : ""));
}
