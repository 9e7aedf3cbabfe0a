/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/broker.h"

#define SECOND 1000000ull

/* A broker of its own process, asked by frames as k8scheck does. */
struct place {
	struct kc_run_config config;
	struct kc_broker broker;
	struct kc_arena arena;
	uint32_t asked;
};

static int setup(void **state)
{
	static const char *const no_dirs[] = { NULL };
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->config = (struct kc_run_config){ .root = "/", .live = true, .door_dirs = no_dirs };
	assert_int_equal(kc_broker_start(&p->config, NULL, &p->broker), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	kc_broker_stop(&p->broker);
	kc_arena_done(&p->arena);
	free(p);
	return 0;
}

static uint32_t put(struct place *p, uint32_t kind, const char *text, int64_t number,
		    uint64_t timeout)
{
	const char *const strings[] = { text, NULL };
	const struct kc_question question = {
		.kind = kind,
		.timeout_usec = timeout,
		.number = number,
		.strings = { .n = text ? 1 : 0, .item = strings },
	};

	kc_frame_question(&p->broker.channel.out, ++p->asked, &question);
	assert_int_equal(kc_channel_flush(&p->broker.channel), 0);
	return p->asked;
}

static struct kc_answer wait_for(struct place *p, uint32_t *ret_number)
{
	struct kc_answer answer;
	struct kc_frame frame;

	assert_int_equal(kc_channel_wait(&p->broker.channel, kc_now_usec() + 20 * SECOND, &frame),
			 0);
	assert_int_equal(frame.type, KC_FRAME_ANSWER);
	assert_int_equal(kc_read_answer(&frame, &p->arena, &answer), 0);
	*ret_number = frame.rule;
	return answer;
}

static struct kc_answer ask(struct place *p, uint32_t kind, const char *text, int64_t number,
			    uint64_t timeout)
{
	uint32_t asked = put(p, kind, text, number, timeout), answered;
	struct kc_answer answer = wait_for(p, &answered);

	assert_int_equal(asked, answered);
	return answer;
}

static void test_lookup(void **state)
{
	struct place *p = *state;
	struct kc_answer a = ask(p, KC_ASK_LOOKUP, "192.0.2.7", 0, 10 * SECOND);
	uint64_t began;

	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items, 1);
	assert_string_equal(a.items[0].data, "192.0.2.7");
	/* In no time at all not even a process is started; who asks next is answered. */
	began = kc_now_usec();
	a = ask(p, KC_ASK_LOOKUP, "localhost", 0, 1);
	assert_int_equal(a.code, -ETIMEDOUT);
	assert_string_equal(a.why, "localhost could not be looked up within 0 ms");
	assert_true(kc_now_usec() - began < 5 * SECOND);
	a = ask(p, KC_ASK_LOOKUP, "localhost", 0, 10 * SECOND);
	assert_int_equal(a.code, 0);
	assert_true(a.n_items > 0);
}

/* One that takes its time holds up nobody. */
static void test_several(void **state)
{
	struct place *p = *state;
	uint32_t first = put(p, KC_ASK_LOOKUP, "localhost", 0, 10 * SECOND);
	uint32_t second = put(p, KC_ASK_SYSCTL, "kernel/osrelease", 0, 10 * SECOND);
	uint32_t third = put(p, KC_ASK_LOOKUP, "two words", 0, 10 * SECOND);
	unsigned seen = 0;

	for (unsigned i = 0; i < 3; i++) {
		uint32_t number;
		struct kc_answer a = wait_for(p, &number);

		seen |= 1u << number;
		assert_int_equal(a.code, number == third ? -EINVAL : 0);
	}
	assert_int_equal(seen, 1u << first | 1u << second | 1u << third);
}

/* Answered without a door. */
static void test_kernel(void **state)
{
	struct place *p = *state;
	struct kc_answer a = ask(p, KC_ASK_ADDRESSES, NULL, 0, SECOND);

	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items % 2, 0);
	assert_int_equal(ask(p, KC_ASK_SOCKETS, NULL, 1, SECOND).code, -EINVAL);
	a = ask(p, KC_ASK_RUNTIME, "/run/k8scheck-test-none/none.sock", KC_RUNTIME_VERSION, SECOND);
	assert_int_equal(a.code, -ENOENT);
	/* No module of it is in the folders of this test, and the question needs one. */
	a = ask(p, KC_ASK_RUNTIME, "/k8scheck-test-none.sock", KC_RUNTIME_VERSION, SECOND);
	assert_int_equal(a.code, -ENOSYS);
}

int main(void)
{
#define broker_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		broker_test(test_lookup),
		broker_test(test_several),
		broker_test(test_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
