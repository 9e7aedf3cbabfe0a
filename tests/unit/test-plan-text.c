/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "golden.h"
#include "harmless.h"
#include "make-plan.h"
#include "make-report.h"
#include "reports/plan-text.h"

static int setup(void **state)
{
	static struct kc_arena arena;

	*state = &arena;
	return 0;
}

static int teardown(void **state)
{
	kc_arena_done(*state);
	return 0;
}

static char *write_plan(struct kc_arena *arena, kc_plan_writer *writer, const struct kc_plan *plan,
			const struct kc_report_style *style, size_t *ret_size)
{
	char *text;

	assert_non_null(plan);
	text = kc_write_plan(arena, writer, plan, style, ret_size);
	assert_non_null(text);
	return text;
}

static void golden(struct kc_arena *arena, const char *name, kc_plan_writer *writer,
		   const struct kc_plan *plan, const struct kc_report_style *style)
{
	size_t size;
	char *text = write_plan(arena, writer, plan, style, &size);

	kc_assert_golden(name, text, size);
}

static void test_plain(void **state)
{
	golden(*state, "plan.txt", kc_plan_text_write, kc_make_plan(*state),
	       &(struct kc_report_style){ .columns = 100 });
}

static void test_color(void **state)
{
	golden(*state, "plan-color.txt", kc_plan_text_write, kc_make_plan(*state),
	       &(struct kc_report_style){ .color = true, .columns = 60, .verbose = true });
}

static void test_quiet(void **state)
{
	golden(*state, "plan-quiet.txt", kc_plan_text_write, kc_make_plan(*state),
	       &(struct kc_report_style){ .quiet = true });
}

static void test_outcome(void **state)
{
	golden(*state, "plan-outcome.txt", kc_plan_text_outcome, kc_make_outcome(*state),
	       &(struct kc_report_style){ 0 });
}

static void assert_has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("not in it: %s", what);
}

static void test_quiet_outcome_has_trouble_alone(void **state)
{
	struct kc_report_style style = { .quiet = true };
	char *text =
		write_plan(*state, kc_plan_text_outcome, kc_make_outcome(*state), &style, NULL);

	assert_has(text, "failed");
	assert_has(text, "stuck");
	assert_null(strstr(text, "not begun   "));
	assert_null(strstr(text, "done   "));
}

static void test_empty(void **state)
{
	struct kc_report_style style = { 0 };
	struct kc_plan *plan = kc_make_empty_plan(*state);
	char *text = write_plan(*state, kc_plan_text_write, plan, &style, NULL);

	assert_has(text, "\nplan: nothing to repair; nothing was changed\n");
	text = write_plan(*state, kc_plan_text_outcome, plan, &style, NULL);
	assert_string_equal(text, "repair: nothing to repair\n");
}

static void test_refusal(void **state)
{
	struct kc_report_style style = { 0 };
	struct kc_plan *plan = kc_make_empty_plan(*state);
	char *text;

	plan->refusal = "the system is an image";
	text = write_plan(*state, kc_plan_text_write, plan, &style, NULL);
	assert_has(text, "nothing can be repaired here: the system is an image\n");
}

static void test_show_has_no_next(void **state)
{
	struct kc_report_style style = { 0 };
	struct kc_plan *plan = kc_make_plan(*state);
	char *text = write_plan(*state, kc_plan_text_show, plan, &style, NULL);

	assert_has(text, "\nplan: ");
	assert_null(strstr(text, "\nnext: "));
}

static void test_secrets(void **state)
{
	struct kc_report_style style = { .verbose = true };
	char *text = write_plan(*state, kc_plan_text_write, kc_make_plan(*state), &style, NULL);

	assert_null(strstr(text, "hunter2"));
	assert_has(text, "password=***");
	assert_has(text, "What it changes looks like a secret, and is not shown.");
}

