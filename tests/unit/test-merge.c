/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/merge.h"

static void assert_one(const char *base, const char *a, const char *b, const char *merged)
{
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	assert_int_equal(kc_merge3(base, strlen(base), a, strlen(a), b, strlen(b), &out), 0);
	assert_string_equal(out.data, merged);
}

/* The same whoever comes first. */
static void assert_merged(const char *base, const char *a, const char *b, const char *merged)
{
	assert_one(base, a, b, merged);
	assert_one(base, b, a, merged);
}

static void assert_conflict(const char *base, const char *a, const char *b)
{
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	assert_int_equal(kc_merge3(base, strlen(base), a, strlen(a), b, strlen(b), &out), -EBUSY);
	assert_int_equal(kc_merge3(base, strlen(base), b, strlen(b), a, strlen(a), &out), -EBUSY);
	assert_int_equal(out.len, 0);
}

static void test_one_side(void **state)
{
	assert_merged("", "", "", "");
	assert_merged("1\n2\n", "1\n2\n", "1\nx\n2\n", "1\nx\n2\n");
	assert_merged("1\n2\n", "1\n2\n", "", "");
	assert_merged("", "", "x", "x");
}

static void test_apart(void **state)
{
	assert_merged("1\n2\n3\n4\n5\n", "a\n2\n3\n4\n5\n", "1\n2\n3\n4\nb\n", "a\n2\n3\n4\nb\n");
	assert_merged("1\n2\n3\n4\n5\n", "1\n3\n4\n5\n", "1\n2\n3\n4\nx\n5\n", "1\n3\n4\nx\n5\n");
}

/* Neighbours, which other merges take for a conflict: rules edit lines of their own. */
static void test_side_by_side(void **state)
{
	assert_merged("1\n2\n3\n4\n", "1\na\n3\n4\n", "1\n2\nb\n4\n", "1\na\nb\n4\n");
	assert_merged("1\n2\n3\n", "1\na\n3\n", "1\nx\n2\n3\n", "1\nx\na\n3\n");
	assert_merged("1\n2\n3\n", "1\na\n3\n", "1\n2\nx\n3\n", "1\na\nx\n3\n");
	assert_merged("1\n2\n3\n", "1\n3\n", "1\n2\nx\n3\n", "1\nx\n3\n");
}

static void test_same_change(void **state)
{
	assert_merged("1\n2\n3\n", "1\nx\n3\n", "1\nx\n3\n", "1\nx\n3\n");
	assert_merged("1\n2\n3\n", "1\n3\n", "1\n3\n", "1\n3\n");
	assert_merged("1\n", "1\nx\ny\n", "1\nx\ny\n", "1\nx\ny\n");
}

static void test_insertions_at_one_place(void **state)
{
	assert_one("1\n", "1\na\n", "1\nb\n", "1\na\nb\n");
	assert_one("1\n", "1\nb\n", "1\na\n", "1\nb\na\n");
	assert_one("1\n", "1\nh\na\n", "1\nh\nb\n", "1\nh\na\nb\n");
	assert_one("", "a\n", "b\n", "a\nb\n");
	assert_one("1\n2\n", "1\na\n2\n", "1\nb\nc\n2\n", "1\na\nb\nc\n2\n");
}

static void test_deletions(void **state)
{
	assert_merged("1\n2\n3\n4\n5\n6\n", "1\n4\n5\n6\n", "1\n2\n5\n6\n", "1\n5\n6\n");
	assert_merged("1\n2\n3\n4\n5\n6\n", "1\n6\n", "1\n2\n4\n6\n", "1\n6\n");
	assert_merged("1\n2\n3\n4\n5\n6\n7\n8\n", "1\n4\n5\n8\n", "1\n2\n7\n8\n", "1\n8\n");
	assert_merged("1\n2\n3\n4\n5\n6\n", "1\n4\n5\nx\n6\n", "1\n2\n5\n6\n", "1\n5\nx\n6\n");
}

