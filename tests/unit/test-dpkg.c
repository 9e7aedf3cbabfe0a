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

/* How many are left once the text was handed over in parts, cut at two places. */
static int scan_parts(struct kc_dpkg_scan *scan, const char *text, size_t size, size_t first,
		      size_t second)
{
	const size_t ends[] = { first, second, size };
	size_t begin = 0, used;
	int left = -1;

	for (size_t i = 0; i < KC_ARRAY_SIZE(ends); i++) {
		const size_t n = ends[i] - begin;
		kc_cleanup(kc_freep) char *part = malloc(n ? n : 1);

		assert_non_null(part);
		memcpy(part, text + begin, n);
		left = kc_dpkg_scan(scan, part, n, ends[i] == size, &used);
		if (left < 0)
			return left;
		assert_true(used <= n);
		begin += used;
		if (ends[i] == size)
			break;
	}
	return left;
}

static const char *const wanted[] = { "last", "kubelet", "none", "adduser", "triggers", "broken" };

enum {
	WANTED = KC_ARRAY_SIZE(wanted)
};

static void assert_same(const struct kc_dpkg_package *a, const struct kc_dpkg_package *b)
{
	for (size_t i = 0; i < WANTED; i++) {
		assert_int_equal(!a[i].version, !b[i].version);
		if (!a[i].version)
			continue;
		assert_string_equal(a[i].version, b[i].version);
		assert_int_equal(a[i].line, b[i].line);
		assert_int_equal(a[i].held, b[i].held);
	}
}

/* Several in one pass, whichever parts the text comes in. */
static void test_scan(void **state)
{
	const size_t n = sizeof(status) - 1;
	struct kc_arena arena = { 0 };
	struct kc_dpkg_package whole[WANTED] = { { 0 } };
	struct kc_dpkg_scan scan = { wanted, WANTED, &arena, whole, 0 };

	assert_int_equal(scan_parts(&scan, status, n, n, n), 2);
	assert_int_equal(scan.line, 33);
	assert_string_equal(whole[0].version, "7");
	assert_int_equal(whole[0].line, 33);
	assert_string_equal(whole[1].version, "1:1.18.4-00");
	assert_int_equal(whole[1].line, 17);
	assert_true(whole[1].held);
	assert_null(whole[2].version);
	assert_string_equal(whole[3].version, "3.134");
	assert_int_equal(whole[3].line, 1);
	assert_false(whole[3].held);
	assert_null(whole[5].version);
	for (size_t first = 0; first < n; first++)
		for (size_t second = first; second < n; second += 7) {
			struct kc_dpkg_package parts[WANTED] = { { 0 } };
			struct kc_arena own = { 0 };
			struct kc_dpkg_scan again = { wanted, WANTED, &own, parts, 0 };

			assert_int_equal(scan_parts(&again, status, n, first, second), 2);
			assert_int_equal(again.line, scan.line);
			assert_same(parts, whole);
			kc_arena_done(&own);
		}
	kc_arena_done(&arena);
}

/* What stands in a part with no end of a stanza is left for the next; the first of two counts. */
static void test_scan_again(void **state)
{
	static const char first[] = "Package: last\nVersion: 6\n\nPackage: last\n",
			  second[] = "Package: last\nVersion: 8\n";
	struct kc_arena arena = { 0 };
	struct kc_dpkg_package p[WANTED] = { { 0 } };
	struct kc_dpkg_scan scan = { wanted, WANTED, &arena, p, 0 };
	size_t used = 0;

	assert_int_equal(kc_dpkg_scan(&scan, second, sizeof(second) - 1, false, &used), WANTED);
	assert_int_equal(used, 0);
	assert_int_equal(kc_dpkg_scan(&scan, first, sizeof(first) - 1, false, &used), WANTED - 1);
	assert_int_equal(used, strlen("Package: last\nVersion: 6\n\n"));
	assert_int_equal(kc_dpkg_scan(&scan, second, sizeof(second) - 1, true, &used), WANTED - 1);
	assert_string_equal(p[0].version, "6");
	kc_arena_done(&arena);
}

/* Lines are counted in blocks; letters and fields that only look like a package are none. */
static void test_scan_many_lines(void **state)
{
	struct kc_arena arena = { 0 };
	struct kc_dpkg_package p[WANTED] = { { 0 } };
	struct kc_dpkg_scan scan = { wanted, WANTED, &arena, p, 0 };
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	size_t used;

	for (unsigned i = 0; i < 1000; i++)
		kc_buf_adds(&text, i % 7 ? "\n" : "PP Package: last\n");
	kc_buf_adds(&text, "\nXPackage: last\nVersion: 5\n\nPackage: last\nVersion: 4\n");
	assert_int_equal(kc_buf_error(&text), 0);
	assert_int_equal(kc_dpkg_scan(&scan, text.data, text.len, true, &used), WANTED - 1);
	assert_string_equal(p[0].version, "4");
	assert_int_equal(p[0].line, 1005);
	assert_int_equal(scan.line, 1006);
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
		cmocka_unit_test(test_find),	      cmocka_unit_test(test_scan),
		cmocka_unit_test(test_scan_again),    cmocka_unit_test(test_scan_many_lines),
		cmocka_unit_test(test_package_names), cmocka_unit_test(test_program_version),
		cmocka_unit_test(test_upstream),      cmocka_unit_test(test_os_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
