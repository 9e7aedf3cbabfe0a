/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "folder-times.h"
#include "policy.h"
#include "runtime.h"

enum {
	FILES_MAX = 4
};

static const struct kc_runtime_kind *const kinds[] = {
	&kc_runtime_sysctl,	  &kc_runtime_module,	  &kc_runtime_swap,
	&kc_runtime_selinux,	  &kc_runtime_unit_start, &kc_runtime_unit_stop,
	&kc_runtime_unit_restart, &kc_runtime_reload,	  &kc_runtime_zone,
	&kc_runtime_port,
};

const struct kc_runtime_kind *kc_runtime_kind(uint32_t kind)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		if (kinds[i]->kind == kind)
			return kinds[i];
	}
	return NULL;
}

static const char *wanted(const struct kc_runtime_kind *kind, const char *content)
{
	return kind->wanted ? kind->wanted(content) : content;
}

/* A sysctl of a module (net.bridge.*) is there when that is loaded. */
static bool comes_with_module(const struct kc_fix_step *step, const struct kc_fix_step *earlier,
			      size_t n_earlier)
{
	for (size_t i = 0; step->step.kind == KC_STEP_SYSCTL && i < n_earlier; i++) {
		if (earlier[i].step.kind == KC_STEP_LOAD_MODULE &&
		    earlier[i].state == KC_STATE_NEEDED)
			return true;
	}
	return false;
}

int kc_runtime_look(struct kc_fix *fix, struct kc_fix_step *step, const struct kc_fix_step *earlier,
		    size_t n_earlier, struct kc_err *err)
{
	const struct kc_runtime_kind *kind = kc_runtime_kind(step->step.kind);
	const char *content = step->step.content;
	int r;

	step->value_after = wanted(kind, content);
	step->inverse = kind->inverse;
	step->value_before = NULL;
	r = kind->get(fix, step->step.target, content, err, &step->value_before);
	step->appears = r == -ENOENT && comes_with_module(step, earlier, n_earlier);
	if (step->appears) {
		step->state = KC_STATE_NEEDED;
		return 0;
	}
	if (r < 0)
		return r;
	/* What has no value is done whenever it is asked for. */
	if (step->value_before && kc_streq0(step->value_before, step->value_after)) {
		step->state = KC_STATE_ALREADY;
		return 0;
	}
	step->state = KC_STATE_NEEDED;
	return kind->guard ? kind->guard(fix, step->step.target, err) : 0;
}

/* ---- files that somebody else writes ---- */

static int look_at_file(struct kc_fix *fix, struct kc_transaction *t, const char *path,
			struct kc_arena *arena, struct kc_node *ret_node, struct kc_buf *content,
			struct kc_err *err)
{
	struct kc_fix_place place;
	int r = kc_policy_path(KC_STEP_EDIT_FILE, path, err);

	if (r == 0)
		r = kc_place_open(fix->root, path, 0, err, &place);
	/* Its folder is not there: neither is it. */
	if (r == -ENOENT) {
		*ret_node = (struct kc_node){ 0 };
		return 0;
	}
	if (r < 0)
		return r;
	r = kc_change_look(&place, KC_NODE_CONTENT, arena, err, ret_node, content);
	kc_place_done(&place);
	return r;
}

struct pairs {
	struct kc_pair item[8 + 3 * FILES_MAX];
	size_t n;
};

static void add_pair(struct pairs *p, const char *key, const char *value)
{
	p->item[p->n++] = (struct kc_pair){ key, value };
}

/* The times of a file's folder; "" where that is not there. */
static const char *folder_times(struct kc_fix *fix, struct kc_transaction *t, const char *path)
{
	char times[KC_FOLDER_TIMES_MAX] = "";
	struct kc_fix_place place;

	if (kc_place_open(fix->root, path, 0, NULL, &place) < 0)
		return "";
	(void)kc_folder_times(place.dir, times, NULL);
	kc_place_done(&place);
	return kc_arena_strdup(&t->arena, times);
}

