/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fields.h"
#include "fixer-plan.h"

static void tell_progress(struct kc_repair *r, const struct kc_repair_item *item)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	kc_put_text(&b, r->rules[item->rule]->id);
	kc_put_u32(&b, item->fix.step.kind);
	kc_put_u32(&b, item->fix.state);
	kc_put_text(&b, item->fix.step.target);
	(void)kc_fix_send(r->fixer->socket, KC_FIX_PROGRESS, &b);
}

/* What k8scheck did not agree to is left out. */
static void narrow(struct kc_repair *r, const struct kc_fix_consent *consent)
{
	for (size_t i = 0; i < r->n_items; i++) {
		struct kc_repair_item *item = r->items + i;
		bool agreed = false;

		for (size_t k = 0; k < consent->rules.n; k++)
			agreed = agreed ||
				 kc_streq(consent->rules.item[k], r->rules[item->rule]->id);
		if (item->fix.state != KC_STATE_NEEDED && !item->same)
			continue;
		if (!agreed) {
			item->fix.state = KC_STATE_NOT_BEGUN;
			item->same = false;
		} else if ((item->fix.step.flags & KC_STEP_WEAKENS) && !consent->weaken) {
			item->fix.state = KC_STATE_HELD;
			item->fix.text = "it weakens the host, and was not agreed to";
			item->same = false;
		}
	}
}

/* A restart has no value by which a second look could tell that it was done. */
static bool was_done_before(const struct kc_repair *r, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (r->items[i].fix.state == KC_STATE_DONE &&
		    kc_step_same(&r->items[i].fix.step, &r->items[index].fix.step))
			return true;
	}
	return false;
}

static int carry_out(struct kc_repair *r, struct kc_transaction *t, struct kc_fix_outcome *outcome,
		     struct kc_err *err)
{
	for (size_t i = 0; i < r->n_items; i++) {
		struct kc_repair_item *item = r->items + i;
		int code = 0;

		if (item->same && was_done_before(r, i))
			continue;
		/* The step that was to do it may have been left out. */
		if (item->same) {
			const char *who = item->fix.text;

			code = kc_repair_look_again(r, item, err);
			if (code == 0 && item->fix.state == KC_STATE_ALREADY) {
				item->fix.text = who;
				continue;
			}
			if (code == 0 && item->fix.state != KC_STATE_NEEDED)
				code = kc_err_set(err, -EINVAL, "%s",
						  item->fix.text ? item->fix.text : "refused");
		}
		if (code == 0 && item->fix.state != KC_STATE_NEEDED)
			continue;
		if (code == 0)
			code = kc_fix_apply(&r->fixer->fix, t, &item->fix, err);
		item->fix.state = code < 0 ? KC_STATE_FAILED : KC_STATE_DONE;
		if (code < 0)
			item->fix.text = kc_arena_strdup(r->fixer->arena, err->text);
		tell_progress(r, item);
		if (code < 0)
			return code;
		outcome->changed++;
	}
	return kc_fix_reload(&r->fixer->fix, err);
}

static void mark_taken_back(struct kc_repair *r, uint32_t state)
{
	for (size_t i = 0; i < r->n_items; i++) {
		struct kc_fix_step *step = &r->items[i].fix;

		if (step->state == KC_STATE_DONE)
			step->state = state;
		else if (step->state == KC_STATE_NEEDED)
			step->state = KC_STATE_NOT_BEGUN;
	}
}

static int begin(struct kc_repair *r, struct kc_transaction *t, struct kc_err *err)
{
	struct kc_fixer *fixer = r->fixer;
	const struct kc_pair pairs[] = {
		{ "profile", r->profile->name ? r->profile->name : "" },
		{ "root", kc_root_path(fixer->fix.root) },
		{ "plan", r->hash },
		{ "k8scheck", KC_VERSION },
	};
	enum kc_transaction_state state;
	const char *id;
	int code =
		kc_store_open(fixer->fix.root, KC_STORE_LOCK | KC_STORE_MAKE, err, &fixer->store);

	if (code == 0)
		code = kc_repair_unfinished(fixer, &fixer->store, &id, &state, err);
	if (code < 0)
		return code;
	/* Another may have been cut off since the plan was made. */
	if (id && !(fixer->command.options->resume && state == KC_TRANSACTION_OPEN))
		return kc_err_set(err, -EBUSY, "%s", kc_repair_why_unfinished(fixer, id, state));
	if (!id)
		return kc_transaction_begin(&fixer->store, pairs, KC_ARRAY_SIZE(pairs), err, t);
	code = kc_transaction_open(&fixer->store, id, false, err, t);
	if (code < 0)
		return code;
	code = kc_transaction_note(t, "resume", pairs, KC_ARRAY_SIZE(pairs), err, NULL);
	if (code < 0)
		kc_transaction_done(t);
	return code;
}

/*
 * The plan was made of what is there. A step that was cut off behind its change is therefore part
 * of it no more, and merely marked; what is left of one that had not come so far is taken back.
 */
