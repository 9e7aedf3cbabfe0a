/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "fix/digest.h"
#include "fix/journal.h"

static void put(struct kc_buf *b, uint32_t number, const char *verb, const struct kc_pair *pairs,
		size_t n)
{
	const struct kc_record record = {
		.number = number,
		.verb = verb,
		.pairs = { .n = n, .item = pairs },
	};

	kc_record_put(b, &record);
	assert_int_equal(kc_buf_error(b), 0);
}

/* A line with a checksum that is right, whatever is on it. */
static void put_raw(struct kc_buf *b, const char *rest, size_t size)
{
	char hex[KC_DIGEST_TEXT];

	kc_digest(rest, size, hex);
	kc_buf_add(b, hex, 16);
	kc_buf_add(b, rest, size);
	kc_buf_addc(b, '\n');
}

static int parse(const struct kc_buf *b, struct kc_arena *arena, struct kc_journal_text *ret)
{
	struct kc_err err = { 0 };
	int r = kc_journal_parse(b->data, b->len, arena, &err, ret);

	if (r < 0)
		assert_true(*err.text);
	return r;
}

static const struct kc_pair all_bytes_pairs[] = {
	{ "path", "/etc/a b%c\n\t\033\177\200\377" },
	{ "empty", "" },
	{ "equal", "a=b=c" },
	{ "of", "1" },
};

static void put_some(struct kc_buf *b)
{
	put(b, 1, "begin", NULL, 0);
	put(b, 2, "change", all_bytes_pairs, KC_ARRAY_SIZE(all_bytes_pairs));
	put(b, 3, "done", all_bytes_pairs + 3, 1);
}

static void test_round_trip(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_journal_text text;

	put_some(&b);
	assert_int_equal(parse(&b, &arena, &text), 0);
	assert_int_equal(text.n, 3);
	assert_int_equal(text.good, b.len);
	assert_string_equal(text.records[0].verb, "begin");
	assert_int_equal(text.records[0].pairs.n, 0);
	assert_int_equal(text.records[1].number, 2);
	assert_int_equal(text.records[1].pairs.n, KC_ARRAY_SIZE(all_bytes_pairs));
	for (size_t i = 0; i < KC_ARRAY_SIZE(all_bytes_pairs); i++)
		assert_string_equal(kc_record_get(text.records + 1, all_bytes_pairs[i].key),
				    all_bytes_pairs[i].value);
	assert_null(kc_record_get(text.records + 1, "none"));
}

static void test_every_byte(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_journal_text text;
	char value[256];

	for (size_t i = 0; i < 255; i++)
		value[i] = (char)(i + 1);
	value[255] = '\0';
	put(&b, 1, "x", (const struct kc_pair[]){ { "k", value } }, 1);
	assert_int_equal(parse(&b, &arena, &text), 0);
	assert_string_equal(kc_record_get(text.records, "k"), value);
	/* What is on a line is what can be printed. */
	for (size_t i = 0; i + 1 < b.len; i++)
		assert_in_range((unsigned char)b.data[i], 0x20, 0x7e);
}

static void test_empty(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_journal_text text;

	assert_int_equal(parse(&b, &arena, &text), 0);
	assert_int_equal(text.n, 0);
	assert_int_equal(text.good, 0);
}

/* A crash leaves some first bytes of the last line; those before it are whole. */
static void test_torn(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	size_t ends[4] = { 0 };

	put(&b, 1, "begin", NULL, 0);
	ends[1] = b.len;
	put(&b, 2, "change", all_bytes_pairs, KC_ARRAY_SIZE(all_bytes_pairs));
	ends[2] = b.len;
	put(&b, 3, "done", all_bytes_pairs + 3, 1);
	ends[3] = b.len;
	for (size_t size = 0; size <= b.len; size++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct kc_buf cut = { .data = b.data, .len = size };
		struct kc_journal_text text;
		uint32_t whole = 0;

		while (whole < 3 && ends[whole + 1] <= size)
			whole++;
		assert_int_equal(parse(&cut, &arena, &text), 0);
		assert_int_equal(text.n, whole);
		assert_int_equal(text.good, ends[whole]);
	}
}

/* Blocks of the file that were never written come out as NULs, or as what lay there before. */
static void test_torn_with_rubbish(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_journal_text text;
	size_t good;

	put_some(&b);
	good = b.len;
	for (size_t i = 0; i < 100; i++)
		kc_buf_addc(&b, 0);
	assert_int_equal(parse(&b, &arena, &text), 0);
	assert_int_equal(text.good, good);
	kc_buf_addc(&b, '\n');
	assert_int_equal(parse(&b, &arena, &text), 0);
	assert_int_equal(text.good, good);
	assert_int_equal(text.n, 3);
	/* More than one line of it is no torn line any more. */
	kc_buf_adds(&b, "x\n");
	assert_int_equal(parse(&b, &arena, &text), -EBADMSG);
}

/* No bit of a line but the last can be other than it was written; without the newline in front of
 * it the last two are one. */