/* Notes what each file is; with `backup` it is laid aside, too. */
static int note_files(struct kc_fix *fix, struct kc_transaction *t, const char *const *files,
		      bool backup, struct pairs *pairs, struct kc_err *err)
{
	unsigned i = 0;

	KC_FOREACH_STR (path, files) {
		kc_cleanup(kc_buf_done) struct kc_buf content = { 0 }, text = { 0 };
		struct kc_node node;
		int r = look_at_file(fix, t, path, &t->arena, &node, &content, err);

		if (r == 0 && backup && node.type == KC_FILE_REGULAR) {
			char slot[32];

			(void)snprintf(slot, sizeof(slot), "%06u.%u", t->journal.last + 1, i);
			r = kc_change_back_up(t, slot, &node, &content, err);
		}
		if (r < 0)
			return r;
		kc_node_put(&text, &node);
		if (kc_buf_error(&text) < 0 || i == FILES_MAX)
			return kc_err_set(err, -ENOMEM, "out of memory");
		if (backup)
			add_pair(pairs, kc_arena_printf(&t->arena, "file%u", i), path);
		add_pair(pairs, kc_arena_printf(&t->arena, "times%u", i),
			 folder_times(fix, t, path));
		add_pair(pairs, kc_arena_printf(&t->arena, "node%u", i),
			 kc_arena_strdup(&t->arena, text.data));
		for (size_t k = 0; k < pairs->n; k++) {
			if (!pairs->item[k].key || !pairs->item[k].value)
				return kc_err_set(err, -ENOMEM, "out of memory");
		}
		i++;
	}
	return 0;
}

/* `value`: what it is behind the step, which a kernel may have rounded; NULL: it has none. */
static int note_done(struct kc_fix *fix, struct kc_transaction *t, const char *const *files,
		     const char *value, uint32_t record, struct kc_err *err)
{
	struct pairs done = { 0 };
	char of[16];
	int r;

	(void)snprintf(of, sizeof(of), "%u", record);
	add_pair(&done, "of", of);
	if (value)
		add_pair(&done, "value", value);
	r = note_files(fix, t, files, false, &done, err);
	return r < 0 ? r : kc_transaction_note(t, "done", done.item, done.n, err, NULL);
}

int kc_runtime_do(struct kc_fix *fix, struct kc_transaction *t, const struct kc_fix_step *step,
		  struct kc_err *err)
{
	const struct kc_runtime_kind *kind = kc_runtime_kind(step->step.kind);
	const char *target = step->step.target ? step->step.target : "";
	const char *content = step->step.content, *now;
	const char *const *files = kind->files ? kind->files(fix, target) : NULL;
	struct pairs pairs = { 0 };
	uint32_t record;
	int r;

	r = kind->get(fix, target, content, err, &now);
	if (r == 0 && step->appears && kc_streq0(now, step->value_after))
		return 0;
	/* A module that others have loaded since, or that came with another one. */
	if (r == 0 && !kind->inverse && now && kc_streq(now, step->value_after))
		return 0;
	if (r == 0 && !step->appears && !kc_streq0(now, step->value_before))
		return kc_err_set(err, -EBUSY,
				  "%s has changed since the plan was made: %s, and was %s", target,
				  now ? now : "nothing",
				  step->value_before ? step->value_before : "nothing");
	if (r == 0 && kind->guard)
		r = kind->guard(fix, target, err);
	if (r < 0)
		return r;
	add_pair(&pairs, "kind", kc_step_kind_name(kind->kind));
	add_pair(&pairs, "target", target);
	add_pair(&pairs, "content", content ? content : "");
	add_pair(&pairs, "before", now ? now : "");
	add_pair(&pairs, "after", step->value_after ? step->value_after : "");
	add_pair(&pairs, "boot", t->boot_id);
	r = note_files(fix, t, files, true, &pairs, err);
	if (r == 0)
		r = kc_transaction_note(t, "runtime", pairs.item, pairs.n, err, &record);
	if (r == 0)
		r = kind->set(fix, target, content, step->value_after, err);
	if (r < 0)
		return r;
	/* Where it cannot be asked any more, it is what was wanted. */
	if (!kind->inverse || kind->get(fix, target, content, NULL, &now) < 0)
		now = step->value_after;
	return note_done(fix, t, files, now, record, err);
}

/* ---- undoing ---- */

struct runtime_record {
	const struct kc_runtime_kind *kind;
	const char *target, *content, *before, *after, *boot;
};

