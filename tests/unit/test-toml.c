/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/fdio.h"
#include "formats/toml.h"

static int parse_n(const char *text, size_t size, struct kc_arena *arena, struct kc_err *err,
		   const struct kc_toml_node **ret)
{
	return kc_toml_parse("a.toml", text, size, arena, err, ret);
}

static const struct kc_toml_node *parse_ok(const char *text, struct kc_arena *arena)
{
	const struct kc_toml_node *root = NULL;
	struct kc_err err = { 0 };

	if (parse_n(text, strlen(text), arena, &err, &root) < 0)
		fail_msg("%s", err.text);
	return root;
}

/* Parsing must be refused with the code, and with a message that begins and goes on as given. */
static void parse_refused(const char *text, size_t size, int code, const char *place,
			  const char *what)
{
	const struct kc_toml_node *root = NULL;
	struct kc_arena arena = { 0 };
	struct kc_err err = { 0 };

	assert_int_equal(parse_n(text, size, &arena, &err, &root), code);
	assert_null(root);
	if (!kc_after_prefix(err.text, place) || !strstr(err.text, what))
		fail_msg("\"%s\" is not \"%s … %s\"", err.text, place, what);
	kc_arena_done(&arena);
}

static void types_and_places(void **state)
{
	static const char text[] = "top = \"a\\tb\"\n"
				   "n = -42\nf = 1.5\nb = true\nd = 2020-01-02\n"
				   "l = [ 'x',\n  'y' ]\r\n"
				   "[one.two]\n"
				   "key = '''raw\n'quoted' ''''\n"
				   "in.side = { z = 1, a = 2 }\n"
				   "[[many]]\n[[many]]\nq = 0x10\n";
	struct kc_arena arena = { 0 };
	const struct kc_toml_node *root = parse_ok(text, &arena), *n;

	(void)state;
	assert_int_equal(root->type, KC_TOML_TABLE);
	assert_string_equal(root->child[0].key, "top");
	n = kc_toml_get(root, "top");
	assert_string_equal(n->text, "a\tb");
	assert_int_equal(n->size, 3);
	assert_int_equal(n->line, 1);
	assert_int_equal(n->column, 1);
	assert_int_equal(kc_toml_get(root, "n")->number, -42);
	assert_int_equal(kc_toml_get(root, "f")->type, KC_TOML_FLOAT);
	assert_int_equal(kc_toml_get(root, "b")->number, 1);
	assert_int_equal(kc_toml_get(root, "d")->type, KC_TOML_TIME);
	n = kc_toml_get(root, "l");
	assert_int_equal(n->n, 2);
	assert_string_equal(n->child[1].text, "y");
	assert_int_equal(n->child[1].line, 7);
	n = kc_toml_get(kc_toml_get(root, "one"), "two");
	assert_int_equal(n->line, 8);
	assert_string_equal(kc_toml_get(n, "key")->text, "raw\n'quoted' '");
	n = kc_toml_get(kc_toml_get(n, "in"), "side");
	assert_int_equal(n->line, 11);
	assert_string_equal(n->child[0].key, "z"); /* the order of the text, not of the alphabet */
	n = kc_toml_get(root, "many");
	assert_int_equal(n->type, KC_TOML_ARRAY);
	assert_int_equal(n->n, 2);
	assert_int_equal(kc_toml_get(&n->child[1], "q")->number, 16);
	assert_null(kc_toml_get(root, "absent"));
	assert_null(kc_toml_get(n, "q"));
	assert_null(kc_toml_get(NULL, "q"));
	kc_arena_done(&arena);
}

static void real_files(void **state)
{
	static const struct {
		const char *file, *table, *key, *text;
		unsigned line;
	} cases[] = {
		{ "crio-1.17-full.conf", "runtime", "cgroup_manager", "cgroupfs", 124 },
		{ "crio-1.37-default.conf", "runtime", "cgroup_manager", "systemd", 0 },
		{ "crio-1.37-default.conf", "api", "listen", "/var/run/crio/crio.sock", 0 },
	};

	(void)state;
	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		kc_cleanup(kc_freep) char *path =
			kc_asprintf("%s/samples/%s", getenv("KC_TEST_DATA"), cases[i].file);
		kc_cleanup(kc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
		const struct kc_toml_node *root = NULL, *n;
		struct kc_arena arena = { 0 };
		struct kc_err err = { 0 };
		struct kc_buf b = { 0 };

		assert_int_equal(kc_read_all(fd, KC_TOML_SIZE_MAX, &b), 0);
		assert_int_equal(kc_toml_parse(path, b.data, b.len, &arena, &err, &root), 0);
		n = kc_toml_get(kc_toml_get(kc_toml_get(root, "crio"), cases[i].table),
				cases[i].key);
		assert_non_null(n);
		assert_string_equal(n->text, cases[i].text);
		if (cases[i].line)
			assert_int_equal(n->line, cases[i].line);
		kc_buf_done(&b);
		kc_arena_done(&arena);
	}
}