static void test_flipped(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	size_t last, n = 0;

	put_some(&b);
	last = b.len;
	put(&b, 4, "committed", NULL, 0);
	for (size_t i = 0; i + 1 < last; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
			struct kc_journal_text text;

			b.data[i] = (char)(b.data[i] ^ (1 << bit));
			if (parse(&b, &arena, &text) != -EBADMSG)
				fail_msg("byte %zu, bit %u is not missed", i, bit);
			b.data[i] = (char)(b.data[i] ^ (1 << bit));
			n++;
		}
	}
	print_message("%zu bits were flipped\n", n);
	/* In the last line one makes it a torn line, which is as if it had not been written. */
	for (size_t i = last; i + 1 < b.len; i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		struct kc_journal_text text;

		b.data[i] = (char)(b.data[i] ^ 0x10);
		if (parse(&b, &arena, &text) == 0) {
			assert_int_equal(text.n, 3);
			assert_int_equal(text.good, last);
		}
		b.data[i] = (char)(b.data[i] ^ 0x10);
	}
}

static void test_numbers(void **state)
{
	static const uint32_t orders[][3] = {
		{ 2, 3, 4 }, { 0, 1, 2 }, { 1, 1, 2 },
		{ 1, 3, 4 }, { 3, 2, 1 }, { UINT32_MAX, 0, 1 },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(orders); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_journal_text text;

		for (size_t k = 0; k < 3; k++)
			put(&b, orders[i][k], "x", NULL, 0);
		assert_int_equal(parse(&b, &arena, &text), -EBADMSG);
	}
}

/* A checksum that is right does not make a line: these can only have been forged. */
static void test_lines_that_are_none(void **state)
{
	static const char *const lines[] = {
		"",
		" ",
		" 1",
		" 1 ",
		" x begin",
		" 1 Begin",
		" 1 b x",
		" 1 b x%=y",
		" 1 b =y",
		" 1 b k=%",
		" 1 b k=%4",
		" 1 b k=%00",
		" 1 b k=%zz",
		" 1 b K=v",
		" 1 b  k=v",
		" 1 b k=v ",
		" +1 b",
		" -1 b",
		" 4294967297 b",
		"  1 b",
		" 1 b\t",
		" 18446744073709551617 b",
		NULL,
	};

	KC_FOREACH_STR (line, lines) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_journal_text text;

		put_raw(&b, line, strlen(line));
		put(&b, 2, "x", NULL, 0);
		if (parse(&b, &arena, &text) != -EBADMSG)
			fail_msg("'%s' is taken for a record", line);
	}
}

static void test_nul_in_line(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_journal_text text;

	put_raw(&b, " 1 b k=v\0w", 10);
	put(&b, 2, "x", NULL, 0);
	assert_int_equal(parse(&b, &arena, &text), -EBADMSG);
}

static void test_huge(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf value = { 0 };
	struct kc_pair pairs[KC_RECORD_PAIRS_MAX + 1];

	for (size_t i = 0; i < KC_ARRAY_SIZE(pairs); i++)
		pairs[i] = (struct kc_pair){ "k", "v" };
	for (size_t n = KC_RECORD_PAIRS_MAX; n <= KC_ARRAY_SIZE(pairs); n++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_journal_text text;

		put(&b, 1, "x", pairs, n);
		put(&b, 2, "x", NULL, 0);
		assert_int_equal(parse(&b, &arena, &text), n > KC_RECORD_PAIRS_MAX ? -EBADMSG : 0);
	}
	for (size_t i = 0; i < KC_RECORD_MAX; i++)
		kc_buf_addc(&value, 'v');
	for (size_t less = 24; less > 0; less -= 12) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_journal_text text;
		int r;

		value.data[KC_RECORD_MAX - less] = '\0';
		put(&b, 1, "x", (const struct kc_pair[]){ { "k", value.data } }, 1);
		value.data[KC_RECORD_MAX - less] = 'v';
		r = b.len - 1 <= KC_RECORD_MAX ? 0 : -EBADMSG;
		put(&b, 2, "x", NULL, 0);
		assert_int_equal(parse(&b, &arena, &text), r);
	}
}

/* ---- as a file ---- */

static char *at(const char *dir)
{
	return kc_asprintf("%s/journal", dir);
}

