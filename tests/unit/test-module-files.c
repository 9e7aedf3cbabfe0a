/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "formats/module-files.h"
#include "formats/module-index.h"

typedef int parser(const char *file, const char *text, size_t size, struct kc_arena *arena,
		   struct kc_module_lines *lines);

/* On the heap at its exact size, so that a look behind the end is seen. */
static int parse(parser *p, struct kc_arena *arena, const char *text, size_t size,
		 struct kc_module_lines *lines)
{
	kc_cleanup(kc_freep) char *copy = malloc(KC_MAX(size, (size_t)1));

	assert_non_null(copy);
	memcpy(copy, text, size);
	return p("f", copy, size, arena, lines);
}

struct expected {
	unsigned line;
	uint32_t verb;
	const char *name, *rest;
};

static void expect_lines(parser *p, const char *text, const struct expected *expected, size_t n)
{
	struct kc_arena arena = { 0 };
	struct kc_module_lines lines = { 0 };

	assert_int_equal(parse(p, &arena, text, strlen(text), &lines), 0);
	assert_int_equal(lines.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(lines.item[i].place.line, expected[i].line);
		assert_string_equal(lines.item[i].place.file, "f");
		assert_int_equal(lines.item[i].verb, expected[i].verb);
		assert_string_equal(lines.item[i].name, expected[i].name);
		assert_string_equal(lines.item[i].rest, expected[i].rest);
	}
	kc_arena_done(&arena);
}

static void test_load(void **state)
{
	static const struct expected expected[] = {
		{ 2, KC_MODULE_LOAD, "overlay", "" },
		{ 5, KC_MODULE_LOAD, "br_netfilter", "" },
		{ 6, KC_MODULE_LOAD, "two words", "" },
		{ 7, KC_MODULE_LOAD, "last", "" },
	};

	expect_lines(kc_modules_load_parse,
		     "# Kubernetes\noverlay\n\n ; x\n\t br-netfilter \r\ntwo words\nlast", expected,
		     KC_ARRAY_SIZE(expected));
	expect_lines(kc_modules_load_parse, "", NULL, 0);
}

static void test_probe(void **state)
{
	static const struct expected expected[] = {
		{ 2, KC_MODULE_BLACKLIST, "a_b", "" },
		{ 3, KC_MODULE_INSTALL, "c_d[-_]e_f", "/bin/true  x" },
		{ 4, KC_MODULE_ALIAS, "fs_x", "y_z" },
		{ 5, KC_MODULE_SOFTDEP, "s", "pre: a-b post: c" },
		{ 6, KC_MODULE_BLACKLIST, "joined", "" },
		{ 9, KC_MODULE_BLACKLIST, "plain", "" },
		{ 14, KC_MODULE_BLACKLIST, "last\\", "" },
	};

	expect_lines(kc_modprobe_parse,
		     "#blacklist no\n"
		     " blacklist\ta-b trailing\n"
		     "install c-d[-_]e-f  /bin/true  x \n"
		     "alias fs-x y-z # no comment\n"
		     "softdep s pre: a-b post: c\n"
		     "black\\\nlist \\\njoined\n"
		     "blacklist pl\\ain\n"
		     "options x y=1\n"
		     "blacklist\n"
		     "install x\n"
		     "alias x\n"
		     "blacklist last\\",
		     expected, KC_ARRAY_SIZE(expected));
	expect_lines(kc_modprobe_parse, "\n\nblacklist x", &(struct expected){ 3, 3, "x", "" }, 1);
}

static void test_refused_texts(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_module_lines lines = { 0 };

	assert_int_equal(parse(kc_modules_load_parse, &arena, "a\0b\n", 4, &lines), -EBADMSG);
	assert_int_equal(parse(kc_modprobe_parse, &arena, "blacklist a\0b", 13, &lines), -EBADMSG);
	assert_int_equal(lines.n, 0);
	kc_arena_done(&arena);
}

