/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/result.h"

static const struct kc_fact_value facts[] = {
	{ .name = "os.id", .state = KC_FACT_KNOWN, .value = "debian" },
	{ .name = "os.version", .state = KC_FACT_KNOWN, .value = "12" },
	{ .name = "kubelet.version", .state = KC_FACT_ABSENT, .source = "no kubelet" },
	{ .name = "role", .state = KC_FACT_UNKNOWN, .source = "the file cannot be read" },
	{ .name = "empty", .state = KC_FACT_KNOWN, .value = "" },
};

static int applies(const char *fact, uint32_t op, const char *const *values, const char **ret_text,
		   struct kc_arena *arena)
{
	const struct kc_condition when = { .fact = fact, .op = op, .values = values };
	const struct kc_rule rule = { .when = &when, .n_when = 1 };

	*ret_text = NULL;
	return kc_rule_applies(&rule, facts, KC_ARRAY_SIZE(facts), arena, ret_text);
}

static void test_sets(void **state)
{
	static const char *const debian[] = { "debian", NULL },
				 *const both[] = { "rhel", "debian", NULL },
				 *const others[] = { "rhel", "fedora", NULL },
				 *const absent[] = { "absent", NULL },
				 *const nothing[] = { "", NULL };
	static const struct {
		const char *fact;
		uint32_t op;
		const char *const *values;
		int r;
		const char *text;
	} table[] = {
		{ "os.id", KC_OP_EQUAL, debian, 1, NULL },
		{ "os.id", KC_OP_EQUAL, both, 1, NULL },
		{ "os.id", KC_OP_EQUAL, others, 0,
		  "it applies when os.id is rhel or fedora; here it is debian" },
		{ "os.id", KC_OP_NOT_EQUAL, others, 1, NULL },
		{ "os.id", KC_OP_NOT_EQUAL, both, 0,
		  "it applies when os.id is not rhel or debian; here it is debian" },
		{ "empty", KC_OP_EQUAL, nothing, 1, NULL },
		{ "empty", KC_OP_NOT_EQUAL, nothing, 0,
		  "it applies when empty is not ; here it is " },
		/* What is not there equals "absent", and differs from everything else. */
		{ "kubelet.version", KC_OP_EQUAL, both, 0,
		  "it applies when kubelet.version is rhel or debian; here it is absent" },
		{ "kubelet.version", KC_OP_NOT_EQUAL, both, 1, NULL },
		{ "kubelet.version", KC_OP_LESS, debian, 0,
		  "it applies when kubelet.version is less than debian; here it is absent" },
		{ "kubelet.version", KC_OP_GREATER_EQUAL, debian, 0,
		  "it applies when kubelet.version is at least debian; here it is absent" },
		{ "kubelet.version", KC_OP_EQUAL, absent, 1, NULL },
		{ "kubelet.version", KC_OP_NOT_EQUAL, absent, 0,
		  "it applies when kubelet.version is not absent; here it is absent" },
		{ "os.id", KC_OP_EQUAL, absent, 0,
		  "it applies when os.id is absent; here it is debian" },
		{ "os.id", KC_OP_NOT_EQUAL, absent, 1, NULL },
		/* What could not be found out decides nothing, not even by "not". */
		{ "role", KC_OP_EQUAL, both, -ENODATA,
		  "it depends on the fact role, which could not be found out: the file cannot be "
		  "read" },
		{ "role", KC_OP_NOT_EQUAL, both, -ENODATA,
		  "it depends on the fact role, which could not be found out: the file cannot be "
		  "read" },
		{ "nobody.gathers.it", KC_OP_NOT_EQUAL, both, -ENODATA,
		  "it depends on the fact nobody.gathers.it, which could not be found out" },
		/* An operator that there is not holds never. */
		{ "os.id", 0, debian, 0, "it applies when os.id is debian; here it is debian" },
		{ "os.id", 7, debian, 0, "it applies when os.id is debian; here it is debian" },
		{ "os.id", UINT32_MAX, debian, 0,
		  "it applies when os.id is debian; here it is debian" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		const char *text;

		assert_int_equal(
			applies(table[i].fact, table[i].op, table[i].values, &text, &arena),
			table[i].r);
		if (table[i].text)
			assert_string_equal(text, table[i].text);
		else
			assert_null(text);
	}
}

/* The sign of a comparison: -1 less, 0 equal, 1 greater. */
static const struct {
	const char *a, *b;
	int sign;
} versions[] = {
	{ "1.18", "1.18", 0 },
	{ "1.18", "1.9", 1 },
	{ "1.9", "1.18", -1 },
	{ "v1.18.3", "1.18.3", 0 },
	{ "1.18", "1.18.0", -1 },
	{ "1.18.1", "1.18.0", 1 },
	{ "01.018", "1.18", 0 },
	{ "0", "00", 0 },
	{ "10", "9", 1 },
	{ "18446744073709551616", "18446744073709551615", 1 },
	{ "99999999999999999999999999999", "100000000000000000000000000000", -1 },
	{ "1.x", "1.1", 1 },
	{ "1.x", "1.y", -1 },
	{ "", "", 0 },
	{ "", "1", -1 },
	{ "5.10.0-28-amd64", "5.10", 1 },
	{ "5.9.16", "5.10", -1 },
	{ "12", "11", 1 },
};

static int sign_of(const char *a, const char *b)
{
	const char *const values[] = { b, NULL };
	const struct kc_fact_value fact = { .name = "v", .state = KC_FACT_KNOWN, .value = a };
	static const uint32_t ops[] = { KC_OP_LESS, KC_OP_LESS_EQUAL, KC_OP_GREATER,
					KC_OP_GREATER_EQUAL };
	bool holds[4];

	for (size_t i = 0; i < 4; i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		const struct kc_condition when = { .fact = "v", .op = ops[i], .values = values };
		const struct kc_rule rule = { .when = &when, .n_when = 1 };
		const char *text;

		holds[i] = kc_rule_applies(&rule, &fact, 1, &arena, &text) > 0;
	}
	/* The four say one thing. */
	assert_true(holds[0] != holds[3] && holds[1] != holds[2]);
	assert_true(holds[1] || !holds[0]);
	return holds[0] ? -1 : holds[2] ? 1 : 0;
}

static void test_versions(void **state)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(versions); i++) {
		assert_int_equal(sign_of(versions[i].a, versions[i].b), versions[i].sign);
		assert_int_equal(sign_of(versions[i].b, versions[i].a), -versions[i].sign);
	}
}

