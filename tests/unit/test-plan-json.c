/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/utf8.h"
#include "golden.h"
#include "harmless.h"
#include "make-plan.h"
#include "make-report.h"

extern const struct kc_report_format kc_report_format_json;

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

static char *write_plan(struct kc_arena *arena, const struct kc_plan *plan, size_t *ret_size)
{
	char *text;

	assert_non_null(plan);
	text = kc_write_plan(arena, kc_report_format_json.plan, plan,
			     &(struct kc_report_style){ 0 }, ret_size);
	assert_non_null(text);
	return text;
}

static json_t *parse(const char *text, size_t size)
{
	json_error_t error;
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fail_msg("line %d, column %d: %s", error.line, error.column, error.text);
	return json;
}

static void test_golden(void **state)
{
	size_t size;
	char *text = write_plan(*state, kc_make_plan(*state), &size);

	kc_assert_golden("plan.json", text, size);
	json_decref(parse(text, size));
}

static json_t *step_of(json_t *json, size_t rule, size_t step)
{
	json_t *r = json_array_get(json_object_get(json, "rules"), rule);

	return json_array_get(json_object_get(r, "steps"), step);
}

static json_t *change_of(json_t *json, size_t rule, size_t step)
{
	return json_array_get(json_object_get(step_of(json, rule, step), "changes"), 0);
}

static void test_secrets(void **state)
{
	size_t size;
	char *text = write_plan(*state, kc_make_plan(*state), &size);
	json_t *json = parse(text, size), *change = change_of(json, 7, 1);

	assert_null(strstr(text, "hunter2"));
	assert_true(json_is_true(json_object_get(change, "secret")));
	assert_true(json_is_null(json_object_get(change, "diff")));
	assert_true(json_is_null(json_object_get(json_object_get(change, "after"), "content")));
	change = change_of(json, 7, 4);
	assert_string_equal(json_string_value(json_object_get(change, "diff")), "");
	assert_true(json_is_true(json_object_get(change, "masked")));
	json_decref(json);
}

static bool flag(json_t *json, const char *name)
{
	return json_is_true(json_object_get(json_object_get(json, "summary"), name));
}

static void test_changed(void **state)
{
	size_t size;
	char *text = write_plan(*state, kc_make_plan(*state), &size);
	json_t *json = parse(text, size);

	assert_false(flag(json, "changed"));
	assert_true(flag(json, "reboot_required"));
	assert_true(json_is_null(json_object_get(json, "transaction")));
	json_decref(json);
	text = write_plan(*state, kc_make_outcome(*state), &size);
	json = parse(text, size);
	assert_true(flag(json, "changed"));
	assert_true(flag(json, "reboot_required"));
	assert_string_equal(json_string_value(json_object_get(json, "transaction")),
			    "20260131-080000-1");
	json_decref(json);
	text = write_plan(*state, kc_make_empty_plan(*state), &size);
	json = parse(text, size);
	assert_false(flag(json, "changed"));
	assert_false(flag(json, "reboot_required"));
	assert_int_equal(json_array_size(json_object_get(json, "rules")), 0);
	json_decref(json);
}

static bool is_utf8(const char *s)
{
	size_t n = strlen(s), len;
	uint32_t c;

	for (; n > 0; s += len, n -= len) {
		len = kc_utf8_sequence(s, n, &c);
		if (len == 0 || c == 0x7f)
			return false;
	}
	return true;
}

static void test_hostile(void **state)
{
	const char *const *texts = kc_hostile_texts(*state);

	assert_non_null(texts);
	KC_FOREACH_STR (hostile, texts) {
		struct kc_plan *plan = kc_make_plan_of(*state, hostile);
		size_t size;
		char *text;
		json_t *json;
		const char *value;

		if (plan && strlen(hostile) == 1024 * 1024)
			plan->n_rules = 1;
		text = write_plan(*state, plan, &size);
		json = parse(text, size);
		kc_assert_harmless(text, size);
		value = json_string_value(json_object_get(step_of(json, 0, 0), "why"));
		assert_non_null(value);
		if (strlen(hostile) == 1024 * 1024)
			assert_non_null(strstr(value, " ... (cut here: 1048576 bytes in all)"));
		else if (is_utf8(hostile))
			assert_string_equal(value, hostile);
		else
			assert_non_null(strstr(value, "\\x"));
		json_decref(json);
	}
}

static void test_bytes(void **state)
{
	struct kc_plan *plan = kc_make_plan(*state);
	struct kc_plan_change *change = (struct kc_plan_change *)plan->rules[1].steps[0].changes;
	size_t size;
	json_t *json;
	char *text;

	change->after.text = "a\0\xff\nb";
	change->after.size = 5;
	text = write_plan(*state, plan, &size);
	json = parse(text, size);
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(change_of(json, 1, 0), "after"), "content")),
			    "a\\x00\\xff\nb");
	assert_non_null(strstr(json_string_value(json_object_get(change_of(json, 1, 0), "diff")),
			       "+a\\x00\\xff\n+b\n\\ No newline"));
	json_decref(json);
}

static void test_full_device_is_an_error(void **state)
{
	struct kc_report_style style = { 0 };
	struct kc_err err = { 0 };
	struct kc_plan *plan = kc_make_plan(*state);
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	assert_int_equal(setvbuf(out, NULL, _IOFBF, 16), 0);
	assert_int_equal(kc_report_format_json.plan(plan, &style, out, &err), -EIO);
	assert_true(*err.text);
	(void)fclose(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_golden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_secrets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_device_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests_name("plan-json", tests, NULL, NULL);
}
