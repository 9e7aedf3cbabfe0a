/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "sysctl/compare.h"
#include "sysctl/settings.h"
#include "sysctl/sysctl-edit.h"

static void test_normalize(void **state)
{
	static const char *const table[][2] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
		{ "net.ipv4.conf.eth0/1.x", "net/ipv4/conf/eth0.1/x" },
		{ "net/ipv4/conf/eth0.1/x", "net/ipv4/conf/eth0.1/x" },
		{ "//net///ipv4/./x//", "net/ipv4/x" },
		{ "net..ipv4", "net/ipv4" },
		{ "single", "single" },
		{ "..", "" },
		{ "/", "" },
		{ ".", "" },
		{ "", "" },
		{ "a/../b", "a/../b" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		char key[64];

		snprintf(key, sizeof(key), "%s", table[i][0]);
		sysctl_normalize(key);
		assert_string_equal(key, table[i][1]);
	}
	assert_true(sysctl_key_valid("net/ipv4/ip_forward"));
	assert_true(sysctl_key_valid("net/ipv4/conf/eth0.1/x"));
	assert_false(sysctl_key_valid(""));
	assert_false(sysctl_key_valid("a/../b"));
	assert_false(sysctl_key_valid(".."));
	assert_false(sysctl_key_valid("a//b"));
}

static void parse(struct kc_arena *arena, const char *text, size_t size, struct sysctl_lines *lines)
{
	assert_int_equal(sysctl_file_parse("/f", text, size, arena, lines), 0);
}

static void test_parse(void **state)
{
	static const char text[] =
		"# comment\n; other\n\n  kernel.panic = 10  \n-net.a=1\n-net.b\nnot one\n"
		"c.d=x = y\r\ne.f=\rg.*.h=2\0i.j=3\n=5\n-\n";
	static const struct sysctl_line want[] = {
		{ .line = 4, .key = "kernel/panic", .value = "10" },
		{ .line = 5, .key = "net/a", .value = "1" },
		{ .line = 6, .key = "net/b" },
		{ .line = 7, .key = "not", .ignored = true },
		{ .line = 8, .key = "c/d", .value = "x = y" },
		{ .line = 9, .key = "e/f", .value = "" },
		{ .line = 10, .key = "g/*/h", .value = "2", .glob = true },
		{ .line = 11, .key = "i/j", .value = "3" },
		{ .line = 12, .key = "", .value = "5" },
		{ .line = 13, .key = "" },
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct sysctl_lines lines = { 0 };

	parse(&arena, text, sizeof(text) - 1, &lines);
	assert_int_equal(lines.n, KC_ARRAY_SIZE(want));
	for (size_t i = 0; i < lines.n; i++) {
		const struct sysctl_line *l = lines.item + i;

		assert_string_equal(l->key, want[i].key);
		assert_true(kc_streq0(l->value, want[i].value));
		assert_int_equal(l->line, want[i].line);
		assert_int_equal(l->ignored, want[i].ignored);
		assert_int_equal(l->glob, want[i].glob);
	}
}

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *path;
		bool matches;
	} table[] = {
		{ "a/*/c", "a/b/c", true },
		{ "a/*/c", "a/b/b/c", false },
		{ "*", "abc", true },
		{ "*", "a/b", false },
		{ "*/*", "a/b", true },
		{ "a*c", "abbbc", true },
		{ "a*b*c", "aXbYbZc", true },
		{ "a*b*c", "aXc", false },
		{ "a?c", "abc", true },
		{ "a?c", "a/c", false },
		{ "[a-c]x", "bx", true },
		{ "[!a-c]x", "bx", false },
		{ "[^a-c]x", "dx", true },
		{ "[]a]x", "]x", true },
		{ "[ab", "[ab", true },
		{ "[a/b]", "a", false },
		{ "\\*", "*", true },
		{ "\\*", "a", false },
		{ "a/*", "a/", true },
		{ "", "", true },
		{ "*a*a*a*a*b", "aaaaaaaaaaaa", false },
		{ "e*/x*", "eth0/xyz", true },
		{ "e*/x", "eth0/y/x", false },
		{ "**", "ab", true },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		if (sysctl_pattern_matches(table[i].pattern, table[i].path) != table[i].matches)
			fail_msg("%s %s", table[i].pattern, table[i].path);
	}
}

