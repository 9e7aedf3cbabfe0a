/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "report-modules.h"

static int write_nothing(const struct kc_report *report, const struct kc_report_style *style,
			 FILE *out, struct kc_err *err)
{
	return 0;
}

static const struct kc_report_format text_format = { .magic = KC_REPORT_MAGIC,
						     .size = sizeof(struct kc_report),
						     .name = "text",
						     .write = write_nothing };
static const struct kc_report_format *const built_in[] = { &text_format, NULL };

static int trust_all(int root_fd, const char *path, struct kc_err *err, int *ret_fd)
{
	int fd = openat(root_fd, path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return kc_err_set(err, -errno, "%s: %s", path, kc_strerror(errno));
	*ret_fd = fd;
	return 0;
}

static int trust_none(int root_fd, const char *path, struct kc_err *err, int *ret_fd)
{
	return kc_err_set(err, -EPERM, "%s can be written by others", path);
}

static const char *module_dir(void)
{
	const char *dir = getenv("KC_TEST_REPORT_MODULES");

	assert_non_null(dir);
	return dir;
}

static int find(const char *name, kc_report_truster *trust, struct kc_err *err,
		const struct kc_report_format **ret_format)
{
	const char *const dirs[] = { "/nonexistent", module_dir(), NULL };
	struct kc_report_formats formats = { .built_in = built_in, .dirs = dirs, .trust = trust };

	*err = (struct kc_err){ 0 };
	return kc_report_format_find(&formats, name, err, ret_format);
}

static void test_built_in(void **state)
{
	const struct kc_report_format *format = NULL;
	struct kc_err err;

	assert_int_equal(find("text", trust_none, &err, &format), 0);
	assert_ptr_equal(format, &text_format);
}

static void test_module(void **state)
{
	const struct kc_report_format *format = NULL, *again = NULL;
	struct kc_err err;

	assert_int_equal(find("good", trust_all, &err, &format), 0);
	assert_string_equal(format->name, "good");
	assert_int_equal(find("good", trust_all, &err, &again), 0);
	assert_ptr_equal(format, again);
	/* Two modules in one run stay apart. */
	assert_int_equal(find("other", trust_all, &err, &again), 0);
	assert_string_equal(again->name, "other");
	assert_ptr_not_equal(format, again);
}

static void test_distrusted(void **state)
{
	const struct kc_report_format *format = NULL;
	struct kc_err err;

	assert_int_equal(find("good", trust_none, &err, &format), -EPERM);
	assert_non_null(strstr(err.text, "the report good is refused"));
	assert_non_null(strstr(err.text, "can be written by others"));
	assert_null(format);
}

static void test_wrong_modules(void **state)
{
	static const struct {
		const char *name;
		int code;
		const char *says;
	} cases[] = {
		{ "bad-magic", -ENOEXEC, "magic" },
		{ "bad-size", -ENOEXEC, "another k8scheck" },
		{ "bad-name", -ENOEXEC, "no report format bad-name" },
		{ "bad-symbol", -ENOEXEC, "exports none" },
	};

	for (unsigned i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		const struct kc_report_format *format = NULL;
		struct kc_err err;

		assert_int_equal(find(cases[i].name, trust_all, &err, &format), cases[i].code);
		assert_non_null(strstr(err.text, cases[i].says));
		assert_null(format);
	}
}

static void test_unknown(void **state)
{
	static const char *const names[] = { "god", "../good", "", "-x", "a/b", "zzz", NULL };
	const struct kc_report_format *format = NULL;
	struct kc_err err;

	KC_FOREACH_STR (name, names) {
		assert_int_equal(find(name, trust_all, &err, &format), -ENOENT);
		assert_non_null(strstr(err.text, "there are: "));
		assert_non_null(strstr(err.text, "good"));
		assert_non_null(strstr(err.text, "text"));
	}
	assert_int_equal(find("god", trust_all, &err, &format), -ENOENT);
	assert_non_null(strstr(err.text, "did you mean good?"));
	assert_int_equal(find("zzz", trust_all, &err, &format), -ENOENT);
	assert_null(strstr(err.text, "did you mean"));
}

static void test_not_loadable(void **state)
{
	const char *tmp = getenv("TMPDIR");
	kc_cleanup(kc_freep) char *dir =
		kc_asprintf("%s/k8scheck-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	kc_cleanup(kc_freep) char *path = NULL;
	const char *dirs[] = { NULL, NULL };
	struct kc_report_formats formats = { .dirs = dirs, .trust = trust_all };
	const struct kc_report_format *format = NULL;
	struct kc_err err = { 0 };
	FILE *out;

	assert_non_null(dir);
	assert_non_null(mkdtemp(dir));
	path = kc_asprintf("%s/broken.so", dir);
	assert_non_null(path);
	out = fopen(path, "w");
	assert_non_null(out);
	(void)fputs("no object at all", out);
	assert_int_equal(fclose(out), 0);
	dirs[0] = dir;
	assert_int_equal(kc_report_format_find(&formats, "broken", &err, &format), -ELIBACC);
	assert_non_null(strstr(err.text, "the report broken cannot be loaded"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_names(void **state)
{
	const char *const dirs[] = { "/nonexistent", module_dir(), module_dir(), NULL };
	struct kc_report_formats formats = { .built_in = built_in,
					     .dirs = dirs,
					     .trust = trust_all };
	struct kc_arena arena = { 0 };
	const char *const *names = NULL;

	assert_int_equal(kc_report_format_names(&formats, &arena, &names), 0);
	assert_true(kc_strv_has(names, "text"));
	assert_true(kc_strv_has(names, "good"));
	for (size_t i = 1; names[i]; i++)
		assert_true(strcmp(names[i - 1], names[i]) < 0);
	kc_arena_done(&arena);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_built_in),   cmocka_unit_test(test_module),
		cmocka_unit_test(test_distrusted), cmocka_unit_test(test_wrong_modules),
		cmocka_unit_test(test_unknown),	   cmocka_unit_test(test_not_loadable),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("report-modules", tests, NULL, NULL);
}
