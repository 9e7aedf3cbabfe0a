/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fdio.h"
#include "base/hash.h"
#include "base/num.h"
#include "base/utf8.h"

/* ---- arena ---- */

static void test_arena(void **state)
{
	struct kc_arena a = { 0 };
	char *all[2000];
	size_t sum = 0;

	for (size_t i = 0; i < KC_ARRAY_SIZE(all); i++) {
		/* Small ones, and now and then one that needs a chunk of its own. */
		size_t size = i % 97 == 0 ? 300000 : i % 53;

		all[i] = kc_arena_alloc(&a, size);
		assert_non_null(all[i]);
		assert_int_equal((uintptr_t)all[i] % 8, 0);
		memset(all[i], (int)(i & 0xff), size);
		sum += size;
	}
	/* None lies in another. */
	for (size_t i = 0; i < KC_ARRAY_SIZE(all); i++) {
		size_t size = i % 97 == 0 ? 300000 : i % 53;

		for (size_t k = 0; k<size; k += size> 1000 ? 997 : 1)
			assert_int_equal((unsigned char)all[i][k], i & 0xff);
	}
	assert_true(a.used >= sum);
	kc_arena_done(&a);
	assert_null(a.chunk);
	assert_int_equal(a.used, 0);
	assert_string_equal(kc_arena_strdup(&a, "again"), "again");
	kc_arena_done(&a);
	kc_arena_done(&a);
}

static void test_arena_limit(void **state)
{
	struct kc_arena a = { .limit = 64 };

	assert_non_null(kc_arena_alloc(&a, 60));
	assert_null(kc_arena_alloc(&a, 1));
	assert_int_equal(a.used, 64);
	assert_non_null(kc_arena_alloc(&a, 0));
	kc_arena_done(&a);
	assert_null(kc_arena_alloc(&a, 65));
	assert_null(kc_arena_alloc(&a, SIZE_MAX));
	assert_null(kc_arena_alloc(&a, SIZE_MAX - 7));
	assert_null(kc_arena_strdup(
		&a, "a text of more than sixty-four bytes, and so of more than it may take"));
	assert_int_equal(a.used, 0);
	kc_arena_done(&a);
}

static void test_arena_overflow(void **state)
{
	struct kc_arena a = { 0 };

	assert_null(kc_arena_alloc(&a, SIZE_MAX));
	assert_null(kc_arena_alloc(&a, SIZE_MAX - 1));
	assert_null(kc_arena_zalloc(&a, SIZE_MAX / 2 + 1, 2));
	assert_null(kc_arena_zalloc(&a, 2, SIZE_MAX / 2 + 1));
	assert_null(kc_arena_memdup(&a, "", SIZE_MAX));
	assert_int_equal(a.used, 0);
	kc_arena_done(&a);
}

static void test_arena_grow(void **state)
{
	struct kc_arena arena = { .limit = 4096 };
	unsigned *items = NULL;
	size_t room = 0, n = 0;

	for (;; n++) {
		unsigned *grown = kc_arena_grow(&arena, items, n, &room, sizeof(*items));

		if (!grown)
			break;
		assert_true(room > n);
		items = grown;
		assert_int_equal(items[n], 0);
		items[n] = (unsigned)n;
	}
	/* At the limit the array is as it was. */
	assert_int_equal(n, room);
	assert_true(n >= 256);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(items[i], i);
	room = SIZE_MAX;
	assert_null(kc_arena_grow(&arena, items, room, &room, sizeof(*items)));
	kc_arena_done(&arena);
}

static void test_arena_texts(void **state)
{
	struct kc_arena a = { 0 };
	uint64_t *zeros = kc_arena_zalloc(&a, 100, sizeof(*zeros));
	char *copy;

	assert_non_null(zeros);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(zeros[i], 0);
	copy = kc_arena_memdup(&a, "a\0b", 3);
	assert_memory_equal(copy, "a\0b", 4);
	assert_string_equal(kc_arena_memdup(&a, NULL, 0), "");
	assert_string_equal(kc_arena_printf(&a, "%s %d", "seven", 7), "seven 7");
	assert_string_equal(kc_arena_printf(&a, "%s", ""), "");
	copy = kc_arena_printf(&a, "%0*d", 100000, 7);
	assert_int_equal(strlen(copy), 100000);
	kc_arena_done(&a);
}