static void test_expand(void **state)
{
	static const char *const table[][5] = {
		{ "a*", "a*" },
		{ "{a,b}*", "a*", "b*" },
		{ "x{a,{b,c}d}*", "xa*", "xcd*", "xbd*" },
		{ "{}*", "{}*" },
		{ "{a*", "{a*" },
		{ "a}*", "a}*" },
		{ "{a}*", "a*" },
		{ "{,a}*", "*", "a*" },
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *const *list;

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		size_t want = kc_strv_len(table[i] + 1);

		assert_int_equal(sysctl_pattern_expand(table[i][0], &arena, &list), 0);
		assert_int_equal(kc_strv_len(list), want);
		for (size_t k = 0; k < want; k++)
			assert_true(kc_strv_has(list, table[i][k + 1]));
	}
	assert_int_equal(sysctl_pattern_expand("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*", &arena, &list),
			 0);
	assert_int_equal(kc_strv_len(list), 64);
	assert_int_equal(
		sysctl_pattern_expand("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*", &arena, &list),
		-E2BIG);
}

/* The last value of a key for a reader; the part behind "---" is /etc/sysctl.conf. */
static const char *value_of(struct kc_arena *arena, const char *text, enum sysctl_reader reader,
			    const char *key)
{
	struct sysctl_settings s = { 0 };
	struct sysctl_winner w;
	const char *conf = strstr(text, "---\n");
	size_t n = conf ? (size_t)(conf - text) : strlen(text);

	parse(arena, text, n, &s.lines);
	s.n_systemd = s.lines.n;
	if (conf)
		parse(arena, conf + 4, strlen(conf + 4), &s.lines);
	assert_int_equal(sysctl_settings_index(&s, arena), 0);
	sysctl_settings_find(&s, reader, key, &w);
	return w.line ? w.line->value : w.excluded ? "excluded" : "unset";
}

static void test_settings(void **state)
{
	static const struct {
		const char *text, *systemd, *procps;
	} table[] = {
		{ "", "unset", "unset" },
		{ "a.b=1\na.b=2\n", "2", "2" },
		{ "a.b=1\n---\na.b=2\n", "1", "2" },
		{ "a.*=1\na.b=2\na.*=3\n", "2", "2" },
		{ "a.*=1\n*.b=2\n", "2", "2" },
		{ "a/*=1\n*/b=2\n", "2", "2" },
		{ "a/*=1\n*/b=2\na/*=1\n", "2", "1" },
		{ "a/*=1\n*/b=2\na/*=3\n", "3", "3" },
		{ "a/*=1\n-a/b\n", "excluded", "excluded" },
		{ "a.b=1\n-a.b\n", "excluded", "1" },
		{ "-a.b\na.b=1\n", "1", "1" },
		{ "a/*=1\n-a/*\n", "unset", "1" },
		{ "{a,c}/*=1\n", "1", "unset" },
		{ "a.b 1\n", "unset", "unset" },
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		const char *text = table[i].text;

		if (!kc_streq(value_of(&arena, text, SYSCTL_SYSTEMD, "a/b"), table[i].systemd))
			fail_msg("systemd: %s", text);
		if (!kc_streq(value_of(&arena, text, SYSCTL_PROCPS, "a/b"), table[i].procps))
			fail_msg("procps: %s", text);
	}
}

