/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/fields.h"
#include "fix/policy.h"
#include "fix/runtime.h"
#include "fixer.h"
#include "model/touches.h"

/* A step with its rule, and where it stands. */
struct item {
	struct kc_fix_step fix;
	uint32_t rule; /* index into the request */
	bool same; /* a step before comes to the same */
};

struct repair {
	struct kc_fixer *fixer;
	const struct kc_profile *profile;
	struct kc_fix_request request;
	const struct kc_rule **rules; /* of the request */
	const char **refused; /* by rule: why nothing of it is done; NULL */
	struct item *items; /* in the order in which they are carried out */
	size_t n_items;
	const char *refusal; /* of all */
	const char *transaction;
	const char *hold; /* why what runs is left alone; NULL */
	bool hold_known;
	char hash[KC_DIGEST_TEXT];
};

/* ---- the request ---- */

static const struct kc_rule *find_rule(const struct kc_profile *profile, const char *id)
{
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (kc_streq(profile->rules[i].id, id))
			return profile->rules + i;
	}
	return NULL;
}

static int take_rules(struct repair *r, struct kc_err *err)
{
	struct kc_arena *arena = r->fixer->arena;

	r->rules = kc_arena_zalloc(arena, (size_t)r->request.n + 1, sizeof(*r->rules));
	r->refused = kc_arena_zalloc(arena, (size_t)r->request.n + 1, sizeof(*r->refused));
	if (!r->rules || !r->refused)
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < r->request.n; i++) {
		const struct kc_fix_rule *asked = r->request.rules + i;
		const struct kc_rule *rule = find_rule(r->profile, asked->id);

		if (!rule)
			return kc_err_set(err, -EPERM, "the profile has no rule %.100s", asked->id);
		if (asked->n > 0 && rule->fix == KC_FIX_NEVER)
			return kc_err_set(err, -EPERM, "rule %s is never repaired", rule->id);
		if (asked->n > 0 && !(rule->check->flags & KC_CHECK_PLANS))
			return kc_err_set(err, -EPERM, "rule %s: its check repairs nothing",
					  rule->id);
		r->rules[i] = rule;
		r->refused[i] = asked->fault;
	}
	return 0;
}

/* Files before what reads them: a restart comes when all that it is about is written. */
static unsigned phase(uint32_t kind)
{
	switch (kind) {
	case KC_STEP_LOAD_MODULE:
		return 1;
	case KC_STEP_SYSCTL:
	case KC_STEP_SWAP_OFF:
	case KC_STEP_SELINUX_MODE:
	case KC_STEP_FIREWALLD_ZONE:
	case KC_STEP_FIREWALLD_PORT:
		return 2;
	case KC_STEP_SYSTEMD_RELOAD:
		return 3;
	case KC_STEP_UNIT_STOP:
		return 4;
	case KC_STEP_UNIT_RESTART:
		return 5;
	case KC_STEP_UNIT_START:
		return 6;
	default:
		return 0;
	}
}

static int order_items(struct repair *r, struct kc_err *err)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->request.n; i++)
		n += r->request.rules[i].n;
	r->items = kc_arena_zalloc(r->fixer->arena, n + 1, sizeof(*r->items));
	if (!r->items)
		return kc_err_set(err, -ENOMEM, "out of memory");
	r->n_items = 0;
	for (unsigned p = 0; p <= 6; p++) {
		for (uint32_t i = 0; i < r->request.n; i++) {
			for (size_t k = 0; k < r->request.rules[i].n; k++) {
				const struct kc_step *step = r->request.rules[i].steps + k;

				if (phase(step->kind) != p)
					continue;
				r->items[r->n_items++] = (struct item){
					.fix = { .step = *step, .state = KC_STATE_REFUSED },
					.rule = i,
				};
			}
		}
	}
	return 0;
}

/* ---- looking ---- */

static bool same_text(const void *a, uint64_t n, const void *b, uint64_t m)
{
	return n == m && (n == 0 || memcmp(a, b, n) == 0);
}

/* Two rules that want the same: it is done once. A restart is a start, too. */
static bool comes_to_same(const struct kc_step *a, const struct kc_step *b)
{
	const bool starts = a->kind == KC_STEP_UNIT_RESTART && b->kind == KC_STEP_UNIT_START;

	if (!kc_streq0(a->target, b->target))
		return false;
	if (starts)
		return true;
	return a->kind == b->kind && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       same_text(a->content, a->content_size, b->content, b->content_size);
}