static void malformed(void **state)
{
	static const struct {
		const char *text, *place, *what;
	} cases[] = {
		{ "a = \n", "a.toml:1:5:", "" },
		{ "a = 1\nb = \"unfinished\n", "a.toml:2:", "" },
		{ "a = 1\na = 2\n", "a.toml:2:", "a" },
		{ "[t]\n[t]\n", "a.toml:2:", "t" },
		{ "a = [1, 2", "a.toml:1:", "" },
		{ "<<<<<<< HEAD\n", "a.toml:1:1:", "" },
		{ "a = 'x\001y'\n", "a.toml:1:7:", "control character" },
		{ "# a\rb\n", "a.toml:1:4:", "carriage return" },
		{ "a = '\xff'\n", "a.toml:1:", "" },
		{ "[ (x) ]\n", "a.toml:1:1:", "header" },
		{ "a = 1\n  [[\xc3\xa4]]\n", "a.toml:2:3:", "header" },
		{ "[]\n", "a.toml:1:1:", "header" },
		{ "[", "a.toml:1:1:", "header" },
		{ "a = 1\n\xc3\xa4 = 1\n", "a.toml:2:1:", "not ASCII" },
		{ "b0nano\"\xc3\n", "a.toml:1:", "" },
	};

	(void)state;
	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++)
		parse_refused(cases[i].text, strlen(cases[i].text), -EINVAL, cases[i].place,
			      cases[i].what);
	parse_refused("a = 1\0\n", 7, -EINVAL, "a.toml:1:6:", "control character");
	parse_refused("a = \"x", 6, -EINVAL, "a.toml:1:", "");
	parse_refused("a = '''x", 8, -EINVAL, "a.toml:1:", "");
	parse_refused("\"k\\u0000y\" = 1\n", 15, -EFBIG, "a.toml:1:1:", "NUL");
}

/* n times `unit` between `head` and `tail`. */
static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
	struct kc_buf b = { 0 };

	kc_buf_adds(&b, head);
	while (n-- > 0)
		kc_buf_adds(&b, unit);
	kc_buf_adds(&b, tail);
	return kc_buf_take(&b);
}

static void beyond_bounds(void **state)
{
	static const struct {
		const char *head, *unit;
		size_t n;
		const char *tail, *what;
	} cases[] = {
		{ "", "a.", 200000, "a = 1\n", "too many parts" },
		{ "[", "a.", 32, "a]\n", "too many parts" },
		{ "", "\"a\" . ", 100000, "a = 1\n", "too many parts" },
		{ "x = 'a'\n'''", "\n", 3,
		  "''' = 1\n[a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a."
		  "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a]\n",
		  "too many parts" },
		{ "a = ", "[", 100000, "", "nested too deep" },
		{ "a = ", "{a=", 33, "1", "nested too deep" },
		{ "a = [", "1,", 20000, "]\n", "too many values" },
		{ "", "[[a]]\n", 20000, "", "too many values" },
		{ "# ", "x", 1024 * 1024, "\n", "1 MiB" },
		{ "", "k", 1025, " = 1\n", "key is too long" },
	};

	(void)state;
	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		kc_cleanup(kc_freep) char *text =
			repeat(cases[i].head, cases[i].unit, cases[i].n, cases[i].tail);

		assert_non_null(text);
		parse_refused(text, strlen(text), -EFBIG, "a.toml:", cases[i].what);
	}
}

/* Brackets, dots and quotes inside strings and comments count for nothing. */
static void strings_hide_structure(void **state)
{
	static const char unit[] = "[[[[[[[[.......{{{{====,,,,";
	kc_cleanup(kc_freep) char *comment = repeat("# '\"\n# ", unit, 10000, "\na = 1\n");
	kc_cleanup(kc_freep) char *basic = repeat("a = \"\\\"", unit, 10000, "\"\n");
	kc_cleanup(kc_freep) char *literal = repeat("a = '\"\\", unit, 10000, "'\n");
	kc_cleanup(kc_freep) char *multi =
		repeat("a = \"\"\"\n\\\"\"\"", unit, 10000, "\"\"\"\"\"\n");
	const char *const texts[] = { comment, basic, literal, multi };

	(void)state;
	for (size_t i = 0; i < KC_ARRAY_SIZE(texts); i++) {
		struct kc_arena arena = { 0 };

		assert_int_equal(parse_ok(texts[i], &arena)->n, 1);
		kc_arena_done(&arena);
	}
}

static void at_the_bounds(void **state)
{
	kc_cleanup(kc_freep) char *parts = repeat("", "a.", 31, "a = 1\n");
	kc_cleanup(kc_freep) char *brackets =
		repeat("a = ", "[", 32, "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	struct kc_arena arena = { 0 };

	(void)state;
	assert_int_equal(parse_ok(parts, &arena)->n, 1);
	assert_int_equal(parse_ok(brackets, &arena)->n, 1);
	assert_int_equal(parse_ok("", &arena)->n, 0);
	assert_int_equal(parse_ok("\xef\xbb\xbf[t]", &arena)->n, 1);
	assert_string_equal(parse_ok("\"\xc3\xa4\" = 1", &arena)->child[0].key, "\xc3\xa4");
	assert_string_equal(
		parse_ok("a = \"\"\"\\\n \xc3\xa4\"\"\" # \xc3\xa4", &arena)->child[0].text,
		"\xc3\xa4");
	assert_int_equal(parse_ok("s = \"a\\u0000b\"", &arena)->child[0].size, 3);
	kc_arena_done(&arena);
}

static void no_memory(void **state)
{
	struct kc_arena arena = { .limit = 64 };
	const struct kc_toml_node *root = NULL;
	struct kc_err err = { 0 };

	(void)state;
	assert_int_equal(parse_n("a = ['b', 'c']", 14, &arena, &err, &root), -ENOMEM);
	assert_null(root);
	kc_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_and_places),
		cmocka_unit_test(real_files),
		cmocka_unit_test(malformed),
		cmocka_unit_test(beyond_bounds),
		cmocka_unit_test(strings_hide_structure),
		cmocka_unit_test(at_the_bounds),
		cmocka_unit_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
