/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "base/fields.h"
#include "fix-message.h"

static struct kc_rule profile_rules[] = { { .id = "first" }, { .id = "second" } };
static const struct kc_profile profile = {
	.name = "p",
	.rules = profile_rules,
	.n_rules = KC_ARRAY_SIZE(profile_rules),
};

/* ---- one of each message, with all that it can hold ---- */

static void put_request(struct kc_buf *b)
{
	static const struct kc_step steps[] = {
		{ .size = sizeof(struct kc_step),
		  .kind = KC_STEP_EDIT_FILE,
		  .flags = KC_STEP_WEAKENS,
		  .horizon = KC_BOOT,
		  .mode = 0644,
		  .uid = 1,
		  .gid = 2,
		  .target = "/etc/a",
		  .content = "a\0b",
		  .content_size = 3,
		  .before = "",
		  .before_size = 0,
		  .why = "Because." },
		{ .size = sizeof(struct kc_step), .kind = KC_STEP_MANUAL, .horizon = KC_NOW },
	};
	static const struct kc_fix_rule rules[] = {
		{ .id = "first", .steps = steps, .n = 2 },
		{ .id = "second", .fault = "no plan" },
	};
	const struct kc_fix_request request = { .rules = rules, .n = 2 };

	kc_put_request(b, &request);
}

static void put_plan(struct kc_buf *b)
{
	static const struct kc_plan_change changes[] = {
		{ .path = "/etc/a",
		  .before = { 0 },
		  .after = { .type = KC_FILE_REGULAR,
			     .mode = 0644,
			     .uid = 1,
			     .gid = 2,
			     .text = "x\n",
			     .size = 2,
			     .sha256 = "00" } },
		{ .path = "/etc/b",
		  .secret = true,
		  .before = { .type = KC_FILE_REGULAR, .size = 7 },
		  .after = { .type = KC_FILE_SYMLINK, .text = "/dev/null", .size = 9 } },
	};
	static const struct kc_plan_step steps[] = {
		{ .kind = KC_STEP_WRITE_FILE,
		  .flags = KC_STEP_NEEDS_REBOOT,
		  .horizon = KC_BOOT,
		  .state = KC_STATE_NEEDED,
		  .target = "/etc/a",
		  .why = "Because.",
		  .text = "t",
		  .inverse = "is removed again",
		  .changes = changes,
		  .n_changes = 2 },
		{ .kind = KC_STEP_SYSCTL,
		  .horizon = KC_NOW,
		  .state = KC_STATE_DONE,
		  .target = "a.b",
		  .content = "1",
		  .value_before = "0",
		  .value_after = "1" },
	};
	static const struct kc_plan_rule rules[] = {
		{ .rule = profile_rules + 1, .steps = steps, .n_steps = 2 },
		{ .rule = profile_rules, .text = "why not" },
	};
	const struct kc_plan plan = {
		.profile = "p",
		.root = "/",
		.hash = "00",
		.transaction = "0001-20260131T080000Z",
		.refusal = "no",
		.rules = rules,
		.n_rules = 2,
	};

	kc_put_plan(b, &plan);
}

static const char *const two[] = { "first", "second", NULL };

static void put_consent(struct kc_buf *b)
{
	const struct kc_fix_consent consent = {
		.hash = "00",
		.weaken = true,
		.rules = { .n = 2, .item = two },
	};

	kc_put_consent(b, &consent);
}

static void put_outcome(struct kc_buf *b)
{
	const struct kc_fix_outcome outcome = {
		.result = KC_FIX_STUCK,
		.text = "why",
		.transaction = "t",
		.notes = { .n = 2, .item = two },
		.changed = 3,
	};

	kc_put_outcome(b, &outcome);
}

static void put_rollback(struct kc_buf *b)
{
	static const struct kc_fix_undo items[] = {
		{ .what = "write-file", .target = "/etc/a", .state = KC_STATE_NEEDED },
		{ .what = "sysctl", .target = "a.b", .state = KC_STATE_HELD, .text = "t" },
	};
	const struct kc_fix_rollback rollback = {
		.transaction = "t",
		.time = "now",
		.profile = "p",
		.state = "committed",
		.hash = "00",
		.items = items,
		.n = 2,
	};

	kc_put_rollback(b, &rollback);
}