static void test_all_must_hold(void **state)
{
	static const char *const debian[] = { "debian", NULL }, *const eleven[] = { "11", NULL },
				 *const other[] = { "rhel", NULL };
	struct kc_condition when[] = {
		{ .fact = "os.id", .op = KC_OP_EQUAL, .values = debian },
		{ .fact = "os.version", .op = KC_OP_GREATER, .values = eleven },
		{ .fact = "os.id", .op = KC_OP_NOT_EQUAL, .values = other },
	};
	const struct kc_rule rule = { .when = when, .n_when = 3 }, none = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *text = NULL;

	assert_int_equal(kc_rule_applies(&none, NULL, 0, &arena, &text), 1);
	assert_int_equal(kc_rule_applies(&rule, facts, KC_ARRAY_SIZE(facts), &arena, &text), 1);
	when[1].op = KC_OP_LESS;
	assert_int_equal(kc_rule_applies(&rule, facts, KC_ARRAY_SIZE(facts), &arena, &text), 0);
	/* The first that does not hold is the one that is said. */
	when[2].fact = "role";
	assert_int_equal(kc_rule_applies(&rule, facts, KC_ARRAY_SIZE(facts), &arena, &text), 0);
	assert_string_equal(text, "it applies when os.version is less than 11; here it is 12");
	when[1].fact = "role";
	assert_int_equal(kc_rule_applies(&rule, facts, KC_ARRAY_SIZE(facts), &arena, &text),
			 -ENODATA);
}

