/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "software/exclude-edit.h"

static void check(const char *before, int code, const char *after)
{
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	assert_int_equal(
		exclude_edit(before, strlen(before), "kubernetes", "kubelet kubeadm", &out), code);
	if (after)
		assert_string_equal(out.data, after);
	else
		assert_int_equal(out.len, 0);
}

static void test_added(void **state)
{
	check("[kubernetes]", 0, "[kubernetes]\nexclude=kubelet kubeadm");
	check("# a\n[kubernetes]\nname=K\nbaseurl=a\n b\n# c\n\n[other]\nexclude=x\n", 0,
	      "# a\n[kubernetes]\nname=K\nbaseurl=a\n b\nexclude=kubelet kubeadm\n# c\n\n[other]\n"
	      "exclude=x\n");
	check("[kubernetes]\r\nname=K\r\n", 0,
	      "[kubernetes]\r\nname=K\nexclude=kubelet kubeadm\r\n");
	/* a section may come up twice */
	check("[kubernetes]\na=1\n[x]\n[kubernetes]\nb=2\n", 0,
	      "[kubernetes]\na=1\n[x]\n[kubernetes]\nb=2\nexclude=kubelet kubeadm\n");
}

static void test_extended(void **state)
{
	check("[kubernetes]\nexclude=kubectl\nname=K\n", 0,
	      "[kubernetes]\nexclude=kubectl kubelet kubeadm\nname=K\n");
	check("[kubernetes]\nexclude=\n", 0, "[kubernetes]\nexclude=kubelet kubeadm\n");
	check("[kubernetes]\nexclude = a, b \r\n  c\n\td\nname=K\n", 0,
	      "[kubernetes]\nexclude = a, b kubelet kubeadm \r\n  c\n\td\nname=K\n");
	check("[kubernetes]\nexcludepkgs=a\n", 0, "[kubernetes]\nexcludepkgs=a kubelet kubeadm\n");
	/* the last of a key counts */
	check("[kubernetes]\nexclude=a\nexclude=b\n", 0,
	      "[kubernetes]\nexclude=a\nexclude=b kubelet kubeadm\n");
	check("[x]\nexclude=a\n[kubernetes]\n#exclude=b\n", 0,
	      "[x]\nexclude=a\n[kubernetes]\nexclude=kubelet kubeadm\n#exclude=b\n");
}

static void test_refused(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	check("", -ENOENT, NULL);
	check("[kubernetes2]\n", -ENOENT, NULL);
	check("[kubernetes]\nrubbish\n", -ENOTSUP, NULL);
	check(" goes on\n[kubernetes]\n", -ENOTSUP, NULL);
	assert_int_equal(exclude_edit("[kubernetes]\n\0", 14, "kubernetes", "a", &out), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_extended),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