static void test_conflicts(void **state)
{
	assert_conflict("1\n2\n3\n", "1\na\n3\n", "1\nb\n3\n");
	assert_conflict("1\n2\n3\n", "1\na\n3\n", "1\n3\n");
	assert_conflict("1\n2\n3\n4\n", "1\n4\n", "1\n2\nx\n3\n4\n");
	assert_conflict("1\n2\n3\n4\n", "1\na\nb\n4\n", "1\na\n3\n4\n");
	/* Deletions that are one, and reach into what the other replaced. */
	assert_conflict("1\n2\n3\n4\n5\n6\n", "1\n5\n6\n", "3\nx\n5\n6\n");
}

/* Two who append to a text without a newline at its end, and whose newline counts. */
static void test_no_newline(void **state)
{
	assert_one("1", "1\na\n", "1\nb\n", "1\na\nb\n");
	assert_one("1", "1\na\n", "0\n1", "0\n1\na\n");
	assert_one("1", "1\na", "1\nb", "1\na\nb");
	assert_one("1", "1", "1\n", "1\n");
	assert_one("1\n", "1", "1\n", "1");
	assert_one("1", "", "1", "");
	assert_one("\n", "", "\n", "");
	assert_one("1", "2\n", "1", "2\n");
}

static void test_any_bytes(void **state)
{
	static const char base[] = "\0\n\xff\n", a[] = "\0\0\n\xff\n", b[] = "\0\n\xff\r\n";
	static const char merged[] = "\0\0\n\xff\r\n";
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	assert_int_equal(
		kc_merge3(base, sizeof(base) - 1, a, sizeof(a) - 1, b, sizeof(b) - 1, &out), 0);
	assert_int_equal(out.len, sizeof(merged) - 1);
	assert_memory_equal(out.data, merged, sizeof(merged) - 1);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 16;
}

enum {
	LINES = 12
};

/* Each line stays, goes, is replaced or has one behind it; `edits` says which and how. */
static void make_version(struct kc_buf *b, const uint8_t edits[LINES], const char *who)
{
	for (unsigned i = 0; i < LINES; i++) {
		if (edits[i] == 0 || edits[i] == 3)
			kc_buf_addf(b, "line %u\n", i);
		if (edits[i] >= 2)
			kc_buf_addf(b, "%s %u\n", who, i);
	}
}

/*
 * Lines are all different, so what each did is known without a diff: where no line was touched by
 * both, the merge is what a single hand would have made of the base.
 */
static void test_random(void **state)
{
	static const uint8_t none[LINES] = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf base = { 0 };
	uint32_t seed = 7;
	unsigned merged = 0;

	make_version(&base, none, "");
	for (unsigned i = 0; i < 3000; i++) {
		kc_cleanup(kc_buf_done) struct kc_buf a = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf both = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
		uint8_t ea[LINES] = { 0 }, eb[LINES] = { 0 }, e[LINES];

		/* With a line between them that neither touched, nothing can overlap. */
		for (unsigned k = next_random(&seed) % 2; k < LINES; k += 2) {
			uint8_t *edits = next_random(&seed) % 2 ? ea : eb;

			edits[k] = (uint8_t)(next_random(&seed) % 4);
		}
		for (unsigned k = 0; k < LINES; k++)
			e[k] = ea[k] ? ea[k] : eb[k];
		make_version(&a, ea, "new");
		make_version(&b, eb, "new");
		make_version(&both, e, "new");
		assert_int_equal(kc_merge3(base.data, base.len, a.data, a.len, b.data, b.len, &out),
				 0);
		assert_string_equal(out.data, both.data);
		merged += a.len != base.len && b.len != base.len;
	}
	assert_true(merged > 1000);
}

static void test_too_large(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf large = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	while (large.len <= KC_LINES_SIZE_MAX)
		kc_buf_adds(&large, "0123456789abcdef\n");
	assert_int_equal(kc_merge3(large.data, large.len, "", 0, "", 0, &out), -EFBIG);
	assert_int_equal(kc_merge3("", 0, large.data, large.len, "", 0, &out), -EFBIG);
	assert_int_equal(kc_merge3("", 0, "", 0, large.data, large.len, &out), -EFBIG);
	assert_int_equal(out.len, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_side),
		cmocka_unit_test(test_apart),
		cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_same_change),
		cmocka_unit_test(test_insertions_at_one_place),
		cmocka_unit_test(test_deletions),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_no_newline),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