static void put_list(struct kc_buf *b)
{
	static const struct kc_fix_listed items[] = {
		{ .id = "t", .time = "then", .profile = "p", .state = "committed", .changes = 3 },
		{ .id = "u", .time = "now", .profile = "", .state = "open", .changes = 0 },
	};
	const struct kc_fix_list list = { .items = items, .n = 2 };

	kc_put_list(b, &list);
}

/* ---- reading, and writing again what was read ---- */

static int get_request(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_request request;
	int r = kc_get_request(b, arena, &request);

	if (r == 0)
		kc_put_request(again, &request);
	return r;
}

static int get_plan(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_plan plan;
	int r = kc_get_plan(b, &profile, arena, &plan);

	if (r == 0)
		kc_put_plan(again, &plan);
	return r;
}

static int get_consent(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_consent consent;
	int r = kc_get_consent(b, arena, &consent);

	if (r == 0)
		kc_put_consent(again, &consent);
	return r;
}

static int get_outcome(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_outcome outcome;
	int r = kc_get_outcome(b, arena, &outcome);

	if (r == 0)
		kc_put_outcome(again, &outcome);
	return r;
}

static int get_rollback(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_rollback rollback;
	int r = kc_get_rollback(b, arena, &rollback);

	if (r == 0)
		kc_put_rollback(again, &rollback);
	return r;
}

static int get_list(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_list list;
	int r = kc_get_list(b, arena, &list);

	if (r == 0)
		kc_put_list(again, &list);
	return r;
}

static const struct {
	const char *name;
	void (*put)(struct kc_buf *b);
	int (*get)(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again);
} kinds[] = {
	{ "request", put_request, get_request },    { "plan", put_plan, get_plan },
	{ "consent", put_consent, get_consent },    { "outcome", put_outcome, get_outcome },
	{ "rollback", put_rollback, get_rollback }, { "list", put_list, get_list },
};

static void test_round_trips(void **state)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 }, again = { 0 };

		kinds[i].put(&b);
		if (kinds[i].get(&b, &arena, &again) < 0)
			fail_msg("a %s cannot be read", kinds[i].name);
		assert_int_equal(again.len, b.len);
		assert_memory_equal(again.data, b.data, b.len);
	}
}

/* In memory of its own size, so that a byte that is read behind its end is seen. */
static int get_some(size_t kind, const char *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_freep) char *copy = malloc(size + !size);
	kc_cleanup(kc_buf_done) struct kc_buf again = { 0 };
	const struct kc_buf b = { .data = copy, .len = size };

	assert_non_null(copy);
	if (size > 0)
		memcpy(copy, data, size);
	return kinds[kind].get(&b, &arena, &again);
}

static void test_cut_off(void **state)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		kinds[i].put(&b);
		for (size_t size = 0; size < b.len; size++) {
			if (get_some(i, b.data, size) != -EBADMSG)
				fail_msg("%zu of %zu bytes are taken for a %s", size, b.len,
					 kinds[i].name);
		}
		kc_buf_addc(&b, 0);
		assert_int_equal(get_some(i, b.data, b.len), -EBADMSG);
	}
}

/* Every byte in turn set to others; what a reader takes, a writer writes in the same bytes. */
static void test_other_bytes(void **state)
{
	static const unsigned char values[] = { 0, 1, 2, 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		kinds[i].put(&b);
		for (size_t at = 0; at < b.len; at++) {
			for (size_t k = 0; k < KC_ARRAY_SIZE(values); k++) {
				const char was = b.data[at];
				int r;

				b.data[at] = (char)values[k];
				r = get_some(i, b.data, b.len);
				assert_true(r == 0 || r == -EBADMSG);
				b.data[at] = was;
			}
		}
	}
}

/* Every field of 32 bits, at whatever place, set to what would be too much. */
static void test_counts_that_lie(void **state)
{
	static const uint32_t values[] = { UINT32_MAX, UINT32_MAX - 1, INT32_MAX, 1u << 28, 65536 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		kinds[i].put(&b);
		for (size_t at = 0; at + 4 <= b.len; at++) {
			for (size_t k = 0; k < KC_ARRAY_SIZE(values); k++) {
				uint32_t was;
				int r;

				memcpy(&was, b.data + at, 4);
				memcpy(b.data + at, &values[k], 4);
				r = get_some(i, b.data, b.len);
				assert_true(r == 0 || r == -EBADMSG);
				memcpy(b.data + at, &was, 4);
			}
		}
	}
}

