/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "fix.h"
#include "formats/unit.h"
#include "label.h"
#include "policy.h"
#include "unit-host.h"

/*
 * Enabling, disabling and masking, as systemctl(1) does it: links below /etc/systemd/system, which
 * the [Install] section of the unit names (systemd.unit(5)).
 */

#define SYSTEM "/etc/systemd/system"

enum {
	ALSO_MAX = 32, /* units that one names by Also=, and they again */
};

/* What is on the way. */
struct linking {
	struct kc_fix *fix;
	struct kc_fix_step *step;
	const struct kc_fix_step *earlier;
	size_t n_earlier;
	struct kc_unit_host host;
	const char *done[ALSO_MAX]; /* units that were looked at */
	size_t n_done;
};

static const char *text(struct linking *l, const char *fmt, ...) kc_printf(2, 3);

static const char *text(struct linking *l, const char *fmt, ...)
{
	const char *t;
	va_list ap;

	va_start(ap, fmt);
	t = kc_arena_vprintf(l->fix->arena, fmt, ap);
	va_end(ap);
	return t;
}

static uint32_t owner(void)
{
	return geteuid() == 0 ? 0 : geteuid();
}

/* The folder of a link, where it is not there and no change before makes it. */
static int need_folder(struct linking *l, const char *folder, struct kc_err *err)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_fix_change *c;
	int r;

	for (size_t i = 0; i < l->step->n_changes; i++) {
		if (kc_streq(l->step->changes[i].change.path, folder))
			return 0;
	}
	for (size_t i = 0; i < l->n_earlier; i++) {
		for (size_t k = 0; k < l->earlier[i].n_changes; k++) {
			if (kc_streq(l->earlier[i].changes[k].change.path, folder))
				return 0;
		}
	}
	r = kc_root_stat(l->fix->root, folder, 0, err, &st);
	if (r != -ENOENT)
		return r;
	r = kc_fix_add_change(l->fix, l->step, folder, 0, l->earlier, l->n_earlier, err, &c);
	if (r < 0)
		return r;
	c->change.after = (struct kc_node){
		.type = KC_FILE_DIRECTORY,
		.mode = 0755,
		.uid = owner(),
		.gid = owner() == 0 ? 0 : getegid(),
	};
	r = kc_label_new(l->fix, &c->change, err);
	l->step->n_changes += r == 0;
	return r;
}

static int add_link(struct linking *l, const char *path, const char *target, struct kc_err *err)
{
	struct kc_fix_change *c;
	int r;

	if (!path || !target)
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < l->step->n_changes; i++) {
		if (kc_streq(l->step->changes[i].change.path, path))
			return 0;
	}
	/* In a folder that this very step makes there is nothing yet. */
	l->step->state = KC_STATE_NEEDED;
	{
		struct kc_fix_step both[] = { *l->step };
		kc_cleanup(kc_freep) struct kc_fix_step *all =
			calloc(l->n_earlier + 1, sizeof(*all));

		if (!all)
			return kc_err_set(err, -ENOMEM, "out of memory");
		if (l->n_earlier > 0)
			memcpy(all, l->earlier, l->n_earlier * sizeof(*all));
		all[l->n_earlier] = both[0];
		r = kc_fix_add_change(l->fix, l->step, path, KC_NODE_CONTENT, all, l->n_earlier + 1,
				      err, &c);
	}
	if (r < 0)
		return r;
	if (c->change.before.type && c->change.before.type != KC_FILE_SYMLINK)
		return kc_err_set(err, -EEXIST, "%s is there, and no link", path);
	if (kc_streq0(c->change.before.link, target))
		return 0;
	if (c->change.before.type && kc_streq(target, "/dev/null"))
		return kc_err_set(err, -EEXIST, "%s leads to %s, so that no mask can be put there",
				  path, c->change.before.link);
	c->change.after = (struct kc_node){
		.type = KC_FILE_SYMLINK,
		.link = target,
		.size = strlen(target),
		.mode = 0777,
		.uid = owner(),
		.gid = owner() == 0 ? 0 : getegid(),
	};
	r = kc_label_new(l->fix, &c->change, err);
	l->step->n_changes += r == 0;
	return r;
}