static void test_bound(void **state)
{
	enum {
		LINES = 65536
	};
	kc_cleanup(kc_freep) char *text = malloc(2 * (LINES + 1));
	struct kc_arena arena = { 0 };
	struct kc_module_lines lines = { 0 };

	assert_non_null(text);
	for (size_t i = 0; i <= LINES; i++)
		memcpy(text + 2 * i, "x\n", 2);
	assert_int_equal(kc_modules_load_parse("f", text, 2 * LINES, &arena, &lines), 0);
	assert_int_equal(lines.n, LINES);
	assert_int_equal(kc_modules_load_parse("f", "x\n", 2, &arena, &lines), -E2BIG);
	kc_arena_done(&arena);
}

/* As many aliases as lines to hold them against would take hours. */
static void test_bound_of_aliases(void **state)
{
	enum {
		N = 2000
	};
	struct kc_arena arena = { 0 };
	struct kc_module_config config = { 0 };
	struct kc_module_files files;

	for (size_t i = 0; i < N; i++) {
		static const char load[] = "other\n", alias[] = "alias x*y overlay\n";

		assert_int_equal(
			kc_modules_load_parse("f", load, strlen(load), &arena, &config.load), 0);
		assert_int_equal(
			kc_modprobe_parse("f", alias, strlen(alias), &arena, &config.probe), 0);
	}
	assert_int_equal(kc_module_files_judge(&config, &arena, "overlay", NULL, 0, &files), 0);
	assert_null(files.loaded_by);
	assert_non_null(files.unknown);
	assert_false(files.unknown_bars);
	config.load.n = 500;
	assert_int_equal(kc_module_files_judge(&config, &arena, "overlay", NULL, 0, &files), 0);
	assert_null(files.unknown);
	kc_arena_done(&arena);
}

static void test_names(void **state)
{
	assert_true(kc_module_is("br-netfilter", 12, "br_netfilter"));
	assert_true(kc_module_is("br_netfilter", 12, "br-netfilter"));
	assert_false(kc_module_is("br_netfilter", 11, "br_netfilter"));
	assert_false(kc_module_is("br_netfilter", 12, "br_netfilte"));
	assert_false(kc_module_is("BR_netfilter", 12, "br_netfilter"));
}

static void test_patterns(void **state)
{
	assert_int_equal(kc_module_matches("br_netfilter", "br_netfilter"), 1);
	assert_int_equal(kc_module_matches("br_netfilte", "br_netfilter"), 0);
	assert_int_equal(kc_module_matches("br_netfilter_", "br_netfilter"), 0);
	assert_int_equal(kc_module_matches("br*", "br_netfilter"), 1);
	assert_int_equal(kc_module_matches("br?net[a-f]ilter", "br_netfilter"), 1);
	assert_int_equal(kc_module_matches("[!b]*", "br_netfilter"), 0);
	/* One that cannot match by its first letters is none that is too wild. */
	assert_int_equal(kc_module_matches("pci:v*d*sv*sd*bc*sc*i*", "br_netfilter"), 0);
	assert_int_equal(kc_module_matches("*b*r*n*e*t*", "br_netfilter"), -E2BIG);
}

static void test_install(void **state)
{
	static const struct {
		const char *command;
		enum kc_module_install effect;
	} cases[] = {
		{ "/bin/true", KC_MODULE_INSTALL_NOTHING },
		{ "true", KC_MODULE_INSTALL_NOTHING },
		{ "/usr/bin/false;", KC_MODULE_INSTALL_NOTHING },
		{ ":", KC_MODULE_INSTALL_NOTHING },
		{ "exit 0", KC_MODULE_INSTALL_NOTHING },
		{ "/sbin/modprobe --ignore-install x", KC_MODULE_INSTALL_LOADS },
		{ "insmod /x.ko", KC_MODULE_INSTALL_LOADS },
		{ "/bin/truely", KC_MODULE_INSTALL_UNKNOWN },
		{ "/bin/sh -c 'exit 1'", KC_MODULE_INSTALL_UNKNOWN },
		{ "", KC_MODULE_INSTALL_UNKNOWN },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++)
		assert_int_equal(kc_module_install_effect(cases[i].command), cases[i].effect);
}

static void expect_path_name(const char *path, const char *name)
{
	const char *start;
	size_t n = kc_module_name_of_path(path, strlen(path), &start);

	assert_int_equal(n, strlen(name));
	assert_memory_equal(start, name, n);
}

