/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/yaml.h"

static const struct kc_yaml_node *parse(struct kc_arena *arena, const char *text, unsigned flags)
{
	const struct kc_yaml_node *node = NULL;
	struct kc_err err = { 0 };
	int r = kc_yaml_parse("f", text, strlen(text), flags, arena, &err, &node);

	if (r < 0)
		fail_msg("%s", err.text);
	return node;
}

static void expect_place(const struct kc_yaml_node *node, unsigned line, unsigned column)
{
	assert_int_equal(node->line, line);
	assert_int_equal(node->column, column);
}

static void test_tree(void **state)
{
	static const char text[] = "# first\n"
				   "title: \"T\xc3\xa4\"\n"
				   "list:\n"
				   "  - one\n"
				   "  - {k: v, n: ~}\n"
				   "empty: []\n"
				   "none:\n"
				   "block: |\n"
				   "  a\n"
				   "  b\n";
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_yaml_node *root = parse(&arena, text, 0), *list, *map, *node;

	assert_int_equal(root->type, KC_YAML_MAPPING);
	assert_int_equal(root->n, 5);
	expect_place(root, 2, 1);
	expect_place(root->pair[1].key, 3, 1);
	node = kc_yaml_get(root, "title");
	assert_string_equal(node->scalar, "T\xc3\xa4");
	assert_int_equal(node->n, 3);
	assert_false(node->plain);
	expect_place(node, 2, 8);
	list = kc_yaml_get(root, "list");
	assert_int_equal(list->type, KC_YAML_SEQUENCE);
	assert_int_equal(list->n, 2);
	assert_string_equal(list->item[0]->scalar, "one");
	assert_true(list->item[0]->plain);
	expect_place(list->item[0], 4, 5);
	map = list->item[1];
	assert_string_equal(kc_yaml_get(map, "k")->scalar, "v");
	assert_true(kc_yaml_is_null(kc_yaml_get(map, "n")));
	assert_null(kc_yaml_get(map, "x"));
	assert_null(kc_yaml_get(list, "k"));
	assert_int_equal(kc_yaml_get(root, "empty")->n, 0);
	assert_true(kc_yaml_is_null(kc_yaml_get(root, "none")));
	assert_string_equal(kc_yaml_get(root, "block")->scalar, "a\nb\n");
	assert_string_equal(kc_yaml_type_name(root), "a mapping");
	assert_string_equal(kc_yaml_type_name(list), "a list");
	assert_string_equal(kc_yaml_type_name(node), "text");
}

static void test_null(void **state)
{
	static const struct {
		const char *text;
		bool null;
	} table[] = {
		{ "[~]", true },	 { "[null]", true }, { "[Null]", true }, { "[NULL]", true },
		{ "['']", false },	 { "['~']", false }, { "[nul]", false }, { "[0]", false },
		{ "[\"null\"]", false }, { "[[]]", false },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };

		assert_int_equal(kc_yaml_is_null(parse(&arena, table[i].text, 0)->item[0]),
				 table[i].null);
	}
}

static void test_empty(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# only this\n", "---\n", "\xef\xbb\xbf" };

	for (size_t i = 0; i < KC_ARRAY_SIZE(texts); i++) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };

		assert_null(parse(&arena, texts[i], 0));
	}
}

static void test_byte_order_mark(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_yaml_node *root = parse(&arena,
						"\xef\xbb\xbf"
						"a: 1\n",
						0);

	assert_string_equal(root->pair[0].key->scalar, "a");
	expect_place(root->pair[0].key, 1, 1);
}