static int read_record(const struct kc_record *record, struct kc_err *err,
		       struct runtime_record *ret)
{
	const char *name = kc_record_get(record, "kind");
	int i = name ? kc_enum_from_name(kc_step_kind_names, name) : -EINVAL;
	struct runtime_record r = {
		.kind = i > 0 ? kc_runtime_kind((uint32_t)i) : NULL,
		.target = kc_record_get(record, "target"),
		.content = kc_record_get(record, "content"),
		.before = kc_record_get(record, "before"),
		.after = kc_record_get(record, "after"),
		.boot = kc_record_get(record, "boot"),
	};

	if (!r.kind || !r.target || !r.content || !r.before || !r.after || !r.boot)
		return kc_err_set(err, -EBADMSG, "record %u of the journal is none of a step",
				  record->number);
	if (r.kind->kind != KC_STEP_SYSTEMD_RELOAD &&
	    kc_policy_runtime(r.kind->kind, r.target, r.content, err) < 0)
		return -EPERM;
	*ret = r;
	return 0;
}

enum standing {
	STANDS_BEFORE,
	STANDS_AFTER,
	STANDS_FOREIGN,
	STANDS_FORGOTTEN, /* of another boot, or of another machine */
};

/* What a unit is on its way to: one that fails again and again is "activating" most of the time. */
static const char *settled(const struct runtime_record *rr, const char *value)
{
	if (rr->kind->kind != KC_STEP_UNIT_START && rr->kind->kind != KC_STEP_UNIT_STOP)
		return value;
	return kc_streq(value, "activating")	 ? "active"
	       : kc_streq(value, "deactivating") ? "inactive"
						 : value;
}

static bool is_as_done(const struct kc_transaction *t, const struct kc_record *record,
		       const char *now)
{
	const struct kc_record *done = kc_transaction_find(t, "done", record->number);
	const char *value = done ? kc_record_get(done, "value") : NULL;

	return value && kc_streq(value, now);
}

static int find_standing(struct kc_fix *fix, struct kc_transaction *t,
			 const struct kc_record *record, const struct runtime_record *rr,
			 struct kc_err *err, enum standing *ret)
{
	const char *now;
	int r;

	*ret = STANDS_FORGOTTEN;
	if (!fix->live || !rr->kind->inverse || !*t->boot_id || !kc_streq(rr->boot, t->boot_id))
		return 0;
	r = rr->kind->get(fix, rr->target, rr->content, err, &now);
	if (r < 0)
		return r;
	now = settled(rr, now ? now : "");
	*ret = kc_streq(now, rr->before)				? STANDS_BEFORE
	       : kc_streq(now, rr->after) || is_as_done(t, record, now) ? STANDS_AFTER
									: STANDS_FOREIGN;
	return 0;
}

/*
 * Whether a file is still as the other side left it; before there is a record of that, whatever it
 * wrote is taken for it.
 */
