/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/utf8.h"
#include "golden.h"
#include "make-report.h"

extern const struct kc_report_format kc_report_format_json;

static int setup(void **state)
{
	static struct kc_arena arena;

	*state = &arena;
	return 0;
}

static int teardown(void **state)
{
	kc_arena_done(*state);
	return 0;
}

/* By sha256sum(1). */
static void test_digest(void **state)
{
	char hex[65];

	kc_report_format_json.sha256("", 0, hex);
	assert_string_equal(hex,
			    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	kc_report_format_json.sha256("rules:\n", 7, hex);
	assert_string_equal(hex,
			    "691dee1691f91991c3132eb21b6ee837cd18d3ea164cbbc64428aeb4325075e1");
}

static char *write_report(struct kc_arena *arena, const struct kc_report *report, size_t *ret_size)
{
	char *text;

	assert_non_null(report);
	text = kc_write_report(arena, kc_report_format_json.write, report,
			       &(struct kc_report_style){ 0 }, ret_size);
	assert_non_null(text);
	return text;
}

static json_t *parse(const char *text, size_t size)
{
	json_error_t error;
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fail_msg("line %d, column %d: %s", error.line, error.column, error.text);
	return json;
}

static void test_format(void **state)
{
	assert_int_equal(kc_report_format_json.magic, KC_REPORT_MAGIC);
	assert_int_equal(kc_report_format_json.size, sizeof(struct kc_report));
	assert_string_equal(kc_report_format_json.name, "json");
}

static void test_golden(void **state)
{
	size_t size;
	char *text = write_report(*state, kc_make_report(*state), &size);

	kc_assert_golden("report.json", text, size);
	json_decref(parse(text, size));
}

static void test_repaired(void **state)
{
	size_t size;
	char *text = write_report(*state, kc_make_report_repaired(*state, NULL, true), &size);
	json_t *json = parse(text, size), *repair = json_object_get(json, "repair");

	kc_assert_golden("report-repaired.json", text, size);
	assert_true(json_is_true(json_object_get(repair, "changed")));
	assert_true(json_is_true(json_object_get(repair, "reboot_required")));
	assert_string_equal(json_string_value(json_object_get(repair, "transaction")),
			    "20260131-080000-1");
	json_decref(json);
}

/* Printable ASCII alone, without a mark of a CI command. */
static void assert_harmless(const char *text, size_t size)
{
	bool harmless = true;

	for (size_t i = 0; i < size; i++) {
		harmless = harmless && (text[i] == '\n' || (text[i] >= 0x20 && text[i] < 0x7f));
		if (text[i] == '#' && text[i + 1] == '#')
			harmless =
				harmless &&
				text[i + 2 + strspn(text + i + 2, "abcdefghijklmnopqrstuvwxyz")] !=
					'[';
	}
	assert_true(harmless);
}

static bool is_utf8(const char *s)
{
	size_t n = strlen(s), len;
	uint32_t c;

	for (; n > 0; s += len, n -= len) {
		len = kc_utf8_sequence(s, n, &c);
		if (len == 0 || c == 0x7f)
			return false;
	}
	return true;
}

/* The rule ip-forward's finding of the next boot. */
static const char *found_text(json_t *json)
{
	json_t *rule = json_array_get(json_object_get(json, "rules"), 1);
	json_t *boot = json_object_get(json_object_get(rule, "judgements"), "boot");
	json_t *finding = json_array_get(json_object_get(boot, "findings"), 0);

	return json_string_value(json_object_get(finding, "found"));
}

static void test_hostile(void **state)
{
	const char *const *texts = kc_hostile_texts(*state);

	assert_non_null(texts);
	KC_FOREACH_STR (hostile, texts) {
		size_t size;
		char *text = write_report(*state, kc_make_report_of(*state, hostile), &size);
		json_t *json = parse(text, size);
		const char *found = found_text(json);

		assert_harmless(text, size);
		assert_non_null(found);
		if (strlen(hostile) == 1024 * 1024)
			assert_non_null(strstr(found, " ... (cut here: 1048576 bytes in all)"));
		else if (is_utf8(hostile))
			assert_string_equal(found, hostile);
		else
			assert_non_null(strstr(found, "\\x"));
		json_decref(json);
	}
}

static void test_broken_bytes_are_said(void **state)
{
	size_t size;
	char *text = write_report(*state, kc_make_report_of(*state, "a\xff\x80\xc3\xa4\xe2\x82z"),
				  &size);
	json_t *json = parse(text, size);

	assert_string_equal(found_text(json), "a\\xff\\x80\xc3\xa4\\xe2\\x82z");
	json_decref(json);
}

static void test_cut_keeps_characters_whole(void **state)
{
	char *value = kc_arena_alloc(*state, 64 * 1024 + 10);
	size_t size;
	char *text;
	json_t *json;

	assert_non_null(value);
	memset(value, 'x', 64 * 1024 - 1);
	(void)snprintf(value + 64 * 1024 - 1, 11, "\xf0\x9f\x98\x80");
	text = write_report(*state, kc_make_report_of(*state, value), &size);
	json = parse(text, size);
	assert_null(strstr(found_text(json), "\\x"));
	assert_string_equal(found_text(json) + 64 * 1024 - 1,
			    " ... (cut here: 65539 bytes in all)");
	json_decref(json);
}

static void test_order_and_size(void **state)
{
	size_t size;
	char *text = write_report(*state, kc_make_report_large(*state, 1000, 10), &size);
	json_t *json = parse(text, size), *rules = json_object_get(json, "rules");

	assert_int_equal(json_array_size(rules), 1000);
	for (unsigned i = 0; i < 1000; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "sysctl-%05u", i);
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(rules, i), "id")), id);
	}
	json_decref(json);
}

static void test_empty(void **state)
{
	struct kc_report *report = kc_make_report_large(*state, 0, 0);
	size_t size;
	json_t *json;
	char *text;

	report->profile = NULL;
	report->n_plugins = 0;
	report->n_facts = 0;
	report->run.sandbox = NULL;
	report->run.warnings = NULL;
	report->host = (struct kc_report_host){ 0 };
	text = write_report(*state, report, &size);
	json = parse(text, size);
	assert_int_equal(json_array_size(json_object_get(json, "rules")), 0);
	assert_true(json_is_null(json_object_get(json_object_get(json, "host"), "kernel")));
	json_decref(json);
}

static void test_full_device_is_an_error(void **state)
{
	struct kc_report *report = kc_make_report_large(*state, 1000, 2);
	struct kc_report_style style = { 0 };
	struct kc_err err = { 0 };
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	assert_int_equal(kc_report_format_json.write(report, &style, out, &err), -EIO);
	assert_true(*err.text);
	(void)fclose(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_format),
		cmocka_unit_test_setup_teardown(test_golden, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repaired, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken_bytes_are_said, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_keeps_characters_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order_and_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_device_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests_name("report-json", tests, NULL, NULL);
}
