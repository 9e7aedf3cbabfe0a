/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "formats/environment-place.h"
#include "formats/kubelet-arguments.h"

static const struct kc_pair flags[] = {
	{ "cgroup-driver", "systemd" },
	{ "container-runtime-endpoint", "unix:///var/run/crio/crio.sock" },
};

#define BOTH "--cgroup-driver=systemd --container-runtime-endpoint=unix:///var/run/crio/crio.sock"

static void check(const char *before, size_t n, int code, const char *after)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	assert_int_equal(kc_kubelet_arguments_edit(before, strlen(before), KC_KUBELET_EXTRA_ARGS,
						   flags, n, &arena, &out),
			 code);
	if (after)
		assert_string_equal(out.data, after);
	else
		assert_int_equal(out.len, 0);
}

static void test_added(void **state)
{
	check("", 2, 0, "KUBELET_EXTRA_ARGS=" BOTH "\n");
	check("# mine", 1, 0, "# mine\nKUBELET_EXTRA_ARGS=--cgroup-driver=systemd\n");
	check("A=1\n#KUBELET_EXTRA_ARGS=--x\n", 1, 0,
	      "A=1\n#KUBELET_EXTRA_ARGS=--x\nKUBELET_EXTRA_ARGS=--cgroup-driver=systemd\n");
	/* as packages bring the file */
	check("KUBELET_EXTRA_ARGS=\n", 2, 0, "KUBELET_EXTRA_ARGS=" BOTH "\n");
	check("KUBELET_EXTRA_ARGS", 1, 0,
	      "KUBELET_EXTRA_ARGS\nKUBELET_EXTRA_ARGS=--cgroup-driver=systemd\n");
	check("KUBELET_EXTRA_ARGS=\"\"  \r\nB=2", 1, 0,
	      "KUBELET_EXTRA_ARGS=\"--cgroup-driver=systemd\"  \r\nB=2");
	check(" KUBELET_EXTRA_ARGS = --v=2 --a='b c' \nB=\"2\n3\"\n", 1, 0,
	      " KUBELET_EXTRA_ARGS = --v=2 --a='b c' --cgroup-driver=systemd \nB=\"2\n3\"\n");
	check("KUBELET_EXTRA_ARGS='--a=\"b c\"' # no comment here\n", 1, -ENOTSUP, NULL);
	check("KUBELET_EXTRA_ARGS='--a=\"b c\"'\n", 1, 0,
	      "KUBELET_EXTRA_ARGS='--a=\"b c\" --cgroup-driver=systemd'\n");
}

static void test_replaced(void **state)
{
	check("KUBELET_EXTRA_ARGS=--cgroup-driver=cgroupfs --v=2", 1, 0,
	      "KUBELET_EXTRA_ARGS=--cgroup-driver=systemd --v=2");
	check("KUBELET_EXTRA_ARGS=--cgroup_driver 'cgroupfs' --v=2\n", 1, 0,
	      "KUBELET_EXTRA_ARGS=--cgroup-driver=systemd --v=2\n");
	/* the last one counts, of a flag as of a variable */
	check("KUBELET_EXTRA_ARGS=--v=1\nKUBELET_EXTRA_ARGS=\"--cgroup-driver=a  "
	      "--cgroup-driver=b\"\n",
	      1, 0,
	      "KUBELET_EXTRA_ARGS=--v=1\n"
	      "KUBELET_EXTRA_ARGS=\"--cgroup-driver=a  --cgroup-driver=systemd\"\n");
	/* of the guide: quotes within a word */
	check("KUBELET_EXTRA_ARGS=--cgroup-driver=cgroupfs "
	      "--container-runtime-endpoint='unix:///run/a.sock'\n",
	      2, 0, "KUBELET_EXTRA_ARGS=" BOTH "\n");
	/* the value of another flag, and a flag without any */
	check("KUBELET_EXTRA_ARGS=--config --cgroup-driver=x\n", 1, 0,
	      "KUBELET_EXTRA_ARGS=--config --cgroup-driver=x --cgroup-driver=systemd\n");
	check("KUBELET_EXTRA_ARGS=--no-table-has-it y --cgroup-driver=x\n", 1, 0,
	      "KUBELET_EXTRA_ARGS=--no-table-has-it y --cgroup-driver=systemd\n");
	check("KUBELET_EXTRA_ARGS=--fail-swap-on --cgroup-driver=x\n", 1, 0,
	      "KUBELET_EXTRA_ARGS=--fail-swap-on --cgroup-driver=systemd\n");
}

static void test_odd(void **state)
{
	static const char *const texts[] = {
		"KUBELET_EXTRA_ARGS=--v=2 \\\n--a=b\n",
		"KUBELET_EXTRA_ARGS=\"--a\\\"b\"\n",
		"KUBELET_EXTRA_ARGS=\"--a\"'--b'\n",
		"KUBELET_EXTRA_ARGS=\"--a=1\" --b=2\n",
		"KUBELET_EXTRA_ARGS=\"--a\n",
		"KUBELET_EXTRA_ARGS=--a='b\n",
		"KUBELET_EXTRA_ARGS=--a=1 -- b\n",
		"KUBELET_EXTRA_ARGS=-v 2\n",
		"KUBELET_EXTRA_ARGS=word\n",
		"KUBELET_EXTRA_ARGS=--cgroup-driver\n",
		"# a comment that goes on \\\nKUBELET_EXTRA_ARGS=--v=2\n",
		"KUBELET_EXTRA_ARGS=--no-table-has-it --cgroup-driver=x\n",
		"KUBELET_EXTRA_ARGS=--no-table-has-it\n",
		"A='\n",
		"=='\nA=1",
		"A=x\\",
		"A=x\\\n",
		NULL,
	};

	KC_FOREACH_STR (text, texts)
		check(text, 1, -ENOTSUP, NULL);
}

static void test_unsafe_value(void **state)
{
	static const char *const values[] = { "a b", "a'b", "a\"b", "a\\b",
					      "$a",  "a#b", "a\nb", NULL };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	KC_FOREACH_STR (value, values) {
		const struct kc_pair flag = { "node-labels", value };

		assert_int_equal(kc_kubelet_arguments_edit("", 0, KC_KUBELET_EXTRA_ARGS, &flag, 1,
							   &arena, &out),
				 -ENOTSUP);
	}
}

static void test_places(void **state)
{
	static const struct {
		const char *text;
		int found;
		struct kc_environment_place place;
	} cases[] = {
		{ "", 0, { 0 } },
		{ "AB=1\n=2\nB\n", 0, { 0 } },
		{ "A=", 1, { 2, 0, 0, false } },
		{ ";c\n\tA = x y \r\n", 1, { 8, 3, 0, false } },
		{ "B='A=1\n'\nA='x'\n", 1, { 12, 1, '\'', false } },
		{ "A=\"x\ny\"", 1, { 3, 3, '"', false } },
		{ "A=1\nA=\"\\\"\"", 1, { 7, 2, '"', true } },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		struct kc_environment_place place;

		assert_int_equal(
			kc_environment_find(cases[i].text, strlen(cases[i].text), "A", &place),
			cases[i].found);
		if (!cases[i].found)
			continue;
		assert_int_equal(place.start, cases[i].place.start);
		assert_int_equal(place.size, cases[i].place.size);
		assert_int_equal(place.quote, cases[i].place.quote);
		assert_int_equal(place.odd, cases[i].place.odd);
	}
	assert_int_equal(kc_environment_find("A=\0", 3, "A", &(struct kc_environment_place){ 0 }),
			 -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_added),  cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_odd),    cmocka_unit_test(test_unsafe_value),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