/* ---- buffers and strings ---- */

static void test_buf(void **state)
{
	struct kc_buf b = { 0 };
	char *text;

	kc_buf_adds(&b, "one");
	kc_buf_addc(&b, ' ');
	kc_buf_addf(&b, "%s %d", "two", 3);
	assert_string_equal(b.data, "one two 3");
	assert_int_equal(b.len, 9);
	for (unsigned i = 0; i < 100000; i++) {
		kc_buf_addc(&b, 'x');
		assert_int_equal(b.data[b.len], 0);
	}
	assert_int_equal(b.len, 100009);
	kc_buf_reset(&b);
	assert_string_equal(b.data, "");
	kc_buf_add(&b, "a\0b", 3);
	assert_int_equal(b.len, 3);
	text = kc_buf_take(&b);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	assert_null(b.data);
	/* Nothing is an empty text. */
	text = kc_buf_take(&b);
	assert_string_equal(text, "");
	free(text);
	memcpy(kc_buf_room(&b, 5), "hello", 5);
	kc_buf_grow(&b, 4);
	assert_string_equal(b.data, "hell");
	kc_buf_done(&b);
	assert_int_equal(b.len, 0);
}

static void test_buf_failed(void **state)
{
	struct kc_buf b = { 0 };

	kc_buf_adds(&b, "kept");
	kc_buf_add(&b, "", SIZE_MAX);
	assert_int_equal(kc_buf_error(&b), -ENOMEM);
	/* What failed stays so, and takes nothing more. */
	kc_buf_adds(&b, "lost");
	assert_int_equal(b.len, 4);
	assert_null(kc_buf_room(&b, 1));
	assert_null(kc_buf_take(&b));
	assert_null(b.data);
	assert_int_equal(kc_buf_error(&b), 0);
}

static void test_strings(void **state)
{
	static const char *const list[] = { "a", "", "c", NULL };
	const char *seen[4] = { NULL };
	size_t n = 0;
	char text[] = " \t\r\n\v\fwords in it \n";
	char blank[] = " \t";
	char *made;

	assert_true(kc_endswith("unit.service", ".service"));
	assert_true(kc_endswith("x", ""));
	assert_false(kc_endswith("service", ".service"));
	assert_true(kc_streq0(NULL, NULL));
	assert_false(kc_streq0(NULL, ""));
	assert_false(kc_streq0("", NULL));
	assert_true(kc_streq0("a", "a"));
	assert_string_equal(kc_after_prefix("--root=/x", "--root="), "/x");
	assert_null(kc_after_prefix("--roo", "--root="));
	assert_string_equal(kc_strstrip(text), "words in it");
	assert_string_equal(kc_strstrip(blank), "");
	assert_true(kc_strv_has(list, ""));
	assert_false(kc_strv_has(list, "b"));
	assert_false(kc_strv_has(NULL, "b"));
	assert_int_equal(kc_strv_len(list), 3);
	assert_int_equal(kc_strv_len(NULL), 0);
	KC_FOREACH_STR (s, list)
		seen[n++] = s;
	assert_int_equal(n, 3);
	assert_string_equal(seen[2], "c");
	KC_FOREACH_STR (s, NULL)
		fail_msg("%s", s);
	for (int c = 0; c < 256; c++)
		assert_int_equal(kc_isspace((char)c), c == ' ' || (c >= 9 && c <= 13));
	made = kc_asprintf("%d", 5);
	assert_string_equal(made, "5");
	free(made);
}

