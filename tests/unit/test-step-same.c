/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "model/plan.h"

#define STEP(k, t, c, ...)                                                                 \
	{                                                                                  \
		.kind = (k), .target = (t), .content = (c), .content_size = sizeof(c) - 1, \
		__VA_ARGS__                                                                \
	}

static void expect(struct kc_step a, struct kc_step b, bool same)
{
	assert_int_equal(kc_step_same(&a, &b), same);
	assert_int_equal(kc_step_same(&b, &a), same);
}

static void test_files_have_mode_and_owner(void **state)
{
	const struct kc_step file = STEP(KC_STEP_WRITE_FILE, "/etc/a", "x", .mode = 0644);
	const struct kc_step others[] = {
		STEP(KC_STEP_WRITE_FILE, "/etc/a", "x", .mode = 0600),
		STEP(KC_STEP_WRITE_FILE, "/etc/a", "x", .mode = 0644, .uid = 1),
		STEP(KC_STEP_WRITE_FILE, "/etc/a", "x", .mode = 0644, .gid = 1),
		STEP(KC_STEP_WRITE_FILE, "/etc/a", "y", .mode = 0644),
		STEP(KC_STEP_WRITE_FILE, "/etc/a", "", .mode = 0644),
		STEP(KC_STEP_WRITE_FILE, "/etc/b", "x", .mode = 0644),
		STEP(KC_STEP_EDIT_FILE, "/etc/a", "x", .mode = 0644),
	};

	expect(file, file, true);
	for (size_t i = 0; i < KC_ARRAY_SIZE(others); i++)
		expect(file, others[i], false);
}

/* One check writes a mode into every step, another into those of files alone. */
static void test_what_runs_has_none(void **state)
{
	const struct kc_step load = STEP(KC_STEP_LOAD_MODULE, "br_netfilter", "");
	const struct kc_step same = STEP(KC_STEP_LOAD_MODULE, "br_netfilter", "", .mode = 0644);
	const struct kc_step other = STEP(KC_STEP_LOAD_MODULE, "overlay", "");
	const struct kc_step set = STEP(KC_STEP_SYSCTL, "net.ipv4.ip_forward", "1");
	const struct kc_step unset = STEP(KC_STEP_SYSCTL, "net.ipv4.ip_forward", "0");

	expect(load, same, true);
	expect(load, other, false);
	expect(set, set, true);
	expect(set, unset, false);
}

static void test_a_restart_is_a_start(void **state)
{
	const struct kc_step restart = STEP(KC_STEP_UNIT_RESTART, "crio.service", "");
	const struct kc_step start = STEP(KC_STEP_UNIT_START, "crio.service", "");
	const struct kc_step other = STEP(KC_STEP_UNIT_START, "b.service", "");

	assert_true(kc_step_same(&restart, &start));
	assert_false(kc_step_same(&start, &restart));
	assert_false(kc_step_same(&restart, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_have_mode_and_owner),
		cmocka_unit_test(test_what_runs_has_none),
		cmocka_unit_test(test_a_restart_is_a_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