static int open_dir(char dir[])
{
	int fd;

	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void test_file(void **state)
{
	char dir[] = "/tmp/k8scheck-journal-XXXXXX";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int fd = open_dir(dir);
	kc_cleanup(kc_freep) char *path = at(dir);
	struct kc_journal journal;
	struct kc_journal_text text;
	struct kc_err err = { 0 };
	struct stat st;

	assert_int_equal(kc_journal_create(fd, "journal", &err, &journal), 0);
	assert_int_equal(kc_journal_append(&journal, "begin", NULL, 0, 0, &err), 0);
	assert_int_equal(kc_journal_append(&journal, "x", all_bytes_pairs, 4, 0, &err), 0);
	kc_journal_done(&journal);
	assert_int_equal(kc_journal_create(fd, "journal", &err, &journal), -EEXIST);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* Torn; who only reads leaves it so. */
	assert_int_equal(truncate(path, st.st_size - 3), 0);
	assert_int_equal(kc_journal_open(fd, "journal", true, &arena, &err, &text, &journal), 0);
	assert_int_equal(text.n, 1);
	assert_int_not_equal(kc_journal_append(&journal, "y", NULL, 0, 0, NULL), 0);
	kc_journal_done(&journal);
	assert_int_equal(stat(path, &st), 0);
	assert_true((size_t)st.st_size > text.good);
	/* Who appends cuts it off, and what is appended is read. */
	assert_int_equal(kc_journal_open(fd, "journal", false, &arena, &err, &text, &journal), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, text.good);
	assert_int_equal(kc_journal_append(&journal, "z", NULL, 0, 0, &err), 0);
	kc_journal_done(&journal);
	assert_int_equal(kc_journal_open(fd, "journal", true, &arena, &err, &text, &journal), 0);
	assert_int_equal(text.n, 2);
	assert_string_equal(text.records[1].verb, "z");
	kc_journal_done(&journal);
	/* A record that no reader would take is not written. */
	{
		kc_cleanup(kc_freep) char *large = malloc(KC_RECORD_MAX + 1);

		assert_non_null(large);
		memset(large, 'x', KC_RECORD_MAX);
		large[KC_RECORD_MAX] = '\0';
		assert_int_equal(
			kc_journal_open(fd, "journal", false, &arena, &err, &text, &journal), 0);
		assert_int_equal(kc_journal_append(&journal, "y",
						   (const struct kc_pair[]){ { "k", large } }, 1, 0,
						   &err),
				 -EFBIG);
		kc_journal_done(&journal);
	}
	assert_int_equal(kc_journal_open(fd, "journal", true, &arena, &err, &text, &journal), 0);
	assert_int_equal(text.n, 2);
	kc_journal_done(&journal);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* What is asked for behind a record is there, also behind an end that was torn. */
static void test_room_ahead(void **state)
{
	char dir[] = "/tmp/k8scheck-journal-XXXXXX";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int fd = open_dir(dir);
	kc_cleanup(kc_freep) char *path = at(dir);
	struct kc_journal journal;
	struct kc_journal_text text;
	struct kc_err err = { 0 };
	struct stat st;
	bool can;

	assert_int_equal(kc_journal_create(fd, "journal", &err, &journal), 0);
	can = fallocate(journal.fd, FALLOC_FL_KEEP_SIZE, 0, 1) == 0;
	for (size_t i = 0; i < 300; i++) {
		assert_int_equal(
			kc_journal_append(&journal, "x", all_bytes_pairs, 4, i * 256 + 1, &err), 0);
		assert_int_equal(fstat(journal.fd, &st), 0);
		assert_int_equal(st.st_size, journal.size);
		if (can)
			assert_true((size_t)st.st_blocks * 512 >= journal.size + i * 256);
	}
	/* More than a journal can have. */
	assert_int_equal(kc_journal_append(&journal, "x", NULL, 0, KC_JOURNAL_MAX, &err), -EFBIG);
	assert_int_equal(kc_journal_append(&journal, "x", NULL, 0, 0, &err), 0);
	assert_int_equal(kc_write_all(journal.fd, "torn", 4), 0);
	kc_journal_done(&journal);
	assert_int_equal(kc_journal_open(fd, "journal", false, &arena, &err, &text, &journal), 0);
	assert_int_equal(text.n, 301);
	if (can) {
		assert_int_equal(fstat(journal.fd, &st), 0);
		assert_true((size_t)st.st_blocks * 512 >= journal.size + (size_t)299 * 256);
	}
	kc_journal_done(&journal);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_no_plain_file(void **state)
{
	char dir[] = "/tmp/k8scheck-journal-XXXXXX";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_closep) int fd = open_dir(dir);
	kc_cleanup(kc_freep) char *path = at(dir), *other = kc_asprintf("%s/other", dir);
	struct kc_journal journal;
	struct kc_journal_text text;
	struct kc_err err = { 0 };

	assert_int_equal(kc_journal_open(fd, "journal", true, &arena, &err, &text, &journal),
			 -ENOENT);
	assert_int_equal(symlink("other", path), 0);
	assert_true(kc_journal_open(fd, "journal", false, &arena, &err, &text, &journal) < 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(kc_journal_open(fd, "journal", true, &arena, &err, &text, &journal),
			 -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(kc_journal_create(fd, "journal", &err, &journal), 0);
	kc_journal_done(&journal);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(kc_journal_open(fd, "journal", true, &arena, &err, &text, &journal),
			 -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_torn_with_rubbish),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_lines_that_are_none),
		cmocka_unit_test(test_nul_in_line),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_room_ahead),
		cmocka_unit_test(test_no_plain_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