static void test_nearest(void **state)
{
	static const char *const names[] = { "--profile", "--root", "--report", "--rule",
					     "--quiet",	  "list",   "",		NULL };
	static const struct {
		const char *word, *near;
	} table[] = {
		{ "--profil", "--profile" }, { "--prfoile", "--profile" },
		{ "--rot", "--root" },	     { "--reprot", "--report" },
		{ "--roule", "--rule" },     { "lsit", "list" },
		{ "lis", "list" },	     { "ls", NULL },
		{ "--banana", NULL },	     { "", NULL },
		{ "list", "list" },	     { "x", NULL },
	};
	char longest[200];

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		const char *near = kc_nearest(table[i].word, names);

		if (!kc_streq0(near, table[i].near))
			fail_msg("%s: %s", table[i].word, near ? near : "nothing");
	}
	/* What nobody would have meant costs nothing. */
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_null(kc_nearest(longest, names));
	assert_null(kc_nearest("list", NULL));
	for (size_t n = 1; n < 70; n++) {
		const char *const one[] = { longest + sizeof(longest) - 1 - n, NULL };

		assert_true(kc_nearest(one[0], one) == (n <= 64 ? one[0] : NULL));
	}
}

/* ---- numbers ---- */

static void test_integers(void **state)
{
	static const struct {
		const char *text;
		int r;
		int64_t value;
	} table[] = {
		{ "0", 0, 0 },
		{ "-0", 0, 0 },
		{ "007", 0, 7 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "-9223372036854775808", 0, INT64_MIN },
		{ "-9223372036854775809", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "-", -EINVAL, 0 },
		{ "--1", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 ", -EINVAL, 0 },
		{ "0x10", -EINVAL, 0 },
		{ "1.0", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 },
	};
	uint64_t u;
	int64_t v;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		v = 99;
		assert_int_equal(kc_parse_i64(table[i].text, &v), table[i].r);
		assert_true(v == (table[i].r == 0 ? table[i].value : 99));
	}
	assert_int_equal(kc_parse_u64("18446744073709551615", &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(kc_parse_u64("18446744073709551616", &u), -ERANGE);
	assert_int_equal(kc_parse_u64("-1", &u), -EINVAL);
	for (int64_t n = -70000; n <= 70000; n++) {
		char text[16];

		snprintf(text, sizeof(text), "%lld", (long long)n);
		assert_int_equal(kc_parse_i64(text, &v), 0);
		assert_true(v == n);
	}
	for (int c = 0; c < 256; c++) {
		const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c | 0x20) : NULL;
		bool is = at && (c >= 'A' ? true : c >= '0' && c <= '9');

		assert_int_equal(kc_hex_digit((char)c), is ? at - digits : -1);
	}
}

static void test_units(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t value;
	} durations[] = {
		{ "2s", 0, 2000000 },	   { "500ms", 0, 500000 },
		{ "1m30s", 0, 90000000 },  { "100us", 0, 100 },
		{ "1h", 0, 3600000000u },  { "3", 0, 3000000 },
		{ "0", 0, 0 },		   { "1h1h", 0, 7200000000u },
		{ "", -EINVAL, 0 },	   { "s", -EINVAL, 0 },
		{ "1m30", -EINVAL, 0 },	   { "1 s", -EINVAL, 0 },
		{ "-1s", -EINVAL, 0 },	   { "1.5s", -EINVAL, 0 },
		{ "1d", -EINVAL, 0 },	   { "1S", -EINVAL, 0 },
		{ "18446744073709", 0, 18446744073709000000u },
		{ "18446744073710", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "5124095577h", -ERANGE, 0 },
		{ "18446744073709551615us1us", -ERANGE, 0 },
		{ "18446744073709551614us1us", 0, UINT64_MAX },
	}, sizes[] = {
		{ "100", 0, 100 },	     { "1k", 0, 1000 },
		{ "1K", 0, 1000 },	     { "4Gi", 0, 4ull << 30 },
		{ "15G", 0, 15000000000u },  { "512M", 0, 512000000 },
		{ "1Ti", 0, 1ull << 40 },    { "0", 0, 0 },
		{ "", -EINVAL, 0 },	     { "G", -EINVAL, 0 },
		{ "1GiB", -EINVAL, 0 },	     { "1g", -EINVAL, 0 },
		{ "1 G", -EINVAL, 0 },	     { "-1", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },	     { "1Mi1", -EINVAL, 0 },
		{ "16777215Ti", 0, 16777215ull << 40 },
		{ "16777216Ti", -ERANGE, 0 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, 0 },
	};
	static const char *const yes[] = { "true", "yes", "on", NULL },
				 *const no[] = { "false", "no", "off", NULL },
				 *const neither[] = { "True", "1", "0", "", "y", "yes ", NULL };
	bool b;

	for (size_t i = 0; i < KC_ARRAY_SIZE(durations); i++) {
		uint64_t v = 99;

		assert_int_equal(kc_parse_duration(durations[i].text, &v), durations[i].r);
		assert_true(v == (durations[i].r == 0 ? durations[i].value : 99));
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(sizes); i++) {
		uint64_t v = 99;

		assert_int_equal(kc_parse_size(sizes[i].text, &v), sizes[i].r);
		assert_true(v == (sizes[i].r == 0 ? sizes[i].value : 99));
	}
	KC_FOREACH_STR (s, yes)
		assert_true(kc_parse_bool(s, &b) == 0 && b);
	KC_FOREACH_STR (s, no)
		assert_true(kc_parse_bool(s, &b) == 0 && !b);
	KC_FOREACH_STR (s, neither)
		assert_int_equal(kc_parse_bool(s, &b), -EINVAL);
}