static void test_path_names(void **state)
{
	expect_path_name("kernel/net/bridge/br_netfilter.ko", "br_netfilter");
	expect_path_name("kernel/x/a-b.ko.zst", "a-b");
	expect_path_name("x.ko", "x");
	expect_path_name("x.ko.ko", "x");
	expect_path_name("x.kox", "");
	expect_path_name("x", "");
	expect_path_name(".ko", "");
	expect_path_name("a.ko/b", "");
	expect_path_name("", "");
}

/* What is found in a text of its exact size: "PATH|REST", or NULL. */
static const char *find_line(struct kc_arena *arena, const char *text, const char *module)
{
	size_t size = strlen(text), path_size, rest_size;
	kc_cleanup(kc_freep) char *copy = malloc(KC_MAX(size, (size_t)1));
	const char *path, *rest;

	assert_non_null(copy);
	memcpy(copy, text, size);
	if (!kc_module_find_line(copy, size, module, &path, &path_size, &rest, &rest_size))
		return NULL;
	return kc_arena_printf(arena, "%.*s|%.*s", (int)path_size, path, (int)rest_size, rest);
}

static void test_index(void **state)
{
	static const char dep[] = "kernel/net/bridge/bridge.ko.xz: kernel/net/802/stp.ko.xz\n"
				  "kernel/net/br_netfilter.ko: kernel/net/bridge/bridge.ko.xz\n"
				  "\n:\nextra/a-b.ko:";
	struct kc_arena arena = { 0 };

	assert_string_equal(find_line(&arena, dep, "bridge"),
			    "kernel/net/bridge/bridge.ko.xz| kernel/net/802/stp.ko.xz");
	assert_string_equal(find_line(&arena, dep, "br-netfilter"),
			    "kernel/net/br_netfilter.ko| kernel/net/bridge/bridge.ko.xz");
	assert_string_equal(find_line(&arena, dep, "a_b"), "extra/a-b.ko|");
	assert_null(find_line(&arena, dep, "stp"));
	assert_null(find_line(&arena, dep, "ko"));
	assert_null(find_line(&arena, "", "x"));
	assert_string_equal(find_line(&arena, "kernel/fs/ext4.ko\nkernel/x.ko", "x"),
			    "kernel/x.ko|");
	kc_arena_done(&arena);
}

/* What a text of modprobe.d comes to for one module. */
static void judge(struct kc_arena *arena, const char *probe, const char *module, bool dependency,
		  struct kc_module_files *files)
{
	struct kc_module_config config = { 0 };
	int r;

	assert_int_equal(parse(kc_modprobe_parse, arena, probe, strlen(probe), &config.probe), 0);
	r = dependency ? kc_module_files_judge_dependency(&config, arena, module, NULL, 0, files)
		       : kc_module_files_judge(&config, arena, module, NULL, 0, files);
	assert_int_equal(r, 0);
}

static void test_judge(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_module_files files;

	judge(&arena, "blacklist x\n", "x", false, &files);
	assert_string_equal(files.barred_by, "f:1 blacklists it");
	assert_string_equal(files.refused_by, "f:1 blacklists it");
	assert_true(files.barred_by_blacklist);
	judge(&arena, "blacklist x\n", "x", true, &files);
	assert_null(files.refused_by);
	judge(&arena, "install * /bin/true\n", "x", true, &files);
	assert_string_equal(files.refused_by, "f:1 has it replaced by a program that does nothing");
	judge(&arena, "alias fs-x off\n", "x", false, &files);
	assert_null(files.barred_by);
	assert_string_equal(files.refused_by, "f:1 makes fs_x another name of off");
	/* What keeps it away first is the one that is named. */
	judge(&arena, "install x /bin/true\nblacklist x\n", "x", false, &files);
	assert_string_equal(files.barred_by, "f:2 blacklists it");
	judge(&arena, "install x /bin/odd\n", "x", false, &files);
	assert_true(files.unknown_bars);
	assert_null(files.barred_by);
	assert_null(files.loaded_by);
	kc_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_probe),
		cmocka_unit_test(test_refused_texts),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_install),
		cmocka_unit_test(test_path_names),
		cmocka_unit_test(test_index),
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_bound_of_aliases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
