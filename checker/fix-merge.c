/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fixing.h"
#include "model/merge.h"

bool kc_fixing_takes_part(const struct kc_fix_rule *rule)
{
	return !rule->fault;
}

static bool writes(const struct kc_step *step, const char *path)
{
	return (step->kind == KC_STEP_WRITE_FILE || step->kind == KC_STEP_EDIT_FILE) &&
	       step->content && step->target && (!path || kc_streq(step->target, path));
}

/* Both texts in one; -EBUSY where they cannot be. */
static int merge_texts(const struct kc_step *into, const struct kc_step *other,
		       struct kc_buf *merged)
{
	const char *base = into->before ? into->before : other->before ? other->before : "";
	size_t base_size = into->before ? into->before_size : other->before_size;

	return kc_merge3(base, base_size, into->content, into->content_size, other->content,
			 other->content_size, merged);
}

static int merge_pair(struct kc_fixing *f, struct kc_step *into, const struct kc_step *other)
{
	kc_cleanup(kc_buf_done) struct kc_buf merged = { 0 };
	int r = merge_texts(into, other, &merged);

	if (r < 0)
		return r;
	into->content =
		kc_arena_memdup(f->check->arena, merged.data ? merged.data : "", merged.len);
	into->content_size = merged.len;
	into->flags |= other->flags & (KC_STEP_WEAKENS | KC_STEP_DISTURBS);
	return into->content ? 0 : -ENOMEM;
}

/* Each time from what the checks planned: a rule that was left out leaves nothing behind. */
static int copy_steps(struct kc_fixing *f)
{
	for (uint32_t i = 0; i < f->n_rules; i++) {
		const struct kc_fix_rule *from = f->planned + i;
		struct kc_step *steps =
			kc_arena_zalloc(f->check->arena, from->n + 1, sizeof(*steps));

		if (!steps)
			return -ENOMEM;
		for (size_t k = 0; k < from->n; k++)
			steps[k] = from->steps[k];
		f->rules[i].steps = steps;
		f->rules[i].n = from->n;
	}
	return 0;
}

/* The steps that write the path of the first, behind it. */
static int find_others(struct kc_fixing *f, struct kc_step *first, struct kc_step ***ret_steps,
		       size_t *ret_n)
{
	struct kc_step **steps = NULL;
	size_t n = 0, room = 0;

	for (uint32_t i = 0; i < f->n_rules; i++) {
		if (!kc_fixing_takes_part(f->rules + i))
			continue;
		for (size_t k = 0; k < f->rules[i].n; k++) {
			struct kc_step *step = (struct kc_step *)f->rules[i].steps + k;
			void *grown;

			if (step == first || !writes(step, first->target))
				continue;
			grown = kc_arena_grow(f->check->arena, steps, n, &room, sizeof(*steps));
			if (!grown)
				return -ENOMEM;
			steps = grown;
			steps[n++] = step;
		}
	}
	*ret_steps = steps;
	*ret_n = n;
	return 0;
}

/* All that write a path get the text of all. */
static int merge_path(struct kc_fixing *f, struct kc_step *first)
{
	struct kc_step **steps;
	size_t n, merged = 0;
	int r = find_others(f, first, &steps, &n);

	for (size_t i = 0; i < n && r == 0; i++) {
		r = merge_pair(f, first, steps[i]);
		if (r == 0)
			steps[merged++] = steps[i];
		else if (r != -ENOMEM)
			r = 0;
	}
	for (size_t i = 0; i < merged && r == 0; i++) {
		steps[i]->content = first->content;
		steps[i]->content_size = first->content_size;
		steps[i]->flags |= first->flags & (KC_STEP_WEAKENS | KC_STEP_DISTURBS);
	}
	return r;
}

static bool is_first(const struct kc_fixing *f, const struct kc_step *step)
{
	for (uint32_t i = 0; i < f->n_rules; i++) {
		for (size_t k = 0; kc_fixing_takes_part(f->rules + i) && k < f->rules[i].n; k++) {
			if (writes(f->rules[i].steps + k, step->target))
				return f->rules[i].steps + k == step;
		}
	}
	return false;
}

int kc_fixing_merge(struct kc_fixing *f, struct kc_err *err)
{
	if (copy_steps(f) < 0)
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < f->n_rules; i++) {
		for (size_t k = 0; kc_fixing_takes_part(f->rules + i) && k < f->rules[i].n; k++) {
			struct kc_step *step = (struct kc_step *)f->rules[i].steps + k;

			if (writes(step, NULL) && is_first(f, step) && merge_path(f, step) < 0)
				return kc_err_set(err, -ENOMEM, "out of memory");
		}
	}
	return 0;
}