static int settle_cut_off(struct kc_repair *r, struct kc_transaction *t, struct kc_err *err)
{
	for (uint32_t i = t->text.n; i-- > 0;) {
		/* The list grows, and may move, while it is gone through. */
		const struct kc_record record = t->text.records[i];
		int code;

		if (!kc_streq(record.verb, "change") && !kc_streq(record.verb, "runtime"))
			continue;
		/* Whether systemd has read it since nobody knows. */
		if (kc_record_get(&record, "path") &&
		    kc_after_prefix(kc_record_get(&record, "path"), "/etc/systemd/system/"))
			r->fixer->fix.units_changed = true;
		if (kc_transaction_find(t, "done", record.number) ||
		    kc_transaction_find(t, "undone", record.number))
			continue;
		code = kc_fix_complete(&r->fixer->fix, t, &record, err);
		if (code == 0)
			code = kc_fix_undo(&r->fixer->fix, t, &record, 0, err);
		if (code < 0)
			return code;
	}
	return 0;
}

static int finish(struct kc_repair *r, struct kc_transaction *t, struct kc_fix_outcome *outcome,
		  struct kc_err *err)
{
	int code = kc_change_settle(t, err);

	if (code == 0)
		code = kc_transaction_unstage(t, err);
	if (code == 0)
		code = kc_transaction_note(t, "committed", NULL, 0, err, NULL);
	for (size_t i = 0; i < t->kept.n; i++)
		kc_fixer_note(
			r->fixer, outcome,
			"somebody wrote into a file while it was replaced: theirs is kept as %s",
			t->kept.item[i]);
	return code;
}

static int repair(struct kc_repair *r, struct kc_err *err)
{
	struct kc_fix_outcome outcome = { .result = KC_FIX_DONE };
	struct kc_transaction t;
	struct kc_err why = { 0 };
	int code = begin(r, &t, err);

	if (code < 0)
		return code;
	r->transaction = outcome.transaction = kc_arena_strdup(r->fixer->arena, t.id);
	code = settle_cut_off(r, &t, &why);
	if (code == 0)
		code = carry_out(r, &t, &outcome, &why);
	if (code == 0)
		code = finish(r, &t, &outcome, &why);
	if (code < 0) {
		outcome.text =
			kc_arena_strdup(r->fixer->arena, *why.text ? why.text : kc_strerror(code));
		outcome.result = KC_FIX_TAKEN_BACK;
		if (kc_fixer_undo_all(r->fixer, &t, 0, &outcome) < 0)
			outcome.result = KC_FIX_STUCK;
		mark_taken_back(r, outcome.result == KC_FIX_STUCK ? KC_STATE_STUCK
								  : KC_STATE_TAKEN_BACK);
	}
	kc_transaction_done(&t);
	(void)kc_repair_tell(r, NULL);
	return kc_fixer_tell(r->fixer, &outcome);
}

static bool has_work(const struct kc_repair *r)
{
	for (size_t i = 0; i < r->n_items; i++) {
		/* The step that was to do it may have been left out. */
		if (r->items[i].fix.state == KC_STATE_NEEDED || r->items[i].same)
			return true;
	}
	return false;
}

static int on_consent(struct kc_repair *r, const struct kc_fix_message *message, struct kc_err *err)
{
	struct kc_fix_outcome nothing = { .result = KC_FIX_DONE };
	struct kc_fix_consent consent;

	if (kc_get_consent(&message->data, r->fixer->arena, &consent) < 0)
		return kc_err_set(err, -EBADMSG, "the consent cannot be read");
	if (!r->fixer->may_change)
		return kc_err_set(err, -EPERM, "a dry run changes nothing");
	if (!kc_streq(consent.hash, r->hash))
		return kc_err_set(err, -EPERM, "what was agreed to is not the plan that was made");
	if (r->refusal)
		return kc_err_set(err, -EPERM, "%s", r->refusal);
	narrow(r, &consent);
	if (!has_work(r) && !r->fixer->command.options->resume)
		return kc_fixer_tell(r->fixer, &nothing);
	return repair(r, err);
}

int kc_fixer_repair(struct kc_fixer *fixer, struct kc_err *err)
{
	struct kc_repair r = { .fixer = fixer };

	r.profile = kc_command_profile(&fixer->command, NULL, NULL);
	if (!r.profile)
		return kc_err_set(err, -EINVAL, "the fixer finds faults in the profile");
	for (;;) {
		struct kc_fix_message message = { 0 };
		int code = kc_fix_receive(fixer->socket, &message);

		/* Nobody asks for anything any more. */
		if (code == -EPIPE)
			return 0;
		if (code == 0 && message.type == KC_FIX_CONSENT) {
			code = r.rules ? on_consent(&r, &message, err)
				       : kc_err_set(err, -EPERM, "there is no plan to agree to");
			kc_fix_message_done(&message);
			return code;
		}
		if (code == 0 && message.type != KC_FIX_REQUEST)
			code = -EBADMSG;
		if (code == 0)
			code = kc_get_request(&message.data, fixer->arena, &r.request);
		kc_fix_message_done(&message);
		if (code < 0)
			return kc_err_set(err, code, "the plan cannot be read");
		code = kc_repair_look(&r, err);
		if (code == 0)
			code = kc_repair_tell(&r, err);
		if (code < 0)
			return code;
	}
}
