/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/fields.h"
#include "base/num.h"
#include "fix/policy.h"
#include "fix/runtime.h"
#include "fixer.h"

static bool is_step(const struct kc_record *record)
{
	return kc_streq(record->verb, "change") || kc_streq(record->verb, "runtime");
}

/* What was left as others had made it is open again to who overwrites that. */
static bool is_open(const struct kc_transaction *t, const struct kc_record *record, bool force)
{
	return is_step(record) && !kc_transaction_find(t, "undone", record->number) &&
	       (force || !kc_transaction_find(t, "left", record->number));
}

static uint32_t count_open(const struct kc_transaction *t, bool force)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->text.n; i++)
		n += is_open(t, t->text.records + i, force);
	return n;
}

static const char *target_of(const struct kc_record *record)
{
	const char *target = kc_record_get(record, "path");

	if (!target)
		target = kc_record_get(record, "target");
	return target ? target : "";
}

int kc_fixer_damaged(const char *id, struct kc_err *err)
{
	const struct kc_err why = *err;

	return kc_err_set(err, -EBADMSG,
			  "%s; what it laid aside is in " KC_STORE_PATH
			  "/transactions/%s/backup, and k8scheck rollback --forget %s gives it up",
			  why.text, id, id);
}

/* ---- undoing ---- */

static void leave(struct kc_transaction *t, const struct kc_record *record)
{
	char of[16];

	(void)snprintf(of, sizeof(of), "%u", record->number);
	(void)kc_transaction_note(t, "left", (const struct kc_pair[]){ { "of", of } }, 1, NULL,
				  NULL);
}

/*
 * Whether what a record says rests on one that could not be taken back: the times of a folder come
 * back in the order in which its changes were made, and a folder goes when all in it have gone.
 */
static bool rests_on(const struct kc_record *record, const struct kc_strings *failed)
{
	const char *path = kc_record_get(record, "path");
	const char *slash = path ? strrchr(path, '/') : NULL;
	size_t folder = slash ? (size_t)(slash - path) + 1 : 0;

	for (size_t i = 0; slash && i < failed->n; i++) {
		const char *other = failed->item[i], *rest = kc_after_prefix(other, path);

		if ((rest && *rest == '/') ||
		    (strncmp(other, path, folder) == 0 && !strchr(other + folder, '/')))
			return true;
	}
	return false;
}

/* Each on its own: one that cannot be taken back keeps none of the others but what rests on it. */
static int undo_records(struct kc_fixer *fixer, struct kc_transaction *t, unsigned flags,
			struct kc_fix_outcome *outcome, bool *ret_stuck)
{
	const char **paths = kc_arena_zalloc(fixer->arena, (size_t)t->text.n + 1, sizeof(*paths));
	struct kc_strings failed = { .item = paths };
	int worst = 0;

	*ret_stuck = !paths;
	if (!paths)
		return -ENOMEM;
	for (uint32_t i = t->text.n; i-- > 0;) {
		/* The list grows, and may move, while it is gone through. */
		const struct kc_record record = t->text.records[i];
		struct kc_err err = { 0 };
		int r;

		if (!is_open(t, &record, flags & KC_UNDO_FORCE) || rests_on(&record, &failed))
			continue;
		r = kc_fix_undo(&fixer->fix, t, &record, flags, &err);
		if (r == 0) {
			outcome->changed++;
			continue;
		}
		kc_fixer_note(fixer, outcome, "%s", *err.text ? err.text : kc_strerror(r));
		worst = r;
		/* What others have made of it stays; anything else can be tried again. */
		if (r == -EBUSY && !(flags & KC_UNDO_FORCE))
			leave(t, &record);
		else
			*ret_stuck = true;
		if (r != -EBUSY && kc_record_get(&record, "path"))
			paths[failed.n++] = kc_record_get(&record, "path");
	}
	return worst;
}

int kc_fixer_undo_all(struct kc_fixer *fixer, struct kc_transaction *t, unsigned flags,
		      struct kc_fix_outcome *outcome)
{
	struct kc_err err = { 0 };
	bool stuck;
	int worst, r;

	(void)kc_transaction_note(t, "rolling-back", NULL, 0, NULL, NULL);
	worst = undo_records(fixer, t, flags, outcome, &stuck);
	r = kc_fix_reload(&fixer->fix, &err);
	if (r < 0)
		kc_fixer_note(fixer, outcome, "systemd did not read its units again: %s", err.text);
	for (size_t i = 0; i < t->kept.n; i++)
		kc_fixer_note(fixer, outcome, "what others wrote is kept as %s", t->kept.item[i]);
	r = kc_transaction_unstage(t, &err);
	if (r < 0) {
		kc_fixer_note(fixer, outcome, "%s", err.text);
		stuck = true;
		worst = worst ? worst : r;
	}
	if (!stuck && kc_transaction_note(t, "rolled-back", NULL, 0, &err, NULL) < 0)
		kc_fixer_note(fixer, outcome,
			      "all is as it was, but that could not be noted (%s): the next repair "
			      "asks for k8scheck rollback first",
			      err.text);
	return worst;
}

