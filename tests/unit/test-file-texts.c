/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "file/accounts.h"
#include "file/text-lines.h"

static void test_account_id(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\n"
				   ":x:1:1::\n"
				   "short:x:2\n"
				   "empty:x::\n"
				   "minus:x:-1:\n"
				   "blank:x: 3:\n"
				   "large:x:4294967295:\n"
				   "larger:x:4294967296:\n"
				   "longest:x:00000000000000000004:\n"
				   "twice:x:7:\n"
				   "twice:x:8:\n"
				   "last:x:9:";
	static const char *const none[] = { "",	       "short", "empty", "minus", "blank", "larger",
					    "longest", "roo",	"roots", "x",	  NULL };
	uint32_t id = 77;

	assert_int_equal(file_account_id(text, sizeof(text) - 1, "root", &id), 0);
	assert_int_equal(id, 0);
	assert_int_equal(file_account_id(text, sizeof(text) - 1, "large", &id), 0);
	assert_int_equal(id, UINT32_MAX);
	assert_int_equal(file_account_id(text, sizeof(text) - 1, "twice", &id), 0);
	assert_int_equal(id, 7);
	assert_int_equal(file_account_id(text, sizeof(text) - 1, "last", &id), 0);
	assert_int_equal(id, 9);
	KC_FOREACH_STR (name, none)
		assert_int_equal(file_account_id(text, sizeof(text) - 1, name, &id), -ENOENT);
	assert_int_equal(file_account_id("", 0, "root", &id), -ENOENT);
	assert_int_equal(id, 9);
}

static void test_account_name(void **state)
{
	static const char text[] = "a:x:5:\nb:x:5:\nc:x:6:\n";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };

	assert_string_equal(file_account_name(text, sizeof(text) - 1, 5, &arena), "a");
	assert_string_equal(file_account_name(text, sizeof(text) - 1, 6, &arena), "c");
	assert_null(file_account_name(text, sizeof(text) - 1, 7, &arena));
	/* What is cut off has no number. */
	assert_null(file_account_name(text, 4, 5, &arena));
}

static void expect_line(const char *text, size_t size, const char *comment, unsigned nth,
			const char *want, unsigned number)
{
	struct file_line line = { 0 };
	unsigned at_number = 0;

	for (unsigned i = 0; i <= nth; i++)
		assert_true(file_line_next(&text, &size, &at_number, comment, &line));
	assert_int_equal(line.number, number);
	assert_int_equal(line.length, strlen(want));
	assert_memory_equal(line.text, want, line.length);
}

static void test_lines(void **state)
{
	static const char text[] = "# one\n\n \t two \r\n   # three\n\r\n four";
	const char *at = text;
	size_t left = sizeof(text) - 1;
	unsigned number = 0;
	struct file_line line;

	expect_line(text, left, "", 0, "# one", 1);
	expect_line(text, left, "", 1, "two", 3);
	expect_line(text, left, "", 2, "# three", 4);
	expect_line(text, left, "#", 0, "two", 3);
	expect_line(text, left, "#", 1, "four", 6);
	expect_line(text, left, "# one and more", 0, "# one", 1);
	while (file_line_next(&at, &left, &number, "", &line))
		;
	assert_int_equal(left, 0);
	assert_int_equal(number, 6);
	assert_false(file_line_next(&at, &left, &number, "", &line));
}

static void test_equals(void **state)
{
	const struct file_line line = { .text = "a b", .length = 3, .number = 1 };

	assert_true(file_line_equals(&line, "a b"));
	assert_true(file_line_equals(&line, "\t a b \n"));
	assert_false(file_line_equals(&line, "a  b"));
	assert_false(file_line_equals(&line, "a"));
	assert_false(file_line_equals(&line, "a b c"));
	assert_false(file_line_equals(&line, ""));
}

static void test_nul(void **state)
{
	assert_int_equal(file_line_of_nul("", 0), 0);
	assert_int_equal(file_line_of_nul("a\nb\n", 4), 0);
	assert_int_equal(file_line_of_nul("\0a", 2), 1);
	assert_int_equal(file_line_of_nul("a\nb\n\0", 5), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_account_id), cmocka_unit_test(test_account_name),
		cmocka_unit_test(test_lines),	   cmocka_unit_test(test_equals),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
