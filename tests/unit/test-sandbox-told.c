/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "run/sandbox.h"

/* What the zygote tells of its sandbox, there and back, cut at every byte, and wrong. */

static void read_back(const struct kc_buf *b, struct kc_arena *arena, struct kc_sandbox_told *told)
{
	struct kc_reader r;

	kc_reader_start(&r, b->data, b->len);
	assert_int_equal(kc_sandbox_get(&r, arena, told), 0);
	assert_int_equal(kc_reader_end(&r), 0);
}

static void told_of(const struct kc_sandbox *sandbox, struct kc_arena *arena,
		    struct kc_sandbox_told *told)
{
	struct kc_buf b = { 0 };

	kc_sandbox_put(&b, sandbox);
	assert_int_equal(kc_buf_error(&b), 0);
	read_back(&b, arena, told);
	kc_buf_done(&b);
}

static size_t count(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

static void test_all(void **state)
{
	const struct kc_sandbox sandbox = { .in_force = (1u << KC_LAYER_MAX) - 1,
					    .landlock_abi = 6 };
	struct kc_arena arena = { 0 };
	struct kc_sandbox_told told;

	(void)state;
	told_of(&sandbox, &arena, &told);
	assert_int_equal(count(told.layers), KC_LAYER_MAX);
	assert_int_equal(count(told.missing), 0);
	for (unsigned i = 0; i < KC_LAYER_MAX; i++) {
		if (i == KC_LAYER_LANDLOCK)
			assert_string_equal(told.layers[i], "Landlock ABI 6");
		else
			assert_string_equal(told.layers[i], kc_layer_names[i]);
	}
	kc_arena_done(&arena);
}

/* openat2(2), whose flags no filter sees, goes where a mount is left writable and nothing else
 * would refuse to write. */
static void test_hides_openat2(void **state)
{
	const uint32_t mounts = 1u << KC_LAYER_READ_ONLY, landlock = 1u << KC_LAYER_LANDLOCK;
	const struct {
		enum kc_sandbox_policy policy;
		uint32_t in_force;
		unsigned n_left;
		bool hides;
	} cases[] = {
		{ KC_SANDBOX_BEST_EFFORT, 0, 0, true },
		{ KC_SANDBOX_BEST_EFFORT, mounts, 0, false },
		{ KC_SANDBOX_BEST_EFFORT, mounts, 1, true },
		{ KC_SANDBOX_BEST_EFFORT, landlock, 0, false },
		{ KC_SANDBOX_BEST_EFFORT, mounts | landlock, 1, false },
		{ KC_SANDBOX_OFF, 0, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		const struct kc_sandbox sandbox = {
			.policy = cases[i].policy,
			.in_force = cases[i].in_force,
			.n_left = cases[i].n_left,
		};

		assert_int_equal(kc_sandbox_hides_openat2(&sandbox), cases[i].hides);
	}
}

static void test_none(void **state)
{
	struct kc_sandbox sandbox = { .policy = KC_SANDBOX_BEST_EFFORT };
	struct kc_arena arena = { 0 };
	struct kc_sandbox_told told;

	(void)state;
	(void)kc_err_set(sandbox.missing + KC_LAYER_MOUNTS, -EPERM, "it takes root");
	told_of(&sandbox, &arena, &told);
	assert_int_equal(count(told.layers), 0);
	assert_int_equal(count(told.missing), KC_LAYER_MAX);
	assert_string_equal(told.missing[0], "mount namespace (it takes root)");
	assert_string_equal(told.missing[1], "read-only mounts ()");
	kc_arena_done(&arena);
}

static void test_off(void **state)
{
	const struct kc_sandbox sandbox = { .policy = KC_SANDBOX_OFF };
	struct kc_arena arena = { 0 };
	struct kc_sandbox_told told;

	(void)state;
	told_of(&sandbox, &arena, &told);
	assert_int_equal(count(told.layers), 0);
	assert_int_equal(count(told.missing), 0);
	kc_arena_done(&arena);
}

/* Every layer missing, and mounts left: the longest list there is. */
static void test_left(void **state)
{
	struct kc_sandbox sandbox = { .in_force = 1u << KC_LAYER_READ_ONLY, .n_left = 2 };
	struct kc_arena arena = { 0 };
	struct kc_sandbox_told told;

	(void)state;
	kc_buf_addf(&sandbox.left, "/mnt/a, /mnt/b");
	told_of(&sandbox, &arena, &told);
	assert_int_equal(count(told.layers), 1);
	assert_string_equal(told.layers[0], "read-only mounts (all but 2)");
	assert_int_equal(count(told.missing), KC_LAYER_MAX);
	assert_string_equal(told.missing[KC_LAYER_MAX - 1],
			    "read-only mounts on /mnt/a, /mnt/b (left as they are)");
	sandbox.in_force = 0;
	told_of(&sandbox, &arena, &told);
	assert_int_equal(count(told.missing), KC_LAYER_MAX + 1);
	kc_sandbox_done(&sandbox);
	kc_arena_done(&arena);
}

static void test_cut(void **state)
{
	struct kc_sandbox sandbox = { .in_force = 1u << KC_LAYER_LANDLOCK, .n_left = 1 };
	struct kc_arena arena = { 0 };
	struct kc_buf b = { 0 };

	(void)state;
	kc_buf_addf(&sandbox.left, "/mnt");
	kc_sandbox_put(&b, &sandbox);
	for (size_t n = 0; n < b.len; n++) {
		/* Memory of that size alone, for who reads behind it. */
		char *cut = test_malloc(n + 1);
		struct kc_sandbox_told told = { 0 };
		struct kc_reader r;

		memcpy(cut, b.data, n);
		kc_reader_start(&r, cut, n);
		assert_int_equal(kc_sandbox_get(&r, &arena, &told), -EBADMSG);
		assert_null(told.layers);
		test_free(cut);
	}
	kc_buf_done(&b);
	kc_sandbox_done(&sandbox);
	kc_arena_done(&arena);
}

/* Fields by hand, as who writes rubbish would. */
static int hostile(uint32_t policy, uint32_t in_force, uint32_t n_left, const char *left,
		   struct kc_arena *arena, struct kc_sandbox_told *told)
{
	struct kc_buf b = { 0 };
	struct kc_reader r;
	int code;

	kc_put_u32(&b, policy);
	kc_put_u32(&b, in_force);
	kc_put_u32(&b, UINT32_MAX);
	for (unsigned i = 0; i < KC_LAYER_MAX; i++)
		kc_put_text(&b, i % 2 ? NULL : "%s%n");
	kc_put_u32(&b, n_left);
	kc_put_text(&b, left);
	kc_reader_start(&r, b.data, b.len);
	code = kc_sandbox_get(&r, arena, told);
	kc_buf_done(&b);
	return code;
}

static void test_hostile(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_sandbox_told told = { 0 };

	(void)state;
	for (uint32_t policy = KC_SANDBOX_OFF + 1; policy != 0; policy = policy << 1)
		assert_int_equal(hostile(policy, 0, 0, "", &arena, &told), -EBADMSG);
	assert_int_equal(hostile(UINT32_MAX, 0, 0, "", &arena, &told), -EBADMSG);
	assert_null(told.layers);
	/* Bits of layers that there are not. */
	assert_int_equal(hostile(0, UINT32_MAX, 0, "", &arena, &told), 0);
	assert_int_equal(count(told.layers), KC_LAYER_MAX);
	assert_string_equal(told.layers[KC_LAYER_LANDLOCK], "Landlock ABI 4294967295");
	assert_int_equal(hostile(0, 1u << KC_LAYER_MAX, UINT32_MAX, NULL, &arena, &told), 0);
	assert_int_equal(count(told.layers), 0);
	assert_int_equal(count(told.missing), KC_LAYER_MAX + 1);
	assert_string_equal(told.missing[0], "mount namespace (%s%n)");
	assert_string_equal(told.missing[KC_LAYER_MAX], "read-only mounts on  (left as they are)");
	kc_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),	cmocka_unit_test(test_hides_openat2),
		cmocka_unit_test(test_none),	cmocka_unit_test(test_off),
		cmocka_unit_test(test_left),	cmocka_unit_test(test_cut),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