/* ---- which one ---- */

static const char *state_of(const struct kc_transaction *t, struct kc_arena *arena)
{
	uint32_t left;

	switch (kc_transaction_state(&t->text)) {
	case KC_TRANSACTION_OPEN:
		return "cut off";
	case KC_TRANSACTION_COMMITTED:
		return "done";
	case KC_TRANSACTION_ROLLING_BACK:
		return "rollback not finished";
	case KC_TRANSACTION_ROLLED_BACK:
		left = count_open(t, true);
		return left ? kc_arena_printf(arena, "taken back but for %u, changed by others",
					      left)
			    : "taken back";
	default:
		return "empty";
	}
}

static bool is_one_of(const struct kc_strings *ids, const char *id)
{
	for (size_t i = 0; i < ids->n; i++) {
		if (kc_streq(ids->item[i], id))
			return true;
	}
	return false;
}

static int open_to_read(struct kc_fixer *fixer, const char *id, struct kc_err *err,
			struct kc_transaction *ret)
{
	int r = kc_transaction_open(&fixer->store, id, true, err, ret);

	return r == -EBADMSG ? kc_fixer_damaged(id, err) : r;
}

/* Whether there is something to be taken back, with the rest of one that met conflicts by force. */
static bool is_to_be_undone(const struct kc_transaction *t, bool force)
{
	switch (kc_transaction_state(&t->text)) {
	case KC_TRANSACTION_EMPTY:
		return false;
	case KC_TRANSACTION_ROLLED_BACK:
		return force && count_open(t, true) > 0;
	default:
		return true;
	}
}

/* The newest that is not taken back; an id has to be that one's. */
static int choose(struct kc_fixer *fixer, const char *wanted, bool read_only,
		  struct kc_transaction *ret, bool *ret_found, struct kc_err *err)
{
	const bool force = fixer->command.options->force;
	struct kc_strings ids;
	int r = kc_store_list(&fixer->store, fixer->arena, err, &ids);

	*ret_found = false;
	if (r == 0 && wanted && !is_one_of(&ids, wanted))
		return kc_err_set(err, -ENOENT,
				  "there is no transaction %.64s (rollback --list shows them)",
				  wanted);
	for (size_t i = ids.n; r == 0 && i-- > 0;) {
		const bool is_wanted = wanted && kc_streq(ids.item[i], wanted);
		struct kc_transaction t;
		bool undo, back;

		r = open_to_read(fixer, ids.item[i], err, &t);
		if (r < 0)
			return r;
		undo = is_to_be_undone(&t, force && (is_wanted || !wanted));
		back = kc_transaction_state(&t.text) == KC_TRANSACTION_ROLLED_BACK;
		kc_transaction_done(&t);
		if (is_wanted && !undo && back)
			return kc_err_set(err, -EALREADY, "repair %s was taken back already",
					  wanted);
		if (!undo)
			continue;
		if (wanted && !is_wanted)
			return kc_err_set(
				err, -EBUSY,
				"repairs are taken back newest first, and %s is newer than "
				"%.64s",
				ids.item[i], wanted);
		r = kc_transaction_open(&fixer->store, ids.item[i], read_only, err, ret);
		*ret_found = r == 0;
		return r;
	}
	if (r == 0 && wanted)
		return kc_err_set(err, -ENOENT, "transaction %.64s changed nothing", wanted);
	return r;
}

/* ---- what it would do ---- */

static const char *kind_of(const struct kc_record *record, const struct kc_change *change)
{
	if (kc_streq(record->verb, "runtime"))
		return kc_record_get(record, "kind");
	if (!change->before.type)
		return change->after.type == KC_FILE_DIRECTORY ? "remove-dir"
		       : change->after.type == KC_FILE_SYMLINK ? "remove-link"
							       : "remove-file";
	if (!change->after.type)
		return "put-back";
	return change->before.sha256 || change->before.link ? "old-content" : "old-mode";
}

