/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fixing.h"

/* What several rules want of one file, in one text. */

#define BASE "a = 1\nb = 1\nc = 1\n"

struct wish {
	const char *id, *content, *fault;
	uint32_t flags;
};

struct merging {
	struct kc_arena arena;
	struct kc_check_run check;
	struct kc_fixing f;
	struct kc_step steps[4];
	struct kc_fix_rule rules[4], planned[4];
};

static void merge(struct merging *m, const struct wish *wishes, uint32_t n)
{
	*m = (struct merging){ 0 };
	m->check.arena = &m->arena;
	m->f.check = &m->check;
	m->f.rules = m->rules;
	m->f.planned = m->planned;
	m->f.n_rules = n;
	for (uint32_t i = 0; i < n; i++) {
		m->steps[i] = (struct kc_step){
			.size = sizeof(struct kc_step),
			.kind = KC_STEP_EDIT_FILE,
			.flags = wishes[i].flags,
			.target = "/etc/a.conf",
			.content = wishes[i].content,
			.content_size = strlen(wishes[i].content),
			.before = BASE,
			.before_size = strlen(BASE),
		};
		m->planned[i] = (struct kc_fix_rule){
			.id = wishes[i].id,
			.fault = wishes[i].fault,
			.steps = m->steps + i,
			.n = 1,
		};
		m->rules[i] = m->planned[i];
	}
	assert_int_equal(kc_fixing_merge(&m->f, NULL), 0);
}

static void assert_text(const struct merging *m, uint32_t rule, const char *text, uint32_t flags)
{
	const struct kc_step *step = m->f.rules[rule].steps;

	assert_int_equal(step->content_size, strlen(text));
	assert_memory_equal(step->content, text, strlen(text));
	assert_int_equal(step->flags, flags);
}

static void test_each_gets_the_text_of_all(void **state)
{
	static const struct wish wishes[] = {
		{ .id = "first", .content = "a = 2\nb = 1\nc = 1\n" },
		{ .id = "second", .content = "a = 1\nb = 1\nc = 2\n" },
	};
	struct merging m;

	merge(&m, wishes, 2);
	assert_text(&m, 0, "a = 2\nb = 1\nc = 2\n", 0);
	assert_text(&m, 1, "a = 2\nb = 1\nc = 2\n", 0);
	/* What was planned is as it was: the next plan may be of other rules. */
	assert_int_equal(m.steps[0].content_size, strlen(wishes[0].content));
	assert_memory_equal(m.steps[0].content, wishes[0].content, m.steps[0].content_size);
	kc_arena_done(&m.arena);
}

/* What weakens is in the text of both: neither may be done without it being agreed to. */
static void test_marks_are_of_all(void **state)
{
	static const uint32_t both = KC_STEP_WEAKENS | KC_STEP_DISTURBS;
	static const struct wish wishes[] = {
		{ .id = "plain", .content = "a = 2\nb = 1\nc = 1\n" },
		{ .id = "weakens", .content = "a = 1\nb = 2\nc = 1\n", .flags = KC_STEP_WEAKENS },
		{ .id = "disturbs",
		  .content = "a = 1\nb = 1\nc = 2\n",
		  .flags = KC_STEP_DISTURBS | KC_STEP_NEEDS_REBOOT },
	};
	struct merging m;

	merge(&m, wishes, 3);
	assert_text(&m, 0, "a = 2\nb = 2\nc = 2\n", both);
	assert_text(&m, 1, "a = 2\nb = 2\nc = 2\n", both);
	assert_text(&m, 2, "a = 2\nb = 2\nc = 2\n", both | KC_STEP_NEEDS_REBOOT);
	kc_arena_done(&m.arena);
}

/* It keeps its own, so that the fixer refuses it by name and not as if another had done it. */
static void test_conflict(void **state)
{
	static const struct wish wishes[] = {
		{ .id = "first", .content = "a = 2\nb = 1\nc = 1\n" },
		{ .id = "other", .content = "a = 3\nb = 1\nc = 1\n", .flags = KC_STEP_WEAKENS },
		{ .id = "third", .content = "a = 1\nb = 1\nc = 2\n" },
	};
	struct merging m;

	merge(&m, wishes, 3);
	assert_text(&m, 0, "a = 2\nb = 1\nc = 2\n", 0);
	assert_text(&m, 1, "a = 3\nb = 1\nc = 1\n", KC_STEP_WEAKENS);
	assert_text(&m, 2, "a = 2\nb = 1\nc = 2\n", 0);
	kc_arena_done(&m.arena);
}

static void test_left_out(void **state)
{
	static const struct wish wishes[] = {
		{ .id = "first", .content = "a = 2\nb = 1\nc = 1\n", .fault = "not agreed to" },
		{ .id = "second", .content = "a = 1\nb = 1\nc = 2\n" },
	};
	struct merging m;

	merge(&m, wishes, 2);
	assert_text(&m, 1, wishes[1].content, 0);
	kc_arena_done(&m.arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_gets_the_text_of_all),
		cmocka_unit_test(test_marks_are_of_all),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
