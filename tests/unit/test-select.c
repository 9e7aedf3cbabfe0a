/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "select.h"

static const char *const network[] = { "network", "gate", NULL };
static const char *const memory[] = { "memory", NULL };

/* What is left of these rules, as a text of their letters. */
static int choose(const struct kc_options *o, struct kc_err *err, char left[8])
{
	struct kc_rule rules[] = {
		{ .id = "ip-forward", .stage = KC_STAGE_HOST, .tags = network },
		{ .id = "ip-nonlocal", .stage = KC_STAGE_RUNTIME, .tags = network },
		{ .id = "swap-off", .stage = KC_STAGE_HOST, .tags = memory },
		{ .id = "kubelet-up", .stage = KC_STAGE_KUBELET },
	};
	const struct kc_profile profile = { .rules = rules, .n_rules = KC_ARRAY_SIZE(rules) };
	size_t n = 0;
	int r;

	/* Whatever they were before. */
	rules[3].selected = true;
	r = kc_select(&profile, o, err);
	for (size_t i = 0; i < KC_ARRAY_SIZE(rules); i++) {
		if (rules[i].selected)
			left[n++] = (char)('a' + i);
	}
	left[n] = 0;
	return r;
}

#define LIST(...)                                                     \
	{                                                             \
		.item = (const char *[]){ __VA_ARGS__, NULL },        \
		.n = KC_ARRAY_SIZE(((const char *[]){ __VA_ARGS__ })) \
	}

static void test_chosen(void **state)
{
	const struct {
		struct kc_options o;
		const char *left;
	} table[] = {
		{ { 0 }, "abcd" },
		{ { .rules = LIST("ip-forward") }, "a" },
		{ { .rules = LIST("ip-*") }, "ab" },
		{ { .rules = LIST("ip-*", "swap-???") }, "abc" },
		{ { .skips = LIST("ip-*") }, "cd" },
		{ { .rules = LIST("*"), .skips = LIST("swap-off", "ip-forward") }, "bd" },
		{ { .stages = LIST("host") }, "ac" },
		{ { .stages = LIST("host", "kubelet") }, "acd" },
		{ { .tags = LIST("network") }, "ab" },
		{ { .tags = LIST("gate", "memory") }, "abc" },
		{ { .tags = LIST("network"), .stages = LIST("host") }, "a" },
		{ { .rules = LIST("swap-off"), .stages = LIST("host"), .tags = LIST("memory") },
		  "c" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct kc_err err = { 0 };
		char left[8];

		assert_int_equal(choose(&table[i].o, &err, left), 0);
		assert_string_equal(left, table[i].left);
	}
}

static void test_refused(void **state)
{
	const struct {
		struct kc_options o;
		const char *text;
	} table[] = {
		{ { .rules = LIST("ip-foward") },
		  "--rule ip-foward: the profile has no such rule; did you mean ip-forward?" },
		{ { .rules = LIST("ip-forward", "banana") },
		  "--rule banana: the profile has no such rule" },
		{ { .skips = LIST("swap-of") },
		  "--skip swap-of: the profile has no such rule; did you mean swap-off?" },
		{ { .skips = LIST("x*") }, "--skip x*: the profile has no such rule" },
		{ { .tags = LIST("netwrok") },
		  "--tag netwrok: no rule of the profile has it; did you mean network?" },
		{ { .tags = LIST("banana") }, "--tag banana: no rule of the profile has it" },
		{ { .skips = LIST("*") }, "no rule is left by --rule, --skip, --stage and --tag" },
		{ { .stages = LIST("cluster") },
		  "no rule is left by --rule, --skip, --stage and --tag" },
		{ { .tags = LIST("memory"), .stages = LIST("kubelet") },
		  "no rule is left by --rule, --skip, --stage and --tag" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		struct kc_err err = { 0 };
		char left[8];

		assert_int_equal(choose(&table[i].o, &err, left), -EINVAL);
		assert_string_equal(err.text, table[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chosen),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