static void describe(struct kc_fixer *fixer, struct kc_transaction *t,
		     const struct kc_record *record, struct kc_fix_undo *ret)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_change change = { 0 };
	struct kc_err err = { 0 };
	const char *kind;
	int r = 0;

	if (kc_streq(record->verb, "change"))
		r = kc_change_read(record, &arena, &err, &change);
	kind = r == 0 ? kind_of(record, &change) : NULL;
	*ret = (struct kc_fix_undo){
		.what = kind ? kind : record->verb,
		.target = target_of(record),
		.state = KC_STATE_ALREADY,
	};
	if (r == 0)
		r = kc_fix_undoable(&fixer->fix, t, record, &err);
	if (r > 0)
		ret->state = KC_STATE_NEEDED;
	else if (r == -EBUSY)
		ret->state = KC_STATE_HELD;
	else if (r < 0)
		ret->state = KC_STATE_REFUSED;
	if (r < 0)
		ret->text = kc_arena_strdup(fixer->arena, err.text);
	else if (kc_streq(record->verb, "runtime") && r > 0)
		ret->text = kc_arena_printf(fixer->arena, "from %s back to %s",
					    kc_record_get(record, "after"),
					    kc_record_get(record, "before"));
}

static const char *of_begin(const struct kc_transaction *t, const char *key)
{
	const char *value = t->text.n > 0 ? kc_record_get(t->text.records, key) : NULL;

	return value ? value : "";
}

static int list_undos(struct kc_fixer *fixer, struct kc_transaction *t,
		      struct kc_fix_rollback *rollback, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf all = { 0 };
	struct kc_fix_undo *items =
		kc_arena_zalloc(fixer->arena, (size_t)t->text.n + 1, sizeof(*items));
	char *hash = kc_arena_zalloc(fixer->arena, 1, KC_DIGEST_TEXT);

	if (!items || !hash)
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = t->text.n; i-- > 0;) {
		const struct kc_record *record = t->text.records + i;

		if (!is_open(t, record, fixer->command.options->force))
			continue;
		describe(fixer, t, record, items + rollback->n);
		kc_buf_addf(&all, "%u %u\n", record->number, items[rollback->n].state);
		rollback->n++;
	}
	kc_buf_addf(&all, "%s\n", t->id);
	if (kc_buf_error(&all) < 0)
		return kc_err_set(err, -ENOMEM, "out of memory");
	kc_digest(all.data, all.len, hash);
	rollback->items = items;
	rollback->hash = hash;
	rollback->transaction = t->id;
	rollback->time = of_begin(t, "time");
	rollback->profile = of_begin(t, "profile");
	rollback->state = state_of(t, fixer->arena);
	return 0;
}

/* The step by which a record is taken back; false where that touches nothing any more. */
static bool step_back(const struct kc_fixer *fixer, const struct kc_transaction *t,
		      const struct kc_record *record, struct kc_step *ret)
{
	const char *kind = kc_record_get(record, "kind"), *boot = kc_record_get(record, "boot");
	int i;

	*ret = (struct kc_step){
		.kind = KC_STEP_WRITE_FILE,
		.target = kc_record_get(record, "path"),
	};
	if (kc_streq(record->verb, "change"))
		return ret->target != NULL;
	i = kind ? kc_enum_from_name(kc_step_kind_names, kind) : -EINVAL;
	ret->kind = i > 0 ? (uint32_t)i : 0;
	ret->target = kc_record_get(record, "target");
	ret->content = kc_record_get(record, "before");
	if (!fixer->fix.live || !boot || !kc_streq(boot, t->boot_id))
		return false;
	return kc_runtime_kind(ret->kind) && kc_runtime_kind(ret->kind)->inverse;
}

/* Why a rollback must leave what runs alone; NULL when it touches nothing of it, or may. */
static const char *hold(struct kc_fixer *fixer, const struct kc_transaction *t)
{
	for (uint32_t i = 0; i < t->text.n && fixer->fix.live; i++) {
		const struct kc_record *record = t->text.records + i;
		struct kc_step step;

		if (is_open(t, record, fixer->command.options->force) &&
		    step_back(fixer, t, record, &step) &&
		    (kc_policy_flags(&step) & KC_STEP_DISTURBS))
			return kc_fixer_hold(fixer);
	}
	return NULL;
}

static int take_back(struct kc_fixer *fixer, struct kc_transaction *t, struct kc_err *err)
{
	const unsigned flags = fixer->command.options->force ? KC_UNDO_FORCE : 0;
	struct kc_fix_outcome outcome = { .result = KC_FIX_DONE, .transaction = t->id };
	int r = kc_fixer_undo_all(fixer, t, flags, &outcome);

	if (r < 0) {
		outcome.result = KC_FIX_STUCK;
		outcome.text = "not all of it could be taken back";
	}
	return kc_fixer_tell(fixer, &outcome);
}

