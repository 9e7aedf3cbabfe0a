/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Steps of a plan, looked at, carried out and taken back, one after another. */
#include "fix-place.h"
#include "fix/fix.h"
#include "fix/policy.h"

enum {
	STEPS_MAX = 8
};

struct steps {
	struct kc_fix fix;
	struct kc_arena arena;
	struct kc_fix_step item[STEPS_MAX];
	size_t n;
};

static inline void begin_steps(struct place *p, struct steps *s)
{
	*s = (struct steps){ 0 };
	s->fix = (struct kc_fix){
		.root = p->root,
		.live = kc_root_is_live(p->root),
		.arena = &s->arena,
	};
}

static inline void end_steps(struct steps *s)
{
	kc_fix_done(&s->fix);
	kc_arena_done(&s->arena);
}

static inline struct kc_step new_step(uint32_t kind, const char *target, const char *content)
{
	return (struct kc_step){
		.size = sizeof(struct kc_step),
		.kind = kind,
		.horizon = KC_BOOT,
		.target = target,
		.content = content,
		.content_size = content ? strlen(content) : 0,
	};
}

/* Looks at a step behind all that were looked at before. */
static inline struct kc_fix_step *look_step(struct steps *s, const struct kc_step *step)
{
	struct kc_fix_step *item = s->item + s->n;
	struct kc_err err = { 0 };

	assert_true(s->n < STEPS_MAX);
	*item = (struct kc_fix_step){ .step = *step };
	if (kc_fix_look(&s->fix, item, s->item, s->n, &err) < 0)
		fail_msg("%s", err.text);
	s->n++;
	return item;
}

static inline struct kc_fix_step *look_new(struct steps *s, uint32_t kind, const char *target,
					   const char *content)
{
	const struct kc_step step = new_step(kind, target, content);

	return look_step(s, &step);
}

static inline void assert_state(const struct kc_fix_step *step, uint32_t state)
{
	if (step->state != state)
		fail_msg("step %u on %s is %s (%s), and not %s", step->step.kind,
			 step->step.target ? step->step.target : "nothing",
			 kc_step_state_name(step->state), step->text ? step->text : "no text",
			 kc_step_state_name(state));
}

/* It is refused, by a sentence that has these words. */
static inline void assert_refusal(const struct kc_fix_step *step, const char *part)
{
	assert_state(step, KC_STATE_REFUSED);
	assert_int_equal(step->n_changes, 0);
	assert_non_null(step->text);
	if (!strstr(step->text, part))
		fail_msg("'%s' does not say '%s'", step->text, part);
}

static inline void apply_all(struct place *p, struct steps *s)
{
	struct kc_err err = { 0 };

	for (size_t i = 0; i < s->n; i++) {
		if (s->item[i].state == KC_STATE_NEEDED &&
		    kc_fix_apply(&s->fix, &p->t, s->item + i, &err) < 0)
			fail_msg("%s", err.text);
	}
}

/* Takes back all that the journal has, the last first. */
static inline void undo_all(struct place *p, struct steps *s)
{
	for (uint32_t i = p->t.text.n; i-- > 0;) {
		const struct kc_record *record = p->t.text.records + i;
		struct kc_err err = { 0 };

		if (!kc_streq(record->verb, "change") && !kc_streq(record->verb, "runtime"))
			continue;
		if (kc_fix_undo(&s->fix, &p->t, record, 0, &err) < 0)
			fail_msg("%s", err.text);
	}
}

/* Looked at again, each of the steps is already so. */
static inline void assert_done_once(struct place *p, const struct steps *done)
{
	struct steps again;

	begin_steps(p, &again);
	for (size_t i = 0; i < done->n; i++) {
		struct kc_step step = done->item[i].step;

		/* An edit is computed anew, from what is there. */
		if (step.kind == KC_STEP_EDIT_FILE) {
			step.before = step.content;
			step.before_size = step.content_size;
		}
		assert_state(look_step(&again, &step), KC_STATE_ALREADY);
	}
	end_steps(&again);
}