static void expect_refused(const char *text, size_t size, unsigned flags, const char *message)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	static const struct kc_yaml_node untouched;
	const struct kc_yaml_node *node = &untouched;
	struct kc_err err = { 0 };

	assert_int_equal(kc_yaml_parse("f", text, size, flags, &arena, &err, &node), -EINVAL);
	assert_ptr_equal(node, &untouched);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, message);
	/* Nobody has to ask for the sentence. */
	if (size < 1000)
		assert_int_equal(kc_yaml_parse("f", text, size, flags, &arena, NULL, &node),
				 -EINVAL);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
		unsigned flags;
	} table[] = {
		{ "a: 1\nb: 2\na: 3\n", "f:3:1: the key 'a' stands here twice, first in line 1",
		  0 },
		{ "a: &x 1\nb: *x\n", "f:2:4: aliases (*x) are not supported", 0 },
		{ "a: !!str 1\n",
		  "f:1:4: tags are not supported; text that begins with ! stands in quotes", 0 },
		{ "a: !=b\n",
		  "f:1:4: tags are not supported; text that begins with ! stands in quotes", 0 },
		{ "a: !x [1]\n",
		  "f:1:4: tags are not supported; text that begins with ! stands in quotes", 0 },
		{ "a: !x {b: 1}\n",
		  "f:1:4: tags are not supported; text that begins with ! stands in quotes", 0 },
		{ "? [a]\n: 1\n", "f:1:3: a key must be text, this is a list", 0 },
		{ "? {a: 1}\n: 1\n", "f:1:3: a key must be text, this is a mapping", 0 },
		{ "a: 1\n---\nb: 2\n",
		  "f:2:1: a second document begins here, and one is all that is read", 0 },
		{ "a: \"\\0\"\n", "f:1:4: a NUL byte cannot stand in text", 0 },
		{ "a: 1\nb: \xff\n", "f:2:4: this is not UTF-8 text, or a control character", 0 },
		{ "\xff\xfe"
		  "a\0",
		  "f:1:1: this is not UTF-8 text, or a control character", 0 },
		{ "\xc3\xa4: \x01\n", "f:1:4: this is not UTF-8 text, or a control character", 0 },
		{ "a: >=1.2\n",
		  "f:1:5: did not find expected comment or line break; text that begins with > or "
		  "| stands "
		  "in quotes",
		  0 },
		{ "a: [1,\nb: 2\n",
		  "f:3:1: did not find expected ',' or ']', while parsing a flow sequence that "
		  "begins in line "
		  "1",
		  0 },
		{ "a: b: c\n", "f:1:5: mapping values are not allowed in this context", 0 },
		{ "\"\\e[2J\": 1\n\"\\e[2J\": 1\n",
		  "f:2:1: the key '\\x1b[2J' stands here twice, first in line 1", 0 },
		{ "a: *x\n", "f:1:4: there is no anchor &x before this alias", KC_YAML_ALIASES },
		{ "a: &x [*x]\n", "f:1:8: the alias *x stands within its own anchor",
		  KC_YAML_ALIASES },
		{ "a: &x [1]\n*x : 1\n", "f:1:4: a key must be text, this is a list",
		  KC_YAML_ALIASES },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++)
		expect_refused(table[i].text, strlen(table[i].text), table[i].flags,
			       table[i].message);
	expect_refused("a\0b", 3, 0, "f:1:2: this is not UTF-8 text, or a control character");
}

static void test_aliases(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_yaml_node *root =
		parse(&arena, "a: &x [1, 2]\nb: *x\nc: &x t\n*x : *x\n", KC_YAML_ALIASES);

	assert_ptr_equal(kc_yaml_get(root, "a"), kc_yaml_get(root, "b"));
	assert_string_equal(kc_yaml_get(root, "t")->scalar, "t");
}

static void test_duplicates_accepted(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const struct kc_yaml_node *root = parse(&arena, "a: 1\na: 2\n", KC_YAML_DUPLICATES);

	assert_int_equal(root->n, 2);
	assert_string_equal(kc_yaml_get(root, "a")->scalar, "2");
}

/* A mapping too long for comparing each with each. */
static void test_many_keys(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };

	for (int i = 0; i < 1000; i++)
		kc_buf_addf(&b, "key-%d: %d\n", i, i);
	assert_int_equal(kc_buf_error(&b), 0);
	assert_int_equal(parse(&arena, b.data, 0)->n, 1000);
	kc_buf_adds(&b, "key-7: again\n");
	expect_refused(b.data, b.len, 0,
		       "f:1001:1: the key 'key-7' stands here twice, first in line 8");
}