static int serve_rollback(struct kc_fixer *fixer, struct kc_transaction *t, bool found,
			  struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_fix_rollback rollback = { 0 };
	struct kc_fix_consent consent;
	int r = found ? list_undos(fixer, t, &rollback, err) : 0;

	if (r < 0)
		return r;
	if (found)
		rollback.refusal = hold(fixer, t);
	kc_put_rollback(&b, &rollback);
	r = kc_fix_send(fixer->socket, KC_FIX_ROLLBACK, &b);
	if (r < 0 || !found || !fixer->may_change || rollback.refusal)
		return 0;
	r = kc_fixer_await(fixer, err, &consent);
	if (r == -EPIPE)
		return 0;
	if (r < 0)
		return r;
	if (!kc_streq(consent.hash, rollback.hash))
		return kc_err_set(err, -EPERM, "what was agreed to is not what was shown");
	return take_back(fixer, t, err);
}

int kc_fixer_rollback(struct kc_fixer *fixer, struct kc_err *err)
{
	const struct kc_options *o = fixer->command.options;
	const bool read_only = !fixer->may_change;
	struct kc_transaction t = { 0 };
	bool found = false;
	int r;

	r = kc_store_open(fixer->fix.root, read_only ? 0 : KC_STORE_LOCK, err, &fixer->store);
	if (r == 0)
		r = choose(fixer, o->words.n ? o->words.item[0] : NULL, read_only, &t, &found, err);
	if (r < 0)
		return r;
	r = serve_rollback(fixer, &t, found, err);
	if (found)
		kc_transaction_done(&t);
	return r;
}

/* ---- list and forget ---- */

int kc_fixer_list(struct kc_fixer *fixer, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_fix_listed *items;
	struct kc_fix_list list = { 0 };
	struct kc_strings ids;
	int r = kc_store_open(fixer->fix.root, 0, err, &fixer->store);

	if (r == 0)
		r = kc_store_list(&fixer->store, fixer->arena, err, &ids);
	if (r < 0)
		return r;
	items = kc_arena_zalloc(fixer->arena, ids.n + 1, sizeof(*items));
	if (!items)
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < ids.n; i++) {
		struct kc_fix_listed *item = items + list.n;
		struct kc_err damaged = { 0 };
		struct kc_transaction t;

		*item = (struct kc_fix_listed){ .id = ids.item[i], .time = "", .profile = "" };
		if (kc_transaction_open(&fixer->store, ids.item[i], true, &damaged, &t) < 0) {
			item->state = kc_arena_printf(fixer->arena, "damaged: %s", damaged.text);
			list.n += item->state != NULL;
			continue;
		}
		item->state = state_of(&t, fixer->arena);
		item->time = kc_arena_strdup(fixer->arena, of_begin(&t, "time"));
		item->profile = kc_arena_strdup(fixer->arena, of_begin(&t, "profile"));
		for (uint32_t k = 0; k < t.text.n; k++)
			item->changes += is_step(t.text.records + k);
		list.n += item->time && item->profile;
		kc_transaction_done(&t);
	}
	list.items = items;
	kc_put_list(&b, &list);
	r = kc_fix_send(fixer->socket, KC_FIX_LIST, &b);
	return r < 0 ? kc_err_set(err, r, "the list could not be handed over") : 0;
}

int kc_fixer_forget(struct kc_fixer *fixer, struct kc_err *err)
{
	const char *id = fixer->command.options->forget;
	struct kc_fix_outcome outcome = { .result = KC_FIX_DONE, .transaction = id, .changed = 1 };
	struct kc_transaction t;
	int r = kc_store_open(fixer->fix.root, KC_STORE_LOCK, err, &fixer->store);

	if (r < 0)
		return r;
	r = kc_transaction_open(&fixer->store, id, true, err, &t);
	/* One that is damaged can be undone by nobody, and so be forgotten. */
	if (r == 0) {
		enum kc_transaction_state state = kc_transaction_state(&t.text);

		kc_transaction_done(&t);
		if (!fixer->command.options->force &&
		    (state == KC_TRANSACTION_OPEN || state == KC_TRANSACTION_ROLLING_BACK))
			return kc_err_set(err, -EBUSY,
					  "repair %s is half done: take it back first (k8scheck "
					  "rollback), since its backups are the only way back; "
					  "--force forgets it all the same",
					  id);
	} else if (r != -EBADMSG) {
		return r;
	}
	r = kc_store_remove(&fixer->store, id, err);
	return r < 0 ? r : kc_fixer_tell(fixer, &outcome);
}
