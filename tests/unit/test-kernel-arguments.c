/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "formats/kernel-arguments.h"

/* Holds the arguments against names and values, in turn; "-" for no value. */
static void assert_arguments(const char *text, const char *const *expected)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_kernel_argument *a = NULL;
	size_t n = 0;

	assert_int_equal(kc_kernel_arguments_parse(text, strlen(text), &arena, &a, &n), 0);
	assert_int_equal(n, kc_strv_len(expected) / 2);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(a[i].name, expected[2 * i]);
		assert_string_equal(a[i].value ? a[i].value : "-", expected[2 * i + 1]);
	}
}

#define PAIRS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_split(void **state)
{
	assert_arguments(
		"BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro quiet\n",
		PAIRS("BOOT_IMAGE", "/vmlinuz", "root", "UUID=1-2", "ro", "-", "quiet", "-"));
	assert_arguments("  a=\t b= \n", PAIRS("a", "", "b", ""));
	assert_arguments("", (const char *const[]){ NULL });
	assert_arguments(" \n\t", (const char *const[]){ NULL });
	assert_arguments("a\xa0"
			 "b",
			 PAIRS("a", "-", "b", "-"));
}

static void test_quotes(void **state)
{
	assert_arguments("a=\"b c\" d", PAIRS("a", "b c", "d", "-"));
	assert_arguments("\"a=b c\" d", PAIRS("a", "b c", "d", "-"));
	assert_arguments("a=b\" c\"d e", PAIRS("a", "b\" c\"d", "e", "-"));
	assert_arguments("a=\"b c", PAIRS("a", "b c"));
	assert_arguments("a=\"\"", PAIRS("a", ""));
	assert_arguments("\"a b\"", PAIRS("a b", "-"));
	assert_arguments("\"", PAIRS("", "-"));
	assert_arguments("a=\"", PAIRS("a", ""));
	assert_arguments("a=\\\"b c\\\"", PAIRS("a", "\\\"b c\\\""));
	assert_arguments("=a=b", PAIRS("=a", "b"));
}

static void test_last_wins(void **state)
{
	static const char text[] = "selinux=0 a-b=1 a_b=2 selinux=1 selinux_x=3 -- selinux=7 x";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_kernel_argument *a;
	size_t n;

	assert_int_equal(kc_kernel_arguments_parse(text, sizeof(text) - 1, &arena, &a, &n), 0);
	assert_int_equal(n, 7);
	assert_string_equal(kc_kernel_argument_last(a, n, "selinux")->value, "1");
	assert_string_equal(kc_kernel_argument_last(a, n, "a-b")->value, "2");
	assert_null(kc_kernel_argument_last(a, n, "x"));
	assert_null(kc_kernel_argument_last(a, n, "selinu"));
	assert_true(a[6].for_init);
	assert_false(kc_kernel_argument_is(&a[0], "selinux_x"));
}

static void test_bounds(void **state)
{
	static char text[64 * 1024 + 1];
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_kernel_argument *a;
	size_t n;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? ' ' : 'x';
	assert_int_equal(kc_kernel_arguments_parse(text, sizeof(text), &arena, &a, &n), -EFBIG);
	assert_int_equal(kc_kernel_arguments_parse(text, sizeof(text) - 1, &arena, &a, &n), 0);
	assert_int_equal(n, 32 * 1024);
	assert_int_equal(kc_kernel_arguments_parse("a\0b", 3, &arena, &a, &n), 0);
	assert_int_equal(n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_last_wins),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