/* A variable decides before any fact is known. */
static void test_variables(void **state)
{
	static const char *const worker[] = { "worker", NULL }, *const debian[] = { "debian",
										    NULL };
	struct kc_condition when[] = {
		{ .fact = "os.id", .op = KC_OP_EQUAL, .values = debian },
		{ .fact = "var.role", .value = "worker", .op = KC_OP_EQUAL, .values = worker },
	};
	struct kc_rule rule = { .when = when, .n_when = 2 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *text = NULL;

	assert_int_equal(kc_rule_excluded(&rule, &arena, &text), 0);
	assert_true(kc_rule_awaits_facts(&rule));
	assert_int_equal(kc_rule_applies(&rule, facts, KC_ARRAY_SIZE(facts), &arena, &text), 1);
	assert_int_equal(kc_rule_applies(&rule, NULL, 0, &arena, &text), -ENODATA);
	when[1].value = "";
	assert_int_equal(kc_rule_excluded(&rule, &arena, &text), 1);
	assert_string_equal(text, "it applies when var.role is worker; here it is empty");
	assert_int_equal(kc_rule_applies(&rule, NULL, 0, &arena, &text), 0);
	when[1].op = KC_OP_NOT_EQUAL;
	assert_int_equal(kc_rule_excluded(&rule, &arena, &text), 0);
	rule.when++;
	rule.n_when--;
	assert_false(kc_rule_awaits_facts(&rule));
	assert_int_equal(kc_rule_applies(&rule, NULL, 0, &arena, &text), 1);
}

/* Every pair of verdicts: the worse one, whichever comes first. */
static void test_worst(void **state)
{
	static const uint32_t order[] = {
		KC_VERDICT_NONE, KC_SKIP,    KC_PASS,  KC_FIXED, KC_WAIVED,
		KC_MANUAL,	 KC_PENDING, KC_ERROR, KC_FAIL,
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(order); i++) {
		for (size_t k = 0; k < KC_ARRAY_SIZE(order); k++)
			assert_int_equal(kc_verdict_worse(order[i], order[k]), order[KC_MAX(i, k)]);
		assert_int_equal(kc_verdict_worse(order[i], KC_VERDICT_MAX), order[i]);
		assert_int_equal(kc_verdict_worse(order[i], UINT32_MAX), order[i]);
	}
}

static void test_conclude(void **state)
{
	for (uint32_t a = KC_PASS; a <= KC_FAIL; a++) {
		for (uint32_t b = KC_PASS; b <= KC_FAIL; b++) {
			struct kc_result_finding now[] = { { .verdict = KC_SKIP },
							   { .verdict = a } };
			struct kc_result_finding boot[] = { { .verdict = b } };
			struct kc_result result = { .judgements = {
							    [KC_J_NOW] = { .findings = now,
									   .n_findings = 2 },
							    [KC_J_BOOT] = { .findings = boot,
									    .n_findings = 1 },
						    } };

			kc_result_conclude(&result);
			assert_int_equal(result.judgements[KC_J_NOW].verdict, a);
			assert_int_equal(result.judgements[KC_J_BOOT].verdict, b);
			assert_int_equal(result.verdict, kc_verdict_worse(a, b));
			result.judgements[KC_J_BOOT].n_findings = 0;
			kc_result_conclude(&result);
			assert_int_equal(result.judgements[KC_J_BOOT].verdict, KC_VERDICT_NONE);
			assert_int_equal(result.verdict, a);
		}
	}
}

static void test_names(void **state)
{
	static const char *const *const lists[] = { kc_severity_names, kc_stage_names,
						    kc_fix_policy_names, kc_type_names };
	static const char *(*const functions[])(uint32_t) = { kc_severity_name, kc_stage_name,
							      kc_fix_policy_name, kc_type_name };
	static const uint32_t ends[] = { KC_SEVERITY_MAX, KC_STAGE_MAX, KC_FIX_MAX,
					 KC_TYPE_MAP + 1 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(lists); i++) {
		assert_null(functions[i](0));
		assert_null(functions[i](ends[i]));
		assert_null(functions[i](UINT32_MAX));
		for (uint32_t v = 1; v < ends[i]; v++) {
			assert_non_null(functions[i](v));
			assert_int_equal(kc_enum_from_name(lists[i], functions[i](v)), v);
		}
		assert_int_equal(kc_enum_from_name(lists[i], ""), -EINVAL);
		assert_int_equal(kc_enum_from_name(lists[i], "Required"), -EINVAL);
	}
	for (uint32_t v = KC_PASS; v < KC_VERDICT_MAX; v++)
		assert_non_null(kc_verdict_name(v));
	assert_null(kc_verdict_name(KC_VERDICT_NONE));
	assert_null(kc_verdict_name(KC_VERDICT_MAX));
	assert_string_equal(kc_horizon_name(KC_NOW), "now");
	assert_string_equal(kc_horizon_name(KC_BOOT), "boot");
	assert_null(kc_horizon_name(KC_NOW | KC_BOOT));
	assert_null(kc_horizon_name(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sets),	      cmocka_unit_test(test_versions),
		cmocka_unit_test(test_all_must_hold), cmocka_unit_test(test_variables),
		cmocka_unit_test(test_worst),	      cmocka_unit_test(test_conclude),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