/* ---- UTF-8 ---- */

static size_t encode(uint32_t c, char *s)
{
	if (c < 0x80) {
		s[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		s[0] = (char)(0xc0 | c >> 6);
		s[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		s[0] = (char)(0xe0 | c >> 12);
		s[1] = (char)(0x80 | (c >> 6 & 0x3f));
		s[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	s[0] = (char)(0xf0 | c >> 18);
	s[1] = (char)(0x80 | (c >> 12 & 0x3f));
	s[2] = (char)(0x80 | (c >> 6 & 0x3f));
	s[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Every code point there is, and the surrogates, which are none. */
static void test_utf8_code_points(void **state)
{
	for (uint32_t c = 0; c < 0x112000; c++) {
		uint32_t got = UINT32_MAX;
		char s[4];
		size_t n = encode(c, s);
		bool valid = c <= 0x10ffff && !(c >= 0xd800 && c <= 0xdfff);

		if (kc_utf8_sequence(s, n, &got) != (valid ? n : 0) || (valid && got != c))
			fail_msg("U+%04X", (unsigned)c);
		if (n > 1 && kc_utf8_sequence(s, n - 1, &got) != 0)
			fail_msg("U+%04X cut short", (unsigned)c);
	}
	assert_int_equal(kc_utf8_sequence("", 0, &(uint32_t){ 0 }), 0);
}

/* Every sequence of one, two and three bytes: what is taken is the shortest form of its number. */
static void test_utf8_bytes(void **state)
{
	for (uint32_t i = 0; i < 1u << 24; i += i < 1u << 16 ? 1 : 7) {
		const char s[] = { (char)(i & 0xff), (char)(i >> 8 & 0xff),
				   (char)(i >> 16 & 0xff) };
		uint32_t c = 0;
		size_t n = kc_utf8_sequence(s, sizeof(s), &c);
		char again[4];

		if (n > 3 || (n > 0 && (encode(c, again) != n || memcmp(s, again, n) != 0)))
			fail_msg("%06x", (unsigned)i);
	}
}

static void test_escape(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *out;
	} table[] = {
		{ "plain", 5, "plain" },
		{ "", 0, "" },
		{ "a\nb\tc\rd", 7, "a\\nb\\tc\\rd" },
		{ "a\0b", 3, "a\\x00b" },
		{ "\033[31mred", 8, "\\x1b[31mred" },
		{ "back\\slash", 10, "back\\slash" },
		{ "gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f" },
		{ "\xff\xc3", 2, "\\xff\\xc3" },
		{ "\xc2\x9b", 2, "\\x9b" },
		{ "\xe2\x80\xae", 3, "\\u{202e}" },
		{ "\xd8\x80\xf0\x9d\x85\xb3", 6, "\\u{600}\\u{1d173}" },
		{ "\xe3\x85\xa4\xef\xb8\x8f", 6, "\\u{3164}\\u{fe0f}" },
		{ "\xef\xbb\xbf", 3, "\\u{feff}" },
		{ "\xf3\xa0\x81\x81", 4, "\\u{e0041}" },
		{ "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		kc_escape(&b, table[i].in, table[i].n);
		assert_string_equal(b.data, table[i].out);
	}
	/* Nothing comes out that a terminal would obey, whatever goes in. */
	for (uint32_t i = 0; i < 1u << 16; i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		const char s[] = { (char)(i & 0xff), (char)(i >> 8) };

		kc_escape(&b, s, sizeof(s));
		for (size_t k = 0; k < b.len;) {
			uint32_t c = 0;
			size_t n = kc_utf8_sequence(b.data + k, b.len - k, &c);

			assert_true(n > 0 && c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0));
			k += n;
		}
	}
}

static void test_columns(void **state)
{
	assert_int_equal(kc_columns(""), 0);
	assert_int_equal(kc_columns("abc"), 3);
	assert_int_equal(kc_columns("gr\xc3\xbc\xc3\x9f"), 4);
	assert_int_equal(kc_columns("\xe6\xbc\xa2"), 2);
	assert_int_equal(kc_columns("\xff"), 1);
}

/* ---- the clock, descriptors, errors ---- */

static void test_clock(void **state)
{
	uint64_t a = kc_now_usec(), b = kc_now_usec();
	char text[KC_TIME_MAX];

	assert_true(b >= a && a > 0);
	assert_true(kc_realtime_usec() > 1600000000ull * 1000000);
	kc_format_time(0, 1, text);
	assert_string_equal(text, "1970-01-01T00:00:00Z");
	kc_format_time(1769846400ull * 1000000 + 999999, 1, text);
	assert_string_equal(text, "2026-01-31T08:00:00Z");
	kc_format_time(951782400ull * 1000000, 0, text);
	assert_string_equal(text, "2000-02-29T00:00:00");
	kc_format_time(UINT64_MAX, 1, text);
	assert_true(strlen(text) < KC_TIME_MAX);
	assert_int_equal(text[strlen(text) - 1], 'Z');
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* Whatever stat(2) said of a file, what is in it is read, and no more than allowed. */
static void test_read_known(void **state)
{
	static const size_t sizes[] = { 1, 2, 4095, 4096, 100000 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(sizes); i++) {
		const uint64_t said[] = { 0,
					  1,
					  sizes[i],
					  sizes[i] - 1,
					  sizes[i] + 1,
					  sizes[i] / 2,
					  sizes[i] * 2,
					  1u << 20,
					  1u << 30,
					  UINT64_MAX / 2 };

		for (size_t k = 0; k < 2 * KC_ARRAY_SIZE(said); k++) {
			kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
			kc_cleanup(kc_fclosep) FILE *f = tmpfile();
			size_t max = k % 2 ? sizes[i] - 1 : sizes[i];

			assert_non_null(f);
			assert_int_equal(ftruncate(fileno(f), (off_t)sizes[i]), 0);
			assert_int_equal(kc_read_known(fileno(f), said[k / 2], max, &b),
					 k % 2 ? -EFBIG : 0);
			if (k % 2 == 0)
				assert_int_equal(b.len, sizes[i]);
		}
	}
}

static void test_read_all(void **state)
{
	static const size_t sizes[] = { 0, 1, 16383, 16384, 16385, 200000 };
	kc_cleanup(kc_buf_done) struct kc_buf nothing = { 0 };
	int pipes[2];

	for (size_t i = 0; i < KC_ARRAY_SIZE(sizes); i++) {
		const size_t limits[] = { sizes[i], sizes[i] + 1, SIZE_MAX, sizes[i] - 1 };

		for (size_t k = 0; k < KC_ARRAY_SIZE(limits); k++) {
			kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
			kc_cleanup(kc_fclosep) FILE *f = tmpfile();
			bool fits = limits[k] >= sizes[i];

			assert_non_null(f);
			if (sizes[i] == 0 && k == 3)
				continue;
			assert_int_equal(ftruncate(fileno(f), (off_t)sizes[i]), 0);
			assert_int_equal(kc_read_all(fileno(f), limits[k], &b), fits ? 0 : -EFBIG);
			if (fits) {
				assert_int_equal(b.len, sizes[i]);
				assert_int_equal(b.data[b.len], 0);
			}
		}
	}
	assert_int_equal(kc_read_all(-1, 10, &nothing), -EBADF);
	assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
	assert_int_equal(kc_read_all(pipes[0], 10, &nothing), -EAGAIN);
	close(pipes[0]);
	close(pipes[1]);
}

/* Into a full pipe that does not wait, with signals coming in between. */
static void test_write_all(void **state)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	static char data[500000];
	struct sigaction old;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
	assert_int_equal(pipe2(pipes, O_NONBLOCK), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		close(pipes[1]);
		(void)fcntl(pipes[0], F_SETFL, 0);
		for (unsigned i = 0; i < 20; i++) {
			(void)usleep(1000);
			(void)kill(getppid(), SIGUSR1);
		}
		if (kc_read_all(pipes[0], sizeof(data), &b) < 0 || b.len != sizeof(data))
			_exit(1);
		kc_buf_done(&b);
		_exit(0);
	}
	close(pipes[0]);
	assert_int_equal(kc_write_all(pipes[1], data, sizeof(data)), 0);
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(kc_write_all(-1, data, 1), -EBADF);
	assert_int_equal(kc_write_all(-1, data, 0), 0);
	(void)sigaction(SIGUSR1, &old, NULL);
}

static void test_close(void **state)
{
	int fd = dup(0), taken = fd;

	errno = EXDEV;
	assert_int_equal(kc_close(-EBADF), -EBADF);
	assert_int_equal(kc_close(fd), -EBADF);
	assert_int_equal(kc_close(fd), -EBADF);
	assert_int_equal(errno, EXDEV);
	fd = TAKE_FD(taken);
	assert_int_equal(taken, -EBADF);
	assert_true(fd >= 0);
}

static void test_err(void **state)
{
	struct kc_err err = { 0 };
	char long_text[3000];

	assert_int_equal(kc_err_set(NULL, -EIO, "%s", "nobody listens"), -EIO);
	assert_int_equal(kc_err_set(&err, -ENOENT, "%s: %d", "/etc/x", 7), -ENOENT);
	assert_int_equal(err.code, -ENOENT);
	assert_string_equal(err.text, "/etc/x: 7");
	assert_int_equal(kc_err_prefix(&err, "plugin %s", "p"), -ENOENT);
	assert_string_equal(err.text, "plugin p: /etc/x: 7");
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = 0;
	assert_int_equal(kc_err_set(&err, -E2BIG, "%s", long_text), -E2BIG);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	(void)kc_err_prefix(&err, "%s", "why");
	assert_non_null(kc_after_prefix(err.text, "why: xxx"));
	assert_true(strlen(err.text) < sizeof(err.text));
	(void)kc_err_prefix(&err, "%s", long_text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_string_equal(kc_strerror(ENOENT), "No such file or directory");
	assert_string_equal(kc_strerror(-ENOENT), "No such file or directory");
	assert_string_equal(kc_strerror(100000), "unknown error");
	for (int i = -4095; i <= 4095; i++)
		assert_non_null(kc_strerror(i));
}

static void test_hash(void **state)
{
	/* From the authors' own list of FNV-1a. */
	assert_int_equal(kc_hash("", 0), 0x811c9dc5u);
	assert_int_equal(kc_hash("a", 1), 0xe40c292cu);
	assert_int_equal(kc_hash("foobar", 6), 0xbf9cf968u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena),
		cmocka_unit_test(test_arena_limit),
		cmocka_unit_test(test_arena_overflow),
		cmocka_unit_test(test_arena_grow),
		cmocka_unit_test(test_arena_texts),
		cmocka_unit_test(test_buf),
		cmocka_unit_test(test_buf_failed),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_nearest),
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_utf8_code_points),
		cmocka_unit_test(test_utf8_bytes),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_read_known),
		cmocka_unit_test(test_read_all),
		cmocka_unit_test(test_write_all),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