/* A hundred thousand lines, and as many questions: by a table, not by a walk. */
static void test_many(void **state)
{
	enum {
		LINES = 100000
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct sysctl_settings s = { 0 };
	struct sysctl_winner w;
	clock_t from = clock();
	char key[32];

	for (unsigned i = 0; i < LINES; i++)
		kc_buf_addf(&b, "k.n%u = %u\nk.same = %u\n", i, i, i);
	parse(&arena, b.data, b.len, &s.lines);
	s.n_systemd = s.lines.n;
	assert_int_equal(sysctl_settings_index(&s, &arena), 0);
	for (unsigned i = 0; i < LINES; i++) {
		snprintf(key, sizeof(key), "k/n%u", i);
		sysctl_settings_find(&s, SYSCTL_SYSTEMD, key, &w);
		assert_int_equal(w.line->line, 2 * i + 1);
		sysctl_settings_find(&s, SYSCTL_SYSTEMD, "k/same", &w);
		assert_int_equal(w.line->line, 2 * LINES);
	}
	assert_true((double)(clock() - from) / CLOCKS_PER_SEC < 3);
}

static void test_bounds(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct sysctl_settings s = { 0 };

	for (unsigned i = 0; i < 1025; i++)
		kc_buf_addf(&b, "k.%u* = 1\n", i);
	parse(&arena, b.data, b.len, &s.lines);
	assert_int_equal(sysctl_settings_index(&s, &arena), -E2BIG);
	kc_buf_reset(&b);
	s = (struct sysctl_settings){ 0 };
	for (unsigned i = 0; i <= SYSCTL_LINES_MAX; i++)
		kc_buf_adds(&b, "a=1\n");
	assert_int_equal(sysctl_file_parse("/f", b.data, b.len, &arena, &s.lines), -E2BIG);
}

static void test_compare(void **state)
{
	static const struct {
		enum sysctl_compare compare;
		const char *want, *value;
		int result;
	} table[] = {
		{ SYSCTL_EQUAL, "1", "1", 1 },
		{ SYSCTL_EQUAL, "1", "01", 0 },
		{ SYSCTL_EQUAL, "1", "+1", 0 },
		{ SYSCTL_EQUAL, "1", "0", 0 },
		{ SYSCTL_EQUAL, "-1", "-1", 1 },
		{ SYSCTL_EQUAL, "-0", "0", 1 },
		{ SYSCTL_EQUAL, "32768 60999", " 32768\t60999 ", 1 },
		{ SYSCTL_EQUAL, "32768 60999", "32768", 0 },
		{ SYSCTL_EQUAL, "a b", "a  b", 1 },
		{ SYSCTL_EQUAL, "a b", "ab", 0 },
		{ SYSCTL_EQUAL, "", "", 1 },
		{ SYSCTL_EQUAL, "1", "", 0 },
		{ SYSCTL_EQUAL, "18446744073709551615", "18446744073709551615", 1 },
		{ SYSCTL_AT_LEAST, "18446744073709551615", "18446744073709551614", 0 },
		{ SYSCTL_AT_LEAST, "10", "9", 0 },
		{ SYSCTL_AT_LEAST, "10", "10", 1 },
		{ SYSCTL_AT_LEAST, "-5", "-6", 0 },
		{ SYSCTL_AT_LEAST, "-5", "0", 1 },
		{ SYSCTL_AT_LEAST, "1 2 3", "1 2 2", 0 },
		{ SYSCTL_AT_LEAST, "1 2 3", "9 2 3", 1 },
		{ SYSCTL_AT_LEAST, "1 2", "1", -EINVAL },
		{ SYSCTL_AT_LEAST, "1", "x", -EINVAL },
		{ SYSCTL_AT_LEAST, "1", "1x", -EINVAL },
		{ SYSCTL_AT_LEAST, "1", "18446744073709551616", -EINVAL },
		{ SYSCTL_AT_MOST, "10", "11", 0 },
		{ SYSCTL_AT_MOST, "10", "10", 1 },
		{ SYSCTL_AT_MOST, "10", "", -EINVAL },
	};
	static const char *const values[] = { "10", "60", NULL };
	const struct sysctl_want one_of = { .compare = SYSCTL_ONE_OF, .values = { 2, values } };

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		const struct sysctl_want want = { .compare = table[i].compare,
						  .value = table[i].want };

		if (sysctl_compare(&want, table[i].value) != table[i].result)
			fail_msg("row %zu", i);
	}
	assert_int_equal(sysctl_compare(&one_of, "60"), 1);
	assert_int_equal(sysctl_compare(&one_of, "5"), 0);
}