/* Whether two steps would change one place into different things. */
static bool collide(const struct kc_fix_step *a, const struct kc_fix_step *b)
{
	for (size_t i = 0; i < a->n_changes; i++) {
		for (size_t k = 0; k < b->n_changes; k++) {
			if (kc_streq(a->changes[i].change.path, b->changes[k].change.path) &&
			    !kc_node_same(&a->changes[i].change.after, &b->changes[k].change.after))
				return true;
		}
	}
	return kc_runtime_kind(a->step.kind) && a->step.kind == b->step.kind &&
	       kc_streq0(a->step.target, b->step.target) &&
	       !same_text(a->step.content, a->step.content_size, b->step.content,
			  b->step.content_size);
}

/* Changes that a step before makes already, as two units may want the same folder. */
static void drop_made(struct repair *r, size_t index)
{
	struct kc_fix_step *step = &r->items[index].fix;
	size_t n = 0;

	for (size_t k = 0; k < step->n_changes; k++) {
		bool made = false;

		for (size_t i = 0; i < index && !made; i++) {
			const struct kc_fix_step *before = &r->items[i].fix;

			for (size_t m = 0; m < before->n_changes && !made; m++)
				made = before->state == KC_STATE_NEEDED &&
				       kc_streq(before->changes[m].change.path,
						step->changes[k].change.path);
		}
		if (!made)
			step->changes[n++] = step->changes[k];
	}
	if (n < step->n_changes && n == 0)
		r->items[index].same = true;
	step->n_changes = n;
}

static int look_again(struct repair *r, struct item *item, struct kc_err *err)
{
	struct kc_fix *fix = &r->fixer->fix;
	size_t n = (size_t)(item - r->items);
	struct kc_fix_step *earlier = kc_arena_zalloc(r->fixer->arena, n + 1, sizeof(*earlier));

	if (!earlier)
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		earlier[i] = r->items[i].fix;
	item->fix.n_changes = 0;
	item->fix.text = NULL;
	return kc_fix_look(fix, &item->fix, earlier, n, err);
}

/*
 * What needs an option that was not given. Before it is held against the steps before it: that one
 * of them would do it says nothing where that one is held back, too.
 */
static void hold_back(struct repair *r, struct kc_fix_step *step)
{
	const struct kc_options *o = r->fixer->command.options;

	if ((step->step.flags & KC_STEP_WEAKENS) && o->yes && !o->allow_weaken) {
		step->state = KC_STATE_HELD;
		step->text = "it weakens the host: add --allow-weaken";
		return;
	}
	if (!(step->step.flags & KC_STEP_DISTURBS))
		return;
	if (!r->hold_known)
		r->hold = kc_fixer_hold(r->fixer);
	r->hold_known = true;
	if (r->hold) {
		step->state = KC_STATE_HELD;
		step->text = r->hold;
	}
}

static int look_at(struct repair *r, size_t index, struct kc_err *err)
{
	struct item *item = r->items + index;
	struct kc_fix_step *step = &item->fix;
	struct kc_arena *arena = r->fixer->arena;
	int code;

	if (r->refused[item->rule]) {
		/* The one for which it is refused says why. */
		if (step->state == KC_STATE_REFUSED && step->text)
			return 0;
		step->state = KC_STATE_NOT_BEGUN;
		step->text = NULL;
		return 0;
	}
	item->same = false;
	if (!kc_touches_step(r->rules[item->rule], &step->step)) {
		step->state = KC_STATE_REFUSED;
		step->text =
			kc_arena_printf(arena,
					"the manifest of %s does not say that a repair touches "
					"%.200s",
					r->rules[item->rule]->check->id,
					step->step.target ? step->step.target : "that");
		return step->text ? 0 : kc_err_set(err, -ENOMEM, "out of memory");
	}
	code = look_again(r, item, err);
	if (code == 0 && step->state == KC_STATE_NEEDED)
		hold_back(r, step);
	if (code < 0 || step->state != KC_STATE_NEEDED)
		return code;
	for (size_t i = 0; i < index; i++) {
		struct item *before = r->items + i;

		if (before->fix.state != KC_STATE_NEEDED)
			continue;
		if (comes_to_same(&before->fix.step, &step->step)) {
			item->same = true;
			step->state = KC_STATE_ALREADY;
			step->text = kc_arena_printf(arena, "rule %s does it",
						     r->rules[before->rule]->id);
			return 0;
		}
		if (collide(&before->fix, step)) {
			step->state = KC_STATE_REFUSED;
			step->text = kc_arena_printf(arena, "rule %s wants something else of it",
						     r->rules[before->rule]->id);
			return 0;
		}
	}
	drop_made(r, index);
	if (item->same) {
		step->state = KC_STATE_ALREADY;
		step->text = "a step before does it";
	}
	return 0;
}

