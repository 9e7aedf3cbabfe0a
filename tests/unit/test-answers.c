/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "run/answers.h"

static struct kc_question question_of(uint32_t kind, int64_t number, const char *const *strings)
{
	size_t n = 0;

	while (strings[n])
		n++;
	return (struct kc_question){
		.kind = kind,
		.number = number,
		.timeout_usec = 1000000,
		.strings = { .n = n, .item = strings },
	};
}

static int tear_down(void **state)
{
	kc_memo_done(*state);
	free(*state);
	return 0;
}

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct kc_memo));
	return *state ? 0 : -1;
}

static void keep(struct kc_memo *memo, const struct kc_question *question, const char *text)
{
	char copy[32];
	const struct kc_bytes item = { .data = copy, .size = strlen(text) };
	const struct kc_answer answer = { .items = &item, .n_items = 1 };

	(void)snprintf(copy, sizeof(copy), "%s", text);
	kc_answers_keep(memo, question, &answer);
	/* What is remembered does not lie where the answer lay. */
	memset(copy, 'x', sizeof(copy));
}

/* Every part of a question tells it from another, and the time that it has does not. */
static void test_which(void **state)
{
	static const char *const one[] = { "crio.service", NULL };
	static const char *const two[] = { "crio.service", "a", NULL };
	static const char *const joined[] = { "crio.service 1:a", NULL };
	static const char *const none[] = { NULL };
	const struct kc_question others[] = {
		question_of(KC_ASK_BUS, 0, one),   question_of(KC_ASK_UNIT, 1, one),
		question_of(KC_ASK_UNIT, 0, two),  question_of(KC_ASK_UNIT, 0, joined),
		question_of(KC_ASK_UNIT, 0, none),
	};
	struct kc_question asked = question_of(KC_ASK_UNIT, 0, one);
	struct kc_memo *memo = *state;
	struct kc_answer answer;

	assert_false(kc_answers_find(memo, &asked, &answer));
	keep(memo, &asked, "active");
	for (size_t i = 0; i < KC_ARRAY_SIZE(others); i++)
		assert_false(kc_answers_find(memo, others + i, &answer));
	asked.timeout_usec = 5;
	assert_true(kc_answers_find(memo, &asked, &answer));
	assert_int_equal(answer.code, 0);
	assert_int_equal(answer.n_items, 1);
	assert_string_equal(answer.items[0].data, "active");
}

/* Failures are not kept, nor what a moment later may be otherwise. */
static void test_what(void **state)
{
	static const uint32_t fleeting[] = {
		KC_ASK_HEALTH,	KC_ASK_LOOKUP, KC_ASK_PORT,	     KC_ASK_PROGRAM,
		KC_ASK_PROCESS, KC_ASK_SYSCTL, KC_ASK_SOCKET_HOLDER, KC_ASK_SOCKETS,
	};
	static const uint32_t lasting[] = {
		KC_ASK_UNIT,
		KC_ASK_BUS,
		KC_ASK_RUNTIME,
		KC_ASK_ADDRESSES,
	};
	static const char *const strings[] = { "x", NULL };
	const struct kc_answer late = { .code = -ETIMEDOUT, .why = "it did not answer" };
	struct kc_memo *memo = *state;
	struct kc_answer answer;

	for (size_t i = 0; i < KC_ARRAY_SIZE(fleeting); i++) {
		const struct kc_question q = question_of(fleeting[i], 0, strings);

		keep(memo, &q, "y");
		assert_false(kc_answers_find(memo, &q, &answer));
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(lasting); i++) {
		const struct kc_question q = question_of(lasting[i], 0, strings);

		kc_answers_keep(memo, &q, &late);
		assert_false(kc_answers_find(memo, &q, &answer));
		keep(memo, &q, "y");
		assert_true(kc_answers_find(memo, &q, &answer));
	}
}

/* Who asks for ever fills no memory. */
static void test_bounds(void **state)
{
	struct kc_memo *memo = *state;
	struct kc_answer answer;
	size_t kept = 0;

	for (int64_t i = 0; i < 40000; i++) {
		const struct kc_question q =
			question_of(KC_ASK_RUNTIME, i, (const char *[]){ NULL });

		keep(memo, &q, "an answer of some length");
		kept += kc_answers_find(memo, &q, &answer);
	}
	assert_true(kept > 1000);
	assert_true(kept < 40000);
	assert_true(memo->arena.used <= 8 * 1024 * 1024);
}

int main(void)
{
#define answers_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		answers_test(test_which),
		answers_test(test_what),
		answers_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