static void test_hostile(void **state)
{
	static const struct kc_report_style styles[] = {
		{ 0 },
		{ .columns = 40 },
		{ .columns = 80, .verbose = true },
		{ .columns = 80, .quiet = true },
	};
	const char *const *texts = kc_hostile_texts(*state);

	assert_non_null(texts);
	KC_FOREACH_STR (hostile, texts) {
		struct kc_plan *plan = kc_make_plan_of(*state, hostile);

		/* A megabyte is looked at in one rule, not in all of them. */
		if (plan && strlen(hostile) == 1024 * 1024)
			plan->n_rules = 1;
		for (unsigned i = 0; i < KC_ARRAY_SIZE(styles); i++) {
			size_t size;
			char *text;

			if (strlen(hostile) == 1024 * 1024 && styles[i].verbose)
				continue;
			text = write_plan(*state, kc_plan_text_write, plan, styles + i, &size);
			kc_assert_harmless(text, size);
			assert_true(size < 1024 * 1024);
			text = write_plan(*state, kc_plan_text_outcome, plan, styles + i, &size);
			kc_assert_harmless(text, size);
		}
	}
}

static void test_diff_bytes(void **state)
{
	static const char old[] = "a\0b\n::error::x\n",
			  new[] = "\x1b[2J\n--- a\n+++ b\n##[x]\n\xff\n";
	struct kc_plan_change change = {
		.path = "/etc/x\n::error::y",
		.before = { .type = KC_FILE_REGULAR, .text = old, .size = sizeof(old) - 1 },
		.after = { .type = KC_FILE_REGULAR, .text = new, .size = sizeof(new) - 1 },
	};
	struct kc_plan_step step = { .kind = KC_STEP_WRITE_FILE,
				     .state = KC_STATE_NEEDED,
				     .target = change.path,
				     .changes = &change,
				     .n_changes = 1 };
	struct kc_rule rule = { .id = "x", .title = "X" };
	struct kc_plan_rule plan_rule = { .rule = &rule, .steps = &step, .n_steps = 1 };
	struct kc_plan plan = { .rules = &plan_rule, .n_rules = 1 };
	size_t size;
	char *text = write_plan(*state, kc_plan_text_write, &plan, &(struct kc_report_style){ 0 },
				&size);

	kc_assert_harmless(text, size);
	assert_has(text, "| --- /etc/x\\n::error::y\n");
	assert_has(text, "| -a\\x00b\n");
	assert_has(text, "| +\\x1b[2J\n");
	assert_has(text, "| +--- a\n");
	assert_has(text, "| +#\\x23[x]\n");
	assert_has(text, "| +\\xff\n");
}

static void test_long_diff_is_cut(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf content = { 0 };
	struct kc_plan *plan = kc_make_plan(*state);
	struct kc_plan_change *change = (struct kc_plan_change *)plan->rules[1].steps[0].changes;
	struct kc_report_style style = { 0 };
	char *text;

	for (unsigned i = 0; i < 500; i++)
		kc_buf_addf(&content, "line %u\n", i);
	change->after.text = content.data;
	change->after.size = content.len;
	text = write_plan(*state, kc_plan_text_write, plan, &style, NULL);
	assert_has(text, "and 383 more lines, which --verbose shows");
	assert_null(strstr(text, "+line 499\n"));
	style.verbose = true;
	text = write_plan(*state, kc_plan_text_write, plan, &style, NULL);
	assert_has(text, "+line 499\n");
}

static void test_too_large_is_said(void **state)
{
	struct kc_plan *plan = kc_make_plan(*state);
	struct kc_plan_change *change = (struct kc_plan_change *)plan->rules[1].steps[0].changes;
	char *content = kc_arena_zalloc(*state, 1, 1024 * 1024 + 1);
	char *text;

	assert_non_null(content);
	change->after.text = content;
	change->after.size = 1024 * 1024 + 1;
	text = write_plan(*state, kc_plan_text_write, plan, &(struct kc_report_style){ 0 }, NULL);
	assert_has(text, "It is too large to be shown.\n");
}

static void test_full_device_is_an_error(void **state)
{
	struct kc_report_style style = { 0 };
	struct kc_err err = { 0 };
	struct kc_plan *plan = kc_make_plan(*state);
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	assert_int_equal(setvbuf(out, NULL, _IOFBF, 16), 0);
	assert_int_equal(kc_plan_text_write(plan, &style, out, &err), -EIO);
	assert_true(*err.text);
	(void)fclose(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_color, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_outcome, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiet_outcome_has_trouble_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_show_has_no_next, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_diff_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_diff_is_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_large_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_device_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests_name("plan-text", tests, NULL, NULL);
}