/* Half a repair would be worse than none: where a step is refused, all of its rule are. */
static void refuse_rules(struct repair *r)
{
	for (size_t i = 0; i < r->n_items; i++) {
		const struct item *item = r->items + i;

		if (item->fix.state == KC_STATE_REFUSED && !r->refused[item->rule])
			r->refused[item->rule] =
				item->fix.text ? item->fix.text : "a step of it is refused";
	}
	for (size_t i = 0; i < r->n_items; i++) {
		struct item *item = r->items + i;

		if (r->refused[item->rule] && item->fix.state == KC_STATE_NEEDED)
			item->fix.state = KC_STATE_NOT_BEGUN;
	}
}

static int find_unfinished(struct kc_fixer *fixer, const struct kc_store *store,
			   const char **ret_id, enum kc_transaction_state *ret_state,
			   struct kc_err *err)
{
	struct kc_strings ids;
	int r = kc_store_list(store, fixer->arena, err, &ids);

	*ret_id = NULL;
	for (size_t i = ids.n; r == 0 && i-- > 0;) {
		struct kc_transaction t;

		r = kc_transaction_open(store, ids.item[i], true, err, &t);
		if (r < 0)
			return r;
		*ret_state = kc_transaction_state(&t.text);
		kc_transaction_done(&t);
		/* One that was cut off before it changed anything is none. */
		if (*ret_state == KC_TRANSACTION_EMPTY)
			continue;
		if (*ret_state == KC_TRANSACTION_OPEN || *ret_state == KC_TRANSACTION_ROLLING_BACK)
			*ret_id = ids.item[i];
		break;
	}
	return r;
}

static const char *why_unfinished(struct kc_fixer *fixer, const char *id,
				  enum kc_transaction_state state)
{
	if (state == KC_TRANSACTION_OPEN)
		return kc_arena_printf(
			fixer->arena,
			"repair %s was cut off: take it back by k8scheck rollback, or "
			"go on with it by k8scheck --fix --resume",
			id);
	return kc_arena_printf(fixer->arena,
			       "the rollback of %s was not finished: run k8scheck rollback again",
			       id);
}

/* Nothing new is begun on top of half a repair. */
static int check_unfinished(struct repair *r, struct kc_err *err)
{
	struct kc_fixer *fixer = r->fixer;
	enum kc_transaction_state state;
	struct kc_store store;
	const char *id;
	int code = kc_store_open(fixer->fix.root, 0, err, &store);

	if (code < 0)
		return code;
	code = find_unfinished(fixer, &store, &id, &state, err);
	kc_store_done(&store);
	if (code < 0)
		return code;
	/* Not cut off: it goes on right now. */
	if (id && kc_store_is_locked(fixer->fix.root))
		r->refusal = "another k8scheck is repairing this system, or taking a repair back; "
			     "try again when it has ended";
	else if (id && !(fixer->command.options->resume && state == KC_TRANSACTION_OPEN))
		r->refusal = why_unfinished(fixer, id, state);
	else if (!id && fixer->command.options->resume)
		r->refusal =
			"there is no repair that was cut off, so --resume has nothing to go on "
			"with";
	return 0;
}