static void add_times(struct kc_buf *b, const char *s, int n)
{
	while (n-- > 0)
		kc_buf_adds(b, s);
}

static void test_depth(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };

	add_times(&b, "[", 64);
	add_times(&b, "]", 64);
	assert_non_null(parse(&arena, b.data, 0));
	kc_buf_reset(&b);
	add_times(&b, "[", 65);
	expect_refused(b.data, b.len, 0, "f:1:65: lists and mappings are nested more than 64 deep");
	kc_buf_reset(&b);
	add_times(&b, "[", 1000000);
	expect_refused(b.data, b.len, 0, "f:1:65: lists and mappings are nested more than 64 deep");
	/* 40 levels in an alias below 40 levels. */
	kc_buf_reset(&b);
	kc_buf_adds(&b, "a: &x ");
	add_times(&b, "[", 40);
	add_times(&b, "]", 40);
	kc_buf_adds(&b, "\nb: ");
	add_times(&b, "[", 40);
	kc_buf_adds(&b, "*x");
	expect_refused(b.data, b.len, KC_YAML_ALIASES,
		       "f:2:44: lists and mappings are nested more than 64 deep");
}

static void test_size(void **state)
{
	static const size_t limit = 16 * 1024 * 1024;
	char *text = malloc(limit + 1);

	assert_non_null(text);
	memset(text, '#', limit + 1);
	expect_refused(text, limit + 1, 0, "f:1:1: this is larger than 16 MiB");
	free(text);
}

static void test_nodes(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	/* Nine to the seventh, each of them counted, in a few lines. */
	kc_buf_adds(&b, "a0: &a0 [1,2,3,4,5,6,7,8,9]\n");
	for (int i = 1; i < 9; i++) {
		kc_buf_addf(&b, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			kc_buf_addf(&b, "%s*a%d", j ? "," : "", i - 1);
		kc_buf_adds(&b, "]\n");
	}
	expect_refused(b.data, b.len, KC_YAML_ALIASES, "f:7:18: there are more than 2000000 nodes");
	kc_buf_reset(&b);
	kc_buf_adds(&b, "[");
	add_times(&b, "a,", 2000001);
	expect_refused(b.data, b.len, 0, "f:1:4000000: there are more than 2000000 nodes");
}

/* Texts that repeat are kept once, and may outlive the nodes. */
static void test_texts_apart(void **state)
{
	static const char text[] = "- name\n- name\n- other\n";
	kc_cleanup(kc_arena_done) struct kc_arena nodes = { 0 }, texts = { 0 };
	const struct kc_yaml_node *root = NULL;
	const char *name;

	assert_int_equal(
		kc_yaml_parse_apart("f", text, strlen(text), 0, &nodes, &texts, NULL, &root), 0);
	name = root->item[0]->scalar;
	assert_ptr_equal(name, root->item[1]->scalar);
	assert_true(texts.used <= 16);
	kc_arena_done(&nodes);
	assert_string_equal(name, "name");
}

static void test_no_memory(void **state)
{
	static const char text[] = "a: [1, 2, 3]\nb: some text that is longer\n";

	for (size_t limit = 8; limit < 4096; limit += 8) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = limit };
		const struct kc_yaml_node *root = NULL;
		struct kc_err err = { 0 };
		int r = kc_yaml_parse("f", text, strlen(text), 0, &arena, &err, &root);

		if (r == 0) {
			assert_true(limit > 64);
			return;
		}
		assert_int_equal(r, -ENOMEM);
		assert_string_equal(err.text, "f: Cannot allocate memory");
	}
	fail_msg("it needs more than 4 KiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_null),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_byte_order_mark),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_duplicates_accepted),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_texts_apart),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