static void test_values_that_are_none(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_step step = { .kind = KC_STEP_MANUAL, .horizon = KC_NOW };
	struct kc_fix_rule rule = { .id = "first", .steps = &step, .n = 1 };
	const struct kc_fix_request request = { .rules = &rule, .n = 1 };
	static const uint32_t none[] = { 0, 21, UINT32_MAX };
	struct kc_fix_request got;

	for (size_t i = 0; i < KC_ARRAY_SIZE(none); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf of_kind = { 0 }, of_horizon = { 0 };

		step.kind = none[i];
		kc_put_request(&of_kind, &request);
		assert_int_equal(kc_get_request(&of_kind, &arena, &got), -EBADMSG);
		step.kind = KC_STEP_MANUAL;
		step.horizon = none[i];
		kc_put_request(&of_horizon, &request);
		assert_int_equal(kc_get_request(&of_horizon, &arena, &got), -EBADMSG);
		step.horizon = KC_NOW;
	}
	{
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		rule.id = NULL;
		kc_put_request(&b, &request);
		assert_int_equal(kc_get_request(&b, &arena, &got), -EBADMSG);
	}
}

/* A plan names rules of the profile alone. */
static void test_rule_of_another_profile(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const struct kc_profile other = { .name = "p", .rules = profile_rules, .n_rules = 1 };
	struct kc_plan plan;

	put_plan(&b);
	assert_int_equal(kc_get_plan(&b, &profile, &arena, &plan), 0);
	assert_int_equal(kc_get_plan(&b, &other, &arena, &plan), -EBADMSG);
}

/* A text with a NUL in it is two, as one reader or another sees it. */
static void test_nul_in_text(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_fix_consent consent;

	kc_put_bytes(&b, "0\0000", 3);
	kc_put_u32(&b, 0);
	kc_put_u32(&b, 0);
	assert_int_equal(kc_get_consent(&b, &arena, &consent), -EBADMSG);
}

/* ---- over a socket ---- */

static void test_send_and_receive(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_fix_message message;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	put_plan(&b);
	assert_int_equal(kc_fix_send(fds[0], KC_FIX_PLAN, &b), 0);
	assert_int_equal(kc_fix_receive(fds[1], &message), 0);
	assert_int_equal(message.type, KC_FIX_PLAN);
	assert_int_equal(message.data.len, b.len);
	assert_memory_equal(message.data.data, b.data, b.len);
	kc_fix_message_done(&message);
	kc_buf_reset(&b);
	assert_int_equal(kc_fix_send(fds[0], KC_FIX_REFUSED, &b), 0);
	assert_int_equal(kc_fix_receive(fds[1], &message), 0);
	assert_int_equal(message.data.len, 0);
	kc_fix_message_done(&message);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(kc_fix_receive(fds[1], &message), -EPIPE);
	assert_int_equal(close(fds[1]), 0);
}

static int receive_raw(const void *data, size_t size)
{
	struct kc_fix_message message;
	int fds[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(kc_write_all(fds[0], data, size), 0);
	assert_int_equal(close(fds[0]), 0);
	r = kc_fix_receive(fds[1], &message);
	if (r == 0)
		kc_fix_message_done(&message);
	assert_int_equal(close(fds[1]), 0);
	return r;
}

static void test_heads(void **state)
{
	static const uint32_t magic = 0x6b386678;
	const uint32_t good[] = { magic, 1, 4, 0 };
	const uint32_t other[] = { magic + 1, 1, 4, 0 };
	const uint32_t too_large[] = { magic, 1, 256 * 1024 * 1024 + 1, 0 };
	const uint32_t lies[] = { magic, 1, 256 * 1024 * 1024, 0 };

	assert_int_equal(receive_raw(good, sizeof(good)), 0);
	for (size_t size = 0; size < sizeof(good); size++)
		assert_int_equal(receive_raw(good, size), -EPIPE);
	assert_int_equal(receive_raw(other, sizeof(other)), -EBADMSG);
	assert_int_equal(receive_raw(too_large, sizeof(too_large)), -EBADMSG);
	assert_int_equal(receive_raw(lies, sizeof(lies)), -EPIPE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_other_bytes),
		cmocka_unit_test(test_counts_that_lie),
		cmocka_unit_test(test_values_that_are_none),
		cmocka_unit_test(test_rule_of_another_profile),
		cmocka_unit_test(test_nul_in_text),
		cmocka_unit_test(test_send_and_receive),
		cmocka_unit_test(test_heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