static void hash_plan(struct repair *r)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	kc_buf_addf(&b, "%s\n", kc_root_path(r->fixer->fix.root));
	for (size_t i = 0; i < r->n_items; i++) {
		const struct item *item = r->items + i;
		const struct kc_fix_step *step = &item->fix;

		if (step->state != KC_STATE_NEEDED)
			continue;
		kc_buf_addf(&b, "%s %u %u %s %s %s\n", r->rules[item->rule]->id, step->step.kind,
			    step->step.flags, step->step.target ? step->step.target : "",
			    step->value_before ? step->value_before : "",
			    step->value_after ? step->value_after : "");
		/* Of a port or zone the values do not say which. */
		kc_buf_add(&b, step->step.content, step->step.content_size);
		kc_buf_addc(&b, '\n');
		for (size_t k = 0; k < step->n_changes; k++) {
			kc_buf_addf(&b, "%s ", step->changes[k].change.path);
			kc_node_put(&b, &step->changes[k].change.before);
			kc_buf_addc(&b, ' ');
			kc_node_put(&b, &step->changes[k].change.after);
			kc_buf_addc(&b, '\n');
		}
	}
	kc_digest(b.data ? b.data : "", b.len, r->hash);
}

static size_t count_refused(const struct repair *r)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->request.n; i++)
		n += r->refused[i] != NULL;
	return n;
}

static int look_at_all(struct repair *r, struct kc_err *err)
{
	int code = take_rules(r, err);
	size_t before;

	r->hold_known = false;
	r->refusal = kc_fixer_refusal(r->fixer);
	if (code == 0)
		code = order_items(r, err);
	/* What a rule that is refused would have done, another may have relied on. */
	do {
		before = count_refused(r);
		for (size_t i = 0; i < r->n_items && code == 0; i++)
			code = look_at(r, i, err);
		if (code < 0)
			return code;
		refuse_rules(r);
	} while (count_refused(r) > before);
	code = r->refusal ? 0 : check_unfinished(r, err);
	hash_plan(r);
	return code;
}

/* ---- telling ---- */

static void show_node(struct kc_fix_change *c, const struct kc_node *node, const char *content,
		      struct kc_plan_node *ret)
{
	*ret = (struct kc_plan_node){
		.type = node->type,
		.mode = node->mode,
		.uid = node->uid,
		.gid = node->gid,
		.size = node->link ? strlen(node->link) : (size_t)node->size,
		.text = node->link  ? node->link
			: c->secret ? NULL
				    : content,
		.sha256 = node->sha256,
	};
	if (node->type == KC_FILE_REGULAR && !node->sha256)
		ret->text = NULL;
}

static int show_step(struct repair *r, struct item *item, struct kc_plan_step *ret)
{
	struct kc_fix_step *step = &item->fix;
	struct kc_plan_change *changes =
		kc_arena_zalloc(r->fixer->arena, step->n_changes + 1, sizeof(*changes));
	const bool by_content =
		kc_runtime_kind(step->step.kind) || step->step.kind == KC_STEP_MANUAL;

	if (!changes)
		return -ENOMEM;
	for (size_t i = 0; i < step->n_changes; i++) {
		struct kc_fix_change *c = step->changes + i;

		changes[i].path = c->change.path;
		changes[i].secret = c->secret || (c->change.after.type == KC_FILE_REGULAR &&
						  !(c->change.after.mode & 0004));
		show_node(c, &c->change.before, c->old, &changes[i].before);
		show_node(c, &c->change.after, c->change.content, &changes[i].after);
		if (changes[i].secret && !c->change.before.link && !c->change.after.link)
			changes[i].before.text = changes[i].after.text = changes[i].before.sha256 =
				changes[i].after.sha256 = NULL;
	}
	*ret = (struct kc_plan_step){
		.kind = step->step.kind,
		.flags = step->step.flags,
		.horizon = step->step.horizon,
		.state = step->state,
		.target = step->step.target,
		.content = by_content ? step->step.content : NULL,
		.why = step->step.why,
		.text = step->text,
		.inverse = step->inverse,
		.value_before = step->value_before,
		.value_after = step->value_after,
		.changes = changes,
		.n_changes = (uint32_t)step->n_changes,
	};
	return 0;
}