/* As a kernel answers to the same writes; NULL where it takes the text as it is, or refuses it. */
static void test_taken(void **state)
{
	static const char *const table[][2] = {
		{ "1", NULL },	   { "010", "8" },
		{ "-010", "-8" },  { "0x1", "1" },
		{ "0Xff", "255" }, { "00", "0" },
		{ "-0x0", "0" },   { "0", NULL },
		{ "08", NULL },	   { "0x", NULL },
		{ "+1", NULL },	   { "1;", NULL },
		{ "1 # on", "1" }, { "32768 60999 ; ports", "32768 60999" },
		{ "# on", NULL },  { "core # x", NULL },
		{ "1 on", NULL },  { "0x10000000000000000", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		bool taken = sysctl_taken(table[i][0], &b);

		assert_int_equal(kc_buf_error(&b), 0);
		if (taken != (table[i][1] != NULL) || !kc_streq0(b.data, table[i][1]))
			fail_msg("row %zu", i);
	}
}

static const struct sysctl_edit forwarding[] = {
	{ "net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding", "net.ipv4.ip_forward", "1" },
	{ "vm/swappiness", NULL, "vm.swappiness", "0" },
};

static void test_edit(void **state)
{
	static const struct {
		const char *before, *after;
		size_t n;
	} cases[] = {
		{ "", "net.ipv4.ip_forward = 1\nvm.swappiness = 0\n", 2 },
		{ "# a", "# a\nnet.ipv4.ip_forward = 1\n", 1 },
		{ "net.ipv4.ip_forward = 0",
		  KC_MARK "net.ipv4.ip_forward = 0\nnet.ipv4.ip_forward = 1\n", 1 },
		{ "  -net/ipv4/ip_forward=0 \r\nx = 1\n",
		  KC_MARK "  -net/ipv4/ip_forward=0 \r\nnet.ipv4.ip_forward = 1\nx = 1\n", 1 },
		/* the last one counts, under whichever name */
		{ "net.ipv4.ip_forward=0\nnet.ipv4.conf.all.forwarding=0\n",
		  "net.ipv4.ip_forward=0\n" KC_MARK
		  "net.ipv4.conf.all.forwarding=0\nnet.ipv4.ip_forward = 1\n",
		  1 },
		/* comments, patterns and what is no assignment set nothing */
		{ "#net.ipv4.ip_forward=0\nnet.ipv4.ip_forw*=0\nnet.ipv4.ip_forward 0\n"
		  "-net.ipv4.ip_forward\n",
		  "#net.ipv4.ip_forward=0\nnet.ipv4.ip_forw*=0\nnet.ipv4.ip_forward 0\n"
		  "-net.ipv4.ip_forward\nnet.ipv4.ip_forward = 1\n",
		  1 },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

		assert_int_equal(sysctl_edit_text(cases[i].before, strlen(cases[i].before),
						  forwarding, cases[i].n, &out),
				 0);
		assert_string_equal(out.data, cases[i].after);
	}
}

static void test_edit_odd(void **state)
{
	static const char *const texts[] = { "a=1\rb=2\n", "a=1\r", NULL };
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	KC_FOREACH_STR (text, texts)
		assert_int_equal(sysctl_edit_text(text, strlen(text), forwarding, 1, &out),
				 -ENOTSUP);
	assert_int_equal(sysctl_edit_text("a\0b", 3, forwarding, 1, &out), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_normalize), cmocka_unit_test(test_parse),
		cmocka_unit_test(test_patterns),  cmocka_unit_test(test_expand),
		cmocka_unit_test(test_settings),  cmocka_unit_test(test_many),
		cmocka_unit_test(test_bounds),	  cmocka_unit_test(test_compare),
		cmocka_unit_test(test_taken),	  cmocka_unit_test(test_edit),
		cmocka_unit_test(test_edit_odd),
	};

	return cmocka_run_group_tests_name("sysctl-files", tests, NULL, NULL);
}