static int remove_link(struct linking *l, const char *path, struct kc_err *err)
{
	struct kc_fix_change *c;
	int r = path ? kc_fix_add_change(l->fix, l->step, path, KC_NODE_CONTENT, l->earlier,
					 l->n_earlier, err, &c)
		     : kc_err_set(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	if (c->change.before.type != KC_FILE_SYMLINK)
		return 0;
	c->change.after = (struct kc_node){ 0 };
	l->step->n_changes++;
	return 0;
}

/* ---- enable ---- */

static int enable(struct linking *l, const char *unit, struct kc_err *err);

/* Every word of a list in [Install]. */
static int each_word(struct linking *l, const struct kc_unit_file *unit, const char *key,
		     int (*f)(struct linking *l, const struct kc_unit_file *unit, const char *key,
			      const char *word, struct kc_err *err),
		     struct kc_err *err)
{
	const struct kc_unit_setting **list;
	size_t n;
	int r = kc_unit_file_list(unit, "Install", key, l->fix->arena, &list, &n);

	for (size_t i = 0; i < n && r == 0; i++) {
		char *rest = kc_arena_strdup(l->fix->arena, list[i]->value), *word;

		if (!rest)
			return kc_err_set(err, -ENOMEM, "out of memory");
		while (r == 0 && (word = strsep(&rest, " \t"))) {
			if (!*word)
				continue;
			if (strpbrk(word, "%\"'/"))
				return kc_err_set(err, -ENOTSUP,
						  "%s:%u: %s=%s is for systemctl to understand: "
						  "systemctl enable %s",
						  list[i]->place.file, list[i]->place.line, key,
						  word, unit->name);
			r = f(l, unit, key, word, err);
		}
	}
	return r;
}

static int link_wanted(struct linking *l, const struct kc_unit_file *unit, const char *key,
		       const char *word, struct kc_err *err)
{
	const char *kind = kc_streq(key, "WantedBy")	 ? "wants"
			   : kc_streq(key, "RequiredBy") ? "requires"
							 : "upholds";
	const char *folder = text(l, SYSTEM "/%s.%s", word, kind);
	int r = folder ? need_folder(l, folder, err) : -ENOMEM;

	return r < 0 ? r
		     : add_link(l, text(l, "%s/%s", folder, unit->canonical), unit->fragment, err);
}

static int link_alias(struct linking *l, const struct kc_unit_file *unit, const char *key,
		      const char *word, struct kc_err *err)
{
	return add_link(l, text(l, SYSTEM "/%s", word), unit->fragment, err);
}

static int enable_also(struct linking *l, const struct kc_unit_file *unit, const char *key,
		       const char *word, struct kc_err *err)
{
	return enable(l, word, err);
}

static int load(struct linking *l, const char *name, struct kc_err *err,
		const struct kc_unit_file **ret_unit)
{
	const struct kc_unit_file *unit;
	int r = kc_unit_file_load(&kc_unit_host_table, kc_unit_host_run(&l->host), l->fix->arena,
				  name, &unit);

	if (r < 0)
		return kc_err_set(err, r, "%s: %s", name, l->host.err.text);
	if (!unit->fragment)
		return kc_err_set(err, -ENOENT, "there is no unit %s", name);
	*ret_unit = unit;
	return 0;
}

static int enable(struct linking *l, const char *name, struct kc_err *err)
{
	static const char *const keys[] = { "WantedBy", "RequiredBy", "UpheldBy", NULL };
	const struct kc_unit_file *unit;
	int r;

	for (size_t i = 0; i < l->n_done; i++) {
		if (kc_streq(l->done[i], name))
			return 0;
	}
	if (l->n_done == ALSO_MAX)
		return kc_err_set(err, -E2BIG, "%s: Also= leads through too many units", name);
	l->done[l->n_done++] = name;
	r = load(l, name, err, &unit);
	if (r < 0)
		return r;
	if (unit->masked)
		return kc_err_set(err, -EPERM, "%s is masked by %s", name, unit->fragment);
	if (unit->fault)
		return kc_err_set(err, -EBADMSG, "%s: %s", unit->fragment, unit->fault);
	if (strstr(name, "@."))
		return kc_err_set(err, -ENOTSUP, "%s is a template: name an instance", name);
	KC_FOREACH_STR (key, keys) {
		if (r == 0)
			r = each_word(l, unit, key, link_wanted, err);
	}
	if (r == 0)
		r = each_word(l, unit, "Alias", link_alias, err);
	return r < 0 ? r : each_word(l, unit, "Also", enable_also, err);
}

/* ---- disable ---- */

/* Links of one folder that are called as the unit, or lead to it. */
static int disable_in(struct linking *l, const char *folder, const struct kc_unit_file *unit,
		      struct kc_err *err)
{
	struct kc_strings names;
	int r = kc_root_list(l->fix->root, folder, l->fix->arena, err, &names);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	for (size_t i = 0; i < names.n && r == 0; i++) {
		kc_cleanup(kc_buf_done) struct kc_buf target = { 0 };
		const char *path = text(l, "%s/%s", folder, names.item[i]), *base;

		if (!path)
			return kc_err_set(err, -ENOMEM, "out of memory");
		if (kc_root_read_link(l->fix->root, path, NULL, &target) < 0)
			continue;
		base = strrchr(target.data, '/') ? strrchr(target.data, '/') + 1 : target.data;
		if (kc_streq(names.item[i], unit->canonical) || kc_streq(base, unit->canonical))
			r = remove_link(l, path, err);
	}
	return r;
}

static int disable(struct linking *l, const char *name, struct kc_err *err)
{
	const struct kc_unit_file *unit = NULL;
	struct kc_strings names;
	int r = load(l, name, err, &unit);

	if (r == 0)
		r = kc_root_list(l->fix->root, SYSTEM, l->fix->arena, err, &names);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	for (size_t i = 0; i < names.n && r == 0; i++) {
		const char *kind = strrchr(names.item[i], '.');

		if (kind && (kc_streq(kind, ".wants") || kc_streq(kind, ".requires") ||
			     kc_streq(kind, ".upholds")))
			r = disable_in(l, text(l, SYSTEM "/%s", names.item[i]), unit, err);
	}
	return r < 0 || unit->masked ? r : disable_in(l, SYSTEM, unit, err);
}

/* Each end of a change has to be one that a rollback may make again. */
static int vet_targets(const struct kc_fix_step *step, struct kc_err *err)
{
	for (size_t i = 0; i < step->n_changes; i++) {
		const struct kc_change *change = &step->changes[i].change;
		const char *const links[] = { change->before.link, change->after.link };

		for (size_t k = 0; k < KC_ARRAY_SIZE(links); k++) {
			int r = links[k] ? kc_policy_unit_link_target(links[k], err) : 0;

			if (r < 0)
				return err ? kc_err_prefix(err, "%s", change->path) : r;
		}
	}
	return 0;
}

int kc_fix_look_unit(struct kc_fix *fix, struct kc_fix_step *step,
		     const struct kc_fix_step *earlier, size_t n_earlier, struct kc_err *err)
{
	struct linking l = {
		.fix = fix,
		.step = step,
		.earlier = earlier,
		.n_earlier = n_earlier,
		.host = { .root = fix->root, .arena = fix->arena },
	};
	const char *unit = step->step.target;
	int r;

	if (step->step.kind == KC_STEP_UNIT_ENABLE)
		r = enable(&l, unit, err);
	else if (step->step.kind == KC_STEP_UNIT_DISABLE)
		r = disable(&l, unit, err);
	else
		r = add_link(&l, text(&l, SYSTEM "/%s", unit), "/dev/null", err);
	if (r == 0)
		r = vet_targets(step, err);
	if (r < 0)
		return r;
	step->inverse = step->step.kind == KC_STEP_UNIT_DISABLE ? "gets its links back"
								: "has its links removed again";
	step->state = step->n_changes ? KC_STATE_NEEDED : KC_STATE_ALREADY;
	return 0;
}
