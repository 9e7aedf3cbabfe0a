/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "apply-diff.h"
#include "model/diff.h"

static void assert_applies(const char *old, size_t old_size, const char *new, size_t new_size,
			   const struct kc_buf *diff)
{
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	assert_int_equal(kc_apply_diff(old, old_size, diff->data, diff->len, &out), 0);
	assert_int_equal(out.len, new_size);
	if (new_size > 0)
		assert_memory_equal(out.data, new, new_size);
}

static void assert_diff(const char *old, const char *new, const char *diff)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	assert_int_equal(kc_diff(old, strlen(old), new, strlen(new), &b), 0);
	assert_string_equal(b.data, diff);
	assert_applies(old, strlen(old), new, strlen(new), &b);
}

static void test_same(void **state)
{
	assert_diff("", "", "");
	assert_diff("a\nb\n", "a\nb\n", "");
	assert_diff("a", "a", "");
}

/* Expected: what GNU diff -u writes, without the names. */
static void test_hunks(void **state)
{
	assert_diff("", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n");
	assert_diff("a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n");
	assert_diff("a\n", "b\n", "@@ -1 +1 @@\n-a\n+b\n");
	assert_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
		    "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
	assert_diff("1\n2\n3\n4\n5\n", "1\n2\n3\n4\n5\n6\n", "@@ -3,3 +3,4 @@\n 3\n 4\n 5\n+6\n");
	assert_diff("1\n2\n", "0\n1\n2\n", "@@ -1,2 +1,3 @@\n+0\n 1\n 2\n");
}

/* Six lines between two changes are in one hunk, seven in two. */
static void test_hunks_meet(void **state)
{
	assert_diff("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		    "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
	assert_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		    "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
		    "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

static void test_no_newline(void **state)
{
	assert_diff("a", "a\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
	assert_diff("a\n", "a", "@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n");
	assert_diff("x\na", "y\na", "@@ -1,2 +1,2 @@\n-x\n+y\n a\n\\ No newline at end of file\n");
	assert_diff("a", "b",
		    "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of "
		    "file\n");
}

static void test_any_bytes(void **state)
{
	static const char old[] = "a\0b\n\xff\r\n", new[] = "a\0c\n\xff\r\n";
	static const char expected[] = "@@ -1,2 +1,2 @@\n-a\0b\n+a\0c\n \xff\r\n";
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	assert_int_equal(kc_diff(old, sizeof(old) - 1, new, sizeof(new) - 1, &b), 0);
	assert_int_equal(b.len, sizeof(expected) - 1);
	assert_memory_equal(b.data, expected, sizeof(expected) - 1);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

/* Few different lines, so that there are many ways to match them. */
static void add_random_line(struct kc_buf *b, uint32_t *seed)
{
	static const char *const lines[] = { "a\n", "b\n", "c\n", "\n", "a\0\n", "abc\n" };

	kc_buf_adds(b, lines[next_random(seed) % KC_ARRAY_SIZE(lines)]);
}

/* Another version of a text: lines left out, put in, exchanged. */
static void make_version(struct kc_buf *b, const struct kc_buf *of, unsigned rate, uint32_t *seed)
{
	for (size_t at = 0; at < of->len;) {
		const char *end = memchr(of->data + at, '\n', of->len - at);
		size_t n = end ? (size_t)(end - of->data) + 1 - at : of->len - at;
		uint32_t what = next_random(seed) % rate;

		if (what != 0 && what != 1)
			kc_buf_add(b, of->data + at, n);
		if (what == 1 || what == 2)
			add_random_line(b, seed);
		at += n;
	}
	if (next_random(seed) % 4 == 0 && b->len > 0)
		b->data[--b->len] = 0;
}

static void test_random(void **state)
{
	uint32_t seed = 1;

	for (unsigned i = 0; i < 3000; i++) {
		kc_cleanup(kc_buf_done) struct kc_buf old = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf new = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf diff = { 0 };
		unsigned n = next_random(&seed) % 60;

		while (n-- > 0)
			add_random_line(&old, &seed);
		make_version(&new, &old, 3 + i % 20, &seed);
		assert_int_equal(kc_diff(old.data, old.len, new.data, new.len, &diff), 0);
		assert_int_equal(diff.len == 0,
				 old.len == new.len && (old.len == 0 ||
							memcmp(old.data, new.data, old.len) == 0));
		assert_applies(old.data, old.len, new.data, new.len, &diff);
	}
}

static size_t count(const struct kc_buf *diff, const char *mark)
{
	size_t n = 0;

	for (const char *s = diff->data; (s = strstr(s, mark)); s++)
		n++;
	return n;
}

/* The least that can be: by hand, "abcabba" to "cbabac" takes five lines (Myers' own example). */
static void test_fewest(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	static const char old[] = "a\nb\nc\na\nb\nb\na\n", new[] = "c\nb\na\nb\na\nc\n";

	assert_int_equal(kc_diff(old, strlen(old), new, strlen(new), &b), 0);
	assert_int_equal(count(&b, "\n-") + count(&b, "\n+"), 5);
}

/* Too much to find: one hunk, with what both begin and end with around it. */
static void test_bound(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf old = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf new = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf diff = { 0 };

	for (unsigned i = 0; i < 2000; i++) {
		kc_buf_addf(&old, "%u\n", i);
		kc_buf_addf(&new, "%u\n", i % 2 == 1 || i == 0 ? i : i + 100000);
	}
	assert_int_equal(kc_diff(old.data, old.len, new.data, new.len, &diff), 0);
	assert_int_equal(count(&diff, "@@ -"), 1);
	assert_int_equal(count(&diff, "\n-"), 1997);
	assert_int_equal(count(&diff, "\n "), 3);
	assert_applies(old.data, old.len, new.data, new.len, &diff);
}

/* Full of lines that are all the same, and long: neither may take for ever. */
static void test_large(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf old = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf new = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf diff = { 0 };

	while (old.len < KC_LINES_SIZE_MAX)
		kc_buf_adds(&old, "\n\n\n\n\n\n\na\n\n\n\n\n\nbc");
	old.len = KC_LINES_SIZE_MAX;
	while (new.len < KC_LINES_SIZE_MAX)
		kc_buf_adds(&new, "\n\n\n\na\n\n\n\n\n\nbc");
	new.len = KC_LINES_SIZE_MAX;
	assert_int_equal(kc_diff(old.data, old.len, new.data, new.len, &diff), 0);
	assert_applies(old.data, old.len, new.data, new.len, &diff);
	kc_buf_addc(&new, '\n');
	kc_buf_reset(&diff);
	assert_int_equal(kc_diff(old.data, old.len, new.data, new.len, &diff), -EFBIG);
	assert_int_equal(diff.len, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),	   cmocka_unit_test(test_hunks),
		cmocka_unit_test(test_hunks_meet), cmocka_unit_test(test_no_newline),
		cmocka_unit_test(test_any_bytes),  cmocka_unit_test(test_random),
		cmocka_unit_test(test_fewest),	   cmocka_unit_test(test_bound),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