static int check_files(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		       struct kc_err *err)
{
	const struct kc_record *done = kc_transaction_find(t, "done", record->number);

	for (unsigned i = 0; done && i < FILES_MAX; i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		char key[16], node_key[16];
		const char *path, *before, *after;
		struct kc_node now, old, new;
		int r;

		(void)snprintf(key, sizeof(key), "file%u", i);
		(void)snprintf(node_key, sizeof(node_key), "node%u", i);
		path = kc_record_get(record, key);
		before = kc_record_get(record, node_key);
		after = kc_record_get(done, node_key);
		if (!path || !before || !after)
			break;
		r = look_at_file(fix, t, path, &arena, &now, NULL, err);
		if (r == 0 &&
		    (kc_node_get(before, &arena, &old) < 0 || kc_node_get(after, &arena, &new) < 0))
			r = kc_err_set(err, -EBADMSG, "record %u of the journal is damaged",
				       record->number);
		if (r == 0 && !kc_node_same_content(&now, &old) &&
		    !kc_node_same_content(&now, &new))
			r = kc_err_set(err, -EBUSY, "%s was changed by somebody since", path);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Whether the times of a file's folder are those that the step left, or the file is another: then
 * they are ours to bring back, whatever setting the value back will do to them.
 */
static bool times_are_ours(struct kc_fix *fix, struct kc_transaction *t,
			   const struct kc_record *record, unsigned i)
{
	const struct kc_record *done = kc_transaction_find(t, "done", record->number);
	char key[16], times_key[16];
	const char *path, *left;

	(void)snprintf(key, sizeof(key), "file%u", i);
	(void)snprintf(times_key, sizeof(times_key), "times%u", i);
	path = kc_record_get(record, key);
	left = done ? kc_record_get(done, times_key) : NULL;
	/* One that was cut off has left what it had come to. */
	return path && (!left || kc_streq0(folder_times(fix, t, path), left));
}

static int put_files_back(struct kc_fix *fix, struct kc_transaction *t,
			  const struct kc_record *record, const bool *ours, struct kc_err *err)
{
	for (unsigned i = 0; i < FILES_MAX; i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		char key[16], node_key[16], times_key[16], slot[32];
		const char *path, *before, *times;
		struct kc_node node;
		int r;

		(void)snprintf(key, sizeof(key), "file%u", i);
		(void)snprintf(node_key, sizeof(node_key), "node%u", i);
		(void)snprintf(times_key, sizeof(times_key), "times%u", i);
		(void)snprintf(slot, sizeof(slot), "%06u.%u", record->number, i);
		times = kc_record_get(record, times_key);
		path = kc_record_get(record, key);
		before = kc_record_get(record, node_key);
		if (!path || !before || !times)
			break;
		r = kc_policy_path(KC_STEP_EDIT_FILE, path, err);
		if (r == 0 && kc_node_get(before, &arena, &node) < 0)
			r = kc_err_set(err, -EBADMSG, "record %u of the journal is damaged",
				       record->number);
		if (r == 0)
			r = kc_change_put_back(t, path, &node, slot, ours[i] ? times : "", err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int note_of(struct kc_transaction *t, const char *verb, const struct kc_record *record)
{
	char of[16];

	(void)snprintf(of, sizeof(of), "%u", record->number);
	return kc_transaction_note(t, verb, (const struct kc_pair[]){ { "of", of } }, 1, NULL,
				   NULL);
}

int kc_runtime_undo(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		    unsigned flags, struct kc_err *err)
{
	bool begun = kc_transaction_find(t, "undo", record->number) != NULL;
	bool ours[FILES_MAX];
	struct runtime_record rr;
	enum standing stands;
	int r = read_record(record, err, &rr);

	if (r == 0)
		r = find_standing(fix, t, record, &rr, err, &stands);
	if (r == 0 && stands == STANDS_FOREIGN && !(flags & KC_UNDO_FORCE))
		r = kc_err_set(err, -EBUSY,
			       "%s is neither %s, which the repair made it, nor %s, which it was: "
			       "somebody has set it since",
			       rr.target, rr.after, rr.before);
	/* What an undo that was cut off has written is no change of others. */
	if (r == 0 && !begun && !(flags & KC_UNDO_FORCE))
		r = check_files(fix, t, record, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < FILES_MAX; i++)
		ours[i] = begun || times_are_ours(fix, t, record, i);
	(void)note_of(t, "undo", record);
	if (stands == STANDS_AFTER || stands == STANDS_FOREIGN)
		r = rr.kind->set(fix, rr.target, rr.content, rr.before, err);
	if (r == 0)
		r = put_files_back(fix, t, record, ours, err);
	if (r == 0)
		(void)note_of(t, "undone", record);
	return r;
}

int kc_runtime_undoable(struct kc_fix *fix, struct kc_transaction *t,
			const struct kc_record *record, struct kc_err *err)
{
	struct runtime_record rr;
	enum standing stands;
	int r = read_record(record, err, &rr);

	if (r == 0)
		r = find_standing(fix, t, record, &rr, err, &stands);
	if (r == 0 && !kc_transaction_find(t, "undo", record->number))
		r = check_files(fix, t, record, err);
	if (r < 0)
		return r;
	if (stands == STANDS_FOREIGN)
		return kc_err_set(err, -EBUSY, "%s was set by somebody else since", rr.target);
	return stands == STANDS_AFTER;
}

int kc_runtime_complete(struct kc_fix *fix, struct kc_transaction *t,
			const struct kc_record *record, struct kc_err *err)
{
	const char *const *files = NULL;
	struct runtime_record rr;
	enum standing stands;
	int r = read_record(record, err, &rr);

	if (r == 0)
		r = find_standing(fix, t, record, &rr, err, &stands);
	if (r < 0 || stands != STANDS_AFTER)
		return r;
	if (rr.kind->files)
		files = rr.kind->files(fix, rr.target);
	r = note_done(fix, t, files, rr.after, record->number, err);
	return r < 0 ? r : 1;
}
