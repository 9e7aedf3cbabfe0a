/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "formats/ini.h"

/* On the heap at its exact size, so that a look behind the end is seen. */
static int parse(struct kc_arena *arena, const char *text, size_t size, struct kc_ini *ini)
{
	kc_cleanup(kc_freep) char *copy = malloc(KC_MAX(size, (size_t)1));

	assert_non_null(copy);
	if (size)
		memcpy(copy, text, size);
	return kc_ini_parse(copy, size, arena, ini);
}

static const char *value(const struct kc_ini *ini, const char *section, const char *key)
{
	const struct kc_ini_setting *setting = kc_ini_get(ini, section, key);

	return setting ? setting->value : "(none)";
}

static void test_settings(void **state)
{
	static const char text[] = "\xef\xbb\xbf# c\n"
				   "early = 1\n"
				   "[main] ; c\n"
				   "a=b=c \r\n"
				   " ; no comment, as it is indented\n"
				   "\n"
				   "# one that is\n"
				   "\tmore\n"
				   "A = \n"
				   "colon : x\n"
				   "[empty]\n"
				   "  [indented]\n"
				   "k=1\n"
				   "[main]\n"
				   "a=last";
	struct kc_arena arena = { 0 };
	struct kc_ini ini;

	assert_int_equal(parse(&arena, text, sizeof(text) - 1, &ini), 0);
	assert_int_equal(ini.bad_line, 0);
	assert_int_equal(ini.n, 6);
	assert_string_equal(value(&ini, "", "early"), "1");
	assert_string_equal(ini.item[1].value, "b=c\n; no comment, as it is indented\nmore");
	assert_int_equal(ini.item[1].line, 4);
	assert_string_equal(value(&ini, "main", "A"), "");
	assert_string_equal(value(&ini, "main", "colon"), "x");
	assert_true(kc_ini_get(&ini, "main", "colon")->colon);
	assert_false(kc_ini_get(&ini, "main", "a")->colon);
	assert_string_equal(value(&ini, "main", "a"), "last");
	assert_string_equal(value(&ini, "indented", "k"), "1");
	assert_string_equal(value(&ini, "empty", "k"), "(none)");
	assert_int_equal(ini.n_sections, 3);
	assert_int_equal(ini.section[0].line, 3);
	assert_true(kc_ini_has_section(&ini, "empty"));
	assert_false(kc_ini_has_section(&ini, "mai"));
	kc_arena_done(&arena);
}

static void hold_fault(const char *text, unsigned line, const char *fault)
{
	struct kc_arena arena = { 0 };
	struct kc_ini ini;

	assert_int_equal(parse(&arena, text, strlen(text), &ini), 0);
	assert_int_equal(ini.bad_line, line);
	assert_string_equal(ini.fault, fault);
	/* What follows is read all the same. */
	assert_string_equal(value(&ini, "z", "k"), "v");
	kc_arena_done(&arena);
}

static void test_faults(void **state)
{
	hold_fault("[a\n[b\n[z]\nk=v\n", 1, "a section without its \"]\"");
	hold_fault("\n[]\n[z]\nk=v\n", 2, "a section without a name");
	hold_fault("[z] x\nk=v\n", 1, "text behind a section");
	hold_fault("[z]\nk=v\nword\n", 3, "neither a section nor KEY=VALUE");
	hold_fault("[z]\n=x\nk=v\n", 2, "a value without a key");
	hold_fault("[z]\n  x=1\nk=v\n", 2, "a continuation of nothing");
}

static void test_bounds(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct kc_arena arena = { 0 };
	struct kc_ini ini = { 0 };

	assert_int_equal(parse(&arena, "", 0, &ini), 0);
	assert_int_equal(ini.n, 0);
	assert_int_equal(parse(&arena, "a=\0", 3, &ini), -EBADMSG);
	for (unsigned i = 0; i < 16384; i++)
		kc_buf_adds(&text, "a=1\n");
	assert_int_equal(parse(&arena, text.data, text.len, &ini), 0);
	assert_int_equal(ini.n, 16384);
	kc_buf_adds(&text, "a=1\n");
	assert_int_equal(parse(&arena, text.data, text.len, &ini), -EFBIG);
	kc_buf_reset(&text);
	for (unsigned i = 0; i <= 1024; i++)
		kc_buf_addf(&text, "[%u]\n", i);
	assert_int_equal(parse(&arena, text.data, text.len, &ini), -EFBIG);
	while (text.len <= 1 << 20)
		kc_buf_adds(&text, "# comment\n");
	assert_int_equal(parse(&arena, text.data, text.len, &ini), -EFBIG);
	kc_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
