/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "formats/dpkg.h"
#include "formats/os-release.h"
#include "formats/packages.h"
#include "formats/program-version.h"

static const char status[] = "Package: adduser\n"
			     "Status: install ok installed\n"
			     "Version: 3.134\n"
			     "Description: first\n"
			     "\n"
			     "Package: kubelet\n"
			     "Status: deinstall ok config-files\n"
			     "Version: 1.17.0-00\n"
			     "\n"
			     "Package: kubelet-extra\n"
			     "Status: install ok installed\n"
			     "Version: 9\n"
			     "\n"
			     "Status: hold ok installed\n"
			     "Conffiles:\n"
			     " /etc/default/kubelet 0123\n"
			     "Package: kubelet\n"
			     "Version:  1:1.18.4-00 \n"
			     "\n"
			     "Package: broken\n"
			     "Status: install ok half-installed\n"
			     "Version: 1\n"
			     "\n"
			     "Package: triggers\n"
			     "Status: hold ok triggers-pending\n"
			     "Version: 3\n"
			     "\n"
			     "Package: odd\n"
			     "Version: 1 2\n"
			     "\n"
			     "Package: bare\n"
			     "\n"
			     "Package: last\n"
			     "Version: 7";

/* On the heap at its exact size, so that a look behind the end is seen. */
static int find(struct kc_arena *arena, const char *text, size_t size, const char *name,
		struct kc_dpkg_package *package)
{
	kc_cleanup(kc_freep) char *copy = malloc(KC_MAX(size, (size_t)1));

	assert_non_null(copy);
	memcpy(copy, text, size);
	return kc_dpkg_find(copy, size, name, arena, package);
}

static void test_find(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_dpkg_package p;
	size_t n = sizeof(status) - 1;

	assert_int_equal(find(&arena, status, n, "adduser", &p), 1);
	assert_string_equal(p.version, "3.134");
	assert_int_equal(p.line, 1);
	assert_int_equal(find(&arena, status, n, "kubelet", &p), 1);
	assert_string_equal(p.version, "1:1.18.4-00");
	assert_int_equal(p.line, 17);
	assert_int_equal(find(&arena, status, n, "last", &p), 1);
	assert_string_equal(p.version, "7");
	assert_int_equal(find(&arena, status, n, "kube", &p), 0);
	assert_int_equal(find(&arena, status, n, "broken", &p), 0);
	assert_int_equal(find(&arena, status, n, "triggers", &p), 1);
	assert_true(p.held);
	assert_int_equal(find(&arena, status, n, "odd", &p), -EBADMSG);
	assert_int_equal(find(&arena, status, n, "bare", &p), -EBADMSG);
	assert_int_equal(find(&arena, "", 0, "kubelet", &p), 0);
	/* Cut anywhere, it is never read past its end. */
	for (size_t i = 0; i < n; i++)
		assert_true(find(&arena, status, i, "kubelet", &p) <= 1);
	kc_arena_done(&arena);
}

/* Several in one pass; one that has been found is not looked for again. */
static void test_find_each(void **state)
{
	static const char *const names[] = { "last", "kubelet", "none", "adduser" };
	struct kc_dpkg_package p[4] = { { 0 } };
	struct kc_arena arena = { 0 };
	size_t half = (size_t)(strstr(status, "Package: kubelet-extra") - status);

	assert_int_equal(kc_dpkg_find_each(status, half, names, 4, &arena, p), 1);
	assert_string_equal(p[3].version, "3.134");
	assert_false(p[3].held);
	assert_null(p[1].version);
	assert_int_equal(kc_dpkg_find_each(status, sizeof(status) - 1, names, 4, &arena, p), 2);
	assert_string_equal(p[1].version, "1:1.18.4-00");
	assert_true(p[1].held);
	assert_string_equal(p[0].version, "7");
	assert_null(p[2].version);
	kc_arena_done(&arena);
}

static void test_package_names(void **state)
{
	assert_true(kc_package_name_valid("iproute-tc"));
	assert_true(kc_package_name_valid("libstdc++6"));
	assert_false(kc_package_name_valid(""));
	assert_false(kc_package_name_valid("-v"));
	assert_false(kc_package_name_valid("kube*"));
	assert_false(kc_package_name_valid("a b"));
}

static void test_program_version(void **state)
{
	struct kc_arena arena = { 0 };

	assert_string_equal(kc_version_in(&arena, "Kubernetes v1.18.4+k3s1\n"), "1.18.4");
	assert_string_equal(kc_version_in(&arena, "crio version 1.30.0-rc.1 2.0"), "1.30.0-rc.1");
	assert_string_equal(kc_version_in(&arena,
					  "Client Version: version.Info{Major:\"1\", Minor:\"18\", "
					  "GitVersion:\"v1.18.20\", GitCommit:\"1f3e\"}"),
			    "1.18.20");
	assert_null(kc_version_in(&arena, "build 1 of .2"));
	assert_null(kc_version_in(&arena, ""));
	assert_true(kc_is_packaged_path("/usr/bin/kubelet"));
	assert_false(kc_is_packaged_path("/usr/local/bin/kubelet"));
	kc_arena_done(&arena);
}

static void test_upstream(void **state)
{
	struct kc_arena arena = { 0 };

	assert_string_equal(kc_dpkg_upstream("1:1.18.4-00", &arena), "1.18.4");
	assert_string_equal(kc_dpkg_upstream("1.6.20~ds1-1+deb12u1", &arena), "1.6.20");
	assert_string_equal(kc_dpkg_upstream("1.30.4-1.1", &arena), "1.30.4");
	assert_string_equal(kc_dpkg_upstream("1.18.", &arena), "1.18");
	assert_string_equal(kc_dpkg_upstream("r12", &arena), "");
	kc_arena_done(&arena);
}

static int parse(struct kc_arena *arena, const char *text, struct kc_os_release *os)
{
	return kc_os_release_parse("/etc/os-release", text, strlen(text), arena, os);
}

static void test_os_release(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_os_release os;

	assert_int_equal(parse(&arena,
			       "# c\nNAME=\"A \\\"b\\\"\"\nID='rhel'\nVERSION_ID=8.2\n"
			       "ID=centos\nPRETTY_NAME=\"Pretty\"\n",
			       &os),
			 0);
	assert_string_equal(os.id.text, "centos");
	assert_int_equal(os.id.place.line, 5);
	assert_string_equal(os.version.text, "8.2");
	assert_string_equal(os.name.text, "Pretty");
	assert_int_equal(parse(&arena, "NAME=\"A \\\"b\\\"\"\nVERSION=3\n", &os), 0);
	assert_string_equal(os.id.text, "linux");
	assert_int_equal(os.id.place.line, 0);
	assert_null(os.version.text);
	assert_string_equal(os.name.text, "A \"b\" 3");
	assert_int_equal(parse(&arena, "", &os), 0);
	assert_string_equal(os.name.text, "Linux");
	assert_int_equal(parse(&arena, "ID=\xff\n", &os), -EBADMSG);
	kc_arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	      cmocka_unit_test(test_find_each),
		cmocka_unit_test(test_package_names), cmocka_unit_test(test_program_version),
		cmocka_unit_test(test_upstream),      cmocka_unit_test(test_os_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
