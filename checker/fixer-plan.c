/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/fields.h"
#include "fix/policy.h"
#include "fix/runtime.h"
#include "fixer-plan.h"
#include "model/touches.h"

/* ---- the request ---- */

static const struct kc_rule *find_rule(const struct kc_profile *profile, const char *id)
{
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (kc_streq(profile->rules[i].id, id))
			return profile->rules + i;
	}
	return NULL;
}

static int take_rules(struct kc_repair *r, struct kc_err *err)
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

static int order_items(struct kc_repair *r, struct kc_err *err)
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
				r->items[r->n_items++] = (struct kc_repair_item){
					.fix = { .step = *step, .state = KC_STATE_REFUSED },
					.rule = i,
				};
			}
		}
	}
	return 0;
}

/* ---- looking ---- */

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
	       kc_streq0(a->step.target, b->step.target) && !kc_step_same(&a->step, &b->step);
}

/* Changes that a step before makes already, as two units may want the same folder. */
static void drop_made(struct kc_repair *r, size_t index)
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

int kc_repair_look_again(struct kc_repair *r, struct kc_repair_item *item, struct kc_err *err)
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
static void hold_back(struct kc_repair *r, struct kc_fix_step *step)
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

/* Links may lead from what the manifest names to what it does not. */
static int vet_ways(struct kc_repair *r, struct kc_repair_item *item, struct kc_err *err)
{
	struct kc_fix_step *step = &item->fix;
	const struct kc_rule *rule = r->rules[item->rule];

	if (step->step.kind > KC_STEP_SET_MODE)
		return 0;
	for (size_t i = 0; i < step->n_changes; i++) {
		struct kc_step there = step->step;

		there.target = step->changes[i].change.path;
		if (kc_streq0(there.target, step->step.target) || kc_touches_step(rule, &there))
			continue;
		step->state = KC_STATE_REFUSED;
		step->text =
			kc_arena_printf(r->fixer->arena,
					"it leads to %.200s, which the manifest of %s does not "
					"name",
					there.target, rule->check->id);
		step->n_changes = 0;
		return step->text ? 0 : kc_err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int look_at(struct kc_repair *r, size_t index, struct kc_err *err)
{
	struct kc_repair_item *item = r->items + index;
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
	code = kc_repair_look_again(r, item, err);
	if (code == 0)
		code = vet_ways(r, item, err);
	if (code == 0 && step->state == KC_STATE_NEEDED)
		hold_back(r, step);
	if (code < 0 || step->state != KC_STATE_NEEDED)
		return code;
	for (size_t i = 0; i < index; i++) {
		struct kc_repair_item *before = r->items + i;

		if (before->fix.state != KC_STATE_NEEDED)
			continue;
		if (kc_step_same(&before->fix.step, &step->step)) {
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
static void refuse_rules(struct kc_repair *r)
{
	for (size_t i = 0; i < r->n_items; i++) {
		const struct kc_repair_item *item = r->items + i;

		if (item->fix.state == KC_STATE_REFUSED && !r->refused[item->rule])
			r->refused[item->rule] =
				item->fix.text ? item->fix.text : "a step of it is refused";
	}
	for (size_t i = 0; i < r->n_items; i++) {
		struct kc_repair_item *item = r->items + i;

		if (r->refused[item->rule] && item->fix.state == KC_STATE_NEEDED)
			item->fix.state = KC_STATE_NOT_BEGUN;
	}
}

int kc_repair_unfinished(struct kc_fixer *fixer, const struct kc_store *store, const char **ret_id,
			 enum kc_transaction_state *ret_state, struct kc_err *err)
{
	struct kc_strings ids;
	int r = kc_store_list(store, fixer->arena, err, &ids);

	*ret_id = NULL;
	for (size_t i = ids.n; r == 0 && i-- > 0;) {
		struct kc_transaction t;

		r = kc_transaction_open(store, ids.item[i], true, err, &t);
		if (r == -EBADMSG)
			return kc_fixer_damaged(ids.item[i], err);
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

const char *kc_repair_why_unfinished(struct kc_fixer *fixer, const char *id,
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
static int check_unfinished(struct kc_repair *r, struct kc_err *err)
{
	struct kc_fixer *fixer = r->fixer;
	enum kc_transaction_state state;
	struct kc_store store;
	const char *id;
	int code = kc_store_open(fixer->fix.root, 0, err, &store);

	if (code < 0)
		return code;
	code = kc_repair_unfinished(fixer, &store, &id, &state, err);
	kc_store_done(&store);
	if (code < 0)
		return code;
	/* Not cut off: it goes on right now. */
	if (id && kc_store_is_locked(fixer->fix.root))
		r->refusal = "another k8scheck is repairing this system, or taking a repair back; "
			     "try again when it has ended";
	else if (id && !(fixer->command.options->resume && state == KC_TRANSACTION_OPEN))
		r->refusal = kc_repair_why_unfinished(fixer, id, state);
	else if (!id && fixer->command.options->resume)
		r->refusal =
			"there is no repair that was cut off, so --resume has nothing to go on "
			"with";
	return 0;
}

static void hash_plan(struct kc_repair *r)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	kc_buf_addf(&b, "%s\n", kc_root_path(r->fixer->fix.root));
	for (size_t i = 0; i < r->n_items; i++) {
		const struct kc_repair_item *item = r->items + i;
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

static size_t count_refused(const struct kc_repair *r)
{
	size_t n = 0;

	for (uint32_t i = 0; i < r->request.n; i++)
		n += r->refused[i] != NULL;
	return n;
}

int kc_repair_look(struct kc_repair *r, struct kc_err *err)
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

static int show_step(struct kc_repair *r, struct kc_repair_item *item, struct kc_plan_step *ret)
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

static int show(struct kc_repair *r, struct kc_plan *ret_plan)
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

int kc_repair_tell(struct kc_repair *r, struct kc_err *err)
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