static int show(struct repair *r, struct kc_plan *ret_plan)
{
	struct kc_arena *arena = r->fixer->arena;
	struct kc_plan_rule *rules =
		kc_arena_zalloc(arena, (size_t)r->request.n + 1, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	for (uint32_t i = 0; i < r->request.n; i++) {
		struct kc_plan_step *steps =
			kc_arena_zalloc(arena, r->request.rules[i].n + 1, sizeof(*steps));
		uint32_t n = 0;

		if (!steps)
			return -ENOMEM;
		for (size_t k = 0; k < r->n_items; k++) {
			if (r->items[k].rule == i && show_step(r, r->items + k, steps + n++) < 0)
				return -ENOMEM;
		}
		rules[i] = (struct kc_plan_rule){
			.rule = r->rules[i],
			.steps = steps,
			.n_steps = n,
			.text = r->refused[i],
		};
	}
	*ret_plan = (struct kc_plan){
		.profile = r->profile->name,
		.root = kc_root_path(r->fixer->fix.root),
		.hash = r->hash,
		.transaction = r->transaction,
		.refusal = r->refusal,
		.rules = rules,
		.n_rules = r->request.n,
	};
	return 0;
}

static int tell_plan(struct repair *r, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_plan plan;
	int code = show(r, &plan);

	if (code == 0) {
		kc_put_plan(&b, &plan);
		code = kc_fix_send(r->fixer->socket, KC_FIX_PLAN, &b);
	}
	return code < 0 ? kc_err_set(err, code, "the plan could not be handed over: %s",
				     kc_strerror(code))
			: 0;
}

/* ---- carrying out ---- */

static void tell_progress(struct repair *r, const struct item *item)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	kc_put_text(&b, r->rules[item->rule]->id);
	kc_put_u32(&b, item->fix.step.kind);
	kc_put_u32(&b, item->fix.state);
	kc_put_text(&b, item->fix.step.target);
	(void)kc_fix_send(r->fixer->socket, KC_FIX_PROGRESS, &b);
}

/* What k8scheck did not agree to is left out. */
static void narrow(struct repair *r, const struct kc_fix_consent *consent)
{
	for (size_t i = 0; i < r->n_items; i++) {
		struct item *item = r->items + i;
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
static bool was_done_before(const struct repair *r, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (r->items[i].fix.state == KC_STATE_DONE &&
		    comes_to_same(&r->items[i].fix.step, &r->items[index].fix.step))
			return true;
	}
	return false;
}

static int carry_out(struct repair *r, struct kc_transaction *t, struct kc_fix_outcome *outcome,
		     struct kc_err *err)
{
	for (size_t i = 0; i < r->n_items; i++) {
		struct item *item = r->items + i;
		int code = 0;

		if (item->same && was_done_before(r, i))
			continue;
		/* The step that was to do it may have been left out. */
		if (item->same) {
			const char *who = item->fix.text;

			code = look_again(r, item, err);
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

static void mark_taken_back(struct repair *r, uint32_t state)
{
	for (size_t i = 0; i < r->n_items; i++) {
		struct kc_fix_step *step = &r->items[i].fix;

		if (step->state == KC_STATE_DONE)
			step->state = state;
		else if (step->state == KC_STATE_NEEDED)
			step->state = KC_STATE_NOT_BEGUN;
	}
}

static int begin(struct repair *r, struct kc_transaction *t, struct kc_err *err)
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
		code = find_unfinished(fixer, &fixer->store, &id, &state, err);
	if (code < 0)
		return code;
	/* Another may have been cut off since the plan was made. */
	if (id && !(fixer->command.options->resume && state == KC_TRANSACTION_OPEN))
		return kc_err_set(err, -EBUSY, "%s", why_unfinished(fixer, id, state));
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
static int settle_cut_off(struct repair *r, struct kc_transaction *t, struct kc_err *err)
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

static int finish(struct repair *r, struct kc_transaction *t, struct kc_fix_outcome *outcome,
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

static int repair(struct repair *r, struct kc_err *err)
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
	(void)tell_plan(r, NULL);
	return kc_fixer_tell(r->fixer, &outcome);
}

static bool has_work(const struct repair *r)
{
	for (size_t i = 0; i < r->n_items; i++) {
		/* The step that was to do it may have been left out. */
		if (r->items[i].fix.state == KC_STATE_NEEDED || r->items[i].same)
			return true;
	}
	return false;
}

static int on_consent(struct repair *r, const struct kc_fix_message *message, struct kc_err *err)
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
	struct repair r = { .fixer = fixer };

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
		code = look_at_all(&r, err);
		if (code == 0)
			code = tell_plan(&r, err);
		if (code < 0)
			return code;
	}
}
