/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>

#include "base/num.h"
#include "base/str.h"
#include "golden.h"
#include "make-report.h"

extern const struct kc_report_format kc_report_format_junit;

enum {
	N_SCHEMAS = 2
};

struct fixture {
	struct kc_arena arena;
	xmlSchema *schemas[N_SCHEMAS];
};

static int setup_schemas(void **state)
{
	static const char *const names[N_SCHEMAS] = { "windyroad.xsd", "junit-10.xsd" };
	static struct fixture fixture;
	const char *data = getenv("KC_TEST_DATA");

	if (!data)
		return -1;
	for (unsigned i = 0; i < N_SCHEMAS; i++) {
		kc_cleanup(kc_freep) char *path = kc_asprintf("%s/junit/%s", data, names[i]);
		xmlSchemaParserCtxt *context = path ? xmlSchemaNewParserCtxt(path) : NULL;

		fixture.schemas[i] = context ? xmlSchemaParse(context) : NULL;
		xmlSchemaFreeParserCtxt(context);
		if (!fixture.schemas[i])
			return -1;
	}
	*state = &fixture;
	return 0;
}

static int teardown_schemas(void **state)
{
	struct fixture *fixture = *state;

	for (unsigned i = 0; i < N_SCHEMAS; i++)
		xmlSchemaFree(fixture->schemas[i]);
	xmlSchemaCleanupTypes();
	xmlCleanupParser();
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	kc_arena_done(&fixture->arena);
	return 0;
}

static char *write_report(struct fixture *fixture, const struct kc_report *report, size_t *ret_size)
{
	char *text;

	assert_non_null(report);
	text = kc_write_report(&fixture->arena, kc_report_format_junit.write, report,
			       &(struct kc_report_style){ 0 }, ret_size);
	assert_non_null(text);
	return text;
}

/* Well-formed under a parser's own limits, and valid against both schemas. */
static xmlDoc *parse(struct fixture *fixture, const char *text, size_t size)
{
	xmlDoc *doc = xmlReadMemory(text, (int)size, "report.xml", NULL, XML_PARSE_NONET);

	assert_non_null(doc);
	for (unsigned i = 0; i < N_SCHEMAS; i++) {
		xmlSchemaValidCtxt *context = xmlSchemaNewValidCtxt(fixture->schemas[i]);

		assert_non_null(context);
		assert_int_equal(xmlSchemaValidateDoc(context, doc), 0);
		xmlSchemaFreeValidCtxt(context);
	}
	return doc;
}

static bool is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && kc_streq((const char *)node->name, name);
}

static char *get_attribute(struct fixture *fixture, xmlNode *node, const char *name)
{
	xmlChar *value = xmlGetProp(node, BAD_CAST name);
	char *copy = value ? kc_arena_strdup(&fixture->arena, (const char *)value) : NULL;

	xmlFree(value);
	return copy;
}

static int64_t get_number(struct fixture *fixture, xmlNode *node, const char *name)
{
	char *text = get_attribute(fixture, node, name);
	int64_t number;

	assert_non_null(text);
	assert_int_equal(kc_parse_i64(text, &number), 0);
	return number;
}

struct seen {
	int64_t tests, failures, errors, skipped;
};

/* A case's outcome has its reason as attribute and as text, and a type where the schemas have one.
 */
static void see_outcome(struct fixture *fixture, xmlNode *node, struct seen *seen)
{
	bool failure = is_element(node, "failure"), error = is_element(node, "error");
	xmlChar *content = xmlNodeGetContent(node);

	assert_true(failure || error || is_element(node, "skipped"));
	seen->failures += failure;
	seen->errors += error;
	seen->skipped += !failure && !error;
	assert_non_null(content);
	assert_true(strlen((const char *)content) > 0);
	assert_non_null(get_attribute(fixture, node, "message"));
	assert_true(strlen(get_attribute(fixture, node, "message")) > 0);
	if (failure || error)
		assert_non_null(get_attribute(fixture, node, "type"));
	xmlFree(content);
}

/* Declared counts are those that are there; some readers complain when they are not. */
static void assert_counts(struct fixture *fixture, xmlDoc *doc, struct seen *total)
{
	for (xmlNode *suite = xmlDocGetRootElement(doc)->children; suite; suite = suite->next) {
		struct seen seen = { 0 };

		if (!is_element(suite, "testsuite"))
			continue;
		for (xmlNode *test = suite->children; test; test = test->next) {
			if (!is_element(test, "testcase"))
				continue;
			seen.tests++;
			for (xmlNode *node = test->children; node; node = node->next) {
				if (node->type == XML_ELEMENT_NODE)
					see_outcome(fixture, node, &seen);
			}
		}
		assert_int_equal(get_number(fixture, suite, "tests"), seen.tests);
		assert_int_equal(get_number(fixture, suite, "failures"), seen.failures);
		assert_int_equal(get_number(fixture, suite, "errors"), seen.errors);
		assert_int_equal(get_number(fixture, suite, "skipped"), seen.skipped);
		total->tests += seen.tests;
		total->failures += seen.failures;
		total->errors += seen.errors;
		total->skipped += seen.skipped;
	}
}

static void test_format(void **state)
{
	assert_int_equal(kc_report_format_junit.magic, KC_REPORT_MAGIC);
	assert_int_equal(kc_report_format_junit.size, sizeof(struct kc_report));
	assert_string_equal(kc_report_format_junit.name, "junit");
}

static void test_golden(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = { 0 };
	size_t size;
	char *text = write_report(fixture, kc_make_report(&fixture->arena), &size);
	xmlDoc *doc = parse(fixture, text, size);

	kc_assert_golden("report.xml", text, size);
	assert_counts(fixture, doc, &seen);
	/* Failures of rules that do not count for the gate are there too. */
	assert_int_equal(seen.tests, 16);
	assert_int_equal(seen.failures, 5);
	assert_int_equal(seen.errors, 2);
	assert_int_equal(seen.skipped, 5);
	xmlFreeDoc(doc);
}

/* Fixed has passed; what waits for a reboot has failed until then. */
static void test_repaired(void **state)
{
	struct fixture *fixture = *state;
	struct seen seen = { 0 };
	size_t size;
	char *text =
		write_report(fixture, kc_make_report_repaired(&fixture->arena, NULL, true), &size);
	xmlDoc *doc = parse(fixture, text, size);

	kc_assert_golden("report-repaired.xml", text, size);
	assert_counts(fixture, doc, &seen);
	assert_int_equal(seen.tests, 16);
	assert_int_equal(seen.failures, 4);
	assert_int_equal(seen.skipped, 5);
	assert_non_null(strstr(text, "type=\"pending\""));
	assert_non_null(strstr(text, "\nfixed: ip-forward\n"));
	xmlFreeDoc(doc);
}

static void test_hostile(void **state)
{
	struct fixture *fixture = *state;
	const char *const *texts = kc_hostile_texts(&fixture->arena);

	assert_non_null(texts);
	KC_FOREACH_STR (hostile, texts) {
		struct seen seen = { 0 };
		size_t size;
		char *text =
			write_report(fixture, kc_make_report_of(&fixture->arena, hostile), &size);
		xmlDoc *doc = parse(fixture, text, size);

		assert_counts(fixture, doc, &seen);
		assert_int_equal(seen.failures, 5);
		if (strlen(hostile) == 1024 * 1024)
			assert_non_null(strstr(text, "(cut here: 1048576 bytes in all)"));
		xmlFreeDoc(doc);
	}
}

static void test_what_was_there_is_said(void **state)
{
	struct fixture *fixture = *state;
	size_t size;
	char *text = write_report(
		fixture, kc_make_report_of(&fixture->arena, "a\x1b\xff]]>\xef\xbf\xbf##[error]"),
		&size);

	assert_non_null(strstr(text, "  found:    a\\x1b\\xff]]&gt;\\u{ffff}#\\x23[error]\n"));
}

static void test_names_are_unique(void **state)
{
	struct fixture *fixture = *state;
	size_t size;
	char *text = write_report(fixture, kc_make_report(&fixture->arena), &size);
	xmlDoc *doc = parse(fixture, text, size);
	struct kc_buf all = { 0 };

	for (xmlNode *suite = xmlDocGetRootElement(doc)->children; suite; suite = suite->next) {
		for (xmlNode *test = suite->children; test; test = test->next) {
			char *name;

			if (!is_element(test, "testcase"))
				continue;
			name = kc_arena_printf(&fixture->arena, "<%s|%s>",
					       get_attribute(fixture, test, "classname"),
					       get_attribute(fixture, test, "name"));
			assert_non_null(name);
			assert_null(all.data ? strstr(all.data, name) : NULL);
			kc_buf_adds(&all, name);
		}
	}
	assert_non_null(all.data);
	assert_non_null(strstr(all.data, "<crio-1.18.host|ip-forward [boot]>"));
	kc_buf_done(&all);
	xmlFreeDoc(doc);
}

/* Very many large findings: no text node beyond what parsers take. */
static void test_flood(void **state)
{
	struct fixture *fixture = *state;
	struct kc_report *report = kc_make_report_large(&fixture->arena, 1, 1);
	const char *const *texts = kc_hostile_texts(&fixture->arena);
	struct kc_result result = report->results[0];
	struct kc_judgement *now = result.judgements + KC_J_NOW;
	struct kc_result_finding many[1000];
	const char *megabyte = NULL;
	size_t size;
	xmlDoc *doc;
	char *text;

	KC_FOREACH_STR (hostile, texts)
		megabyte = strlen(hostile) > 1000 ? hostile : megabyte;
	assert_non_null(megabyte);
	for (unsigned i = 0; i < KC_ARRAY_SIZE(many); i++) {
		many[i] = now->findings[0];
		many[i].subject = many[i].found = many[i].message = megabyte;
	}
	now->findings = many;
	now->n_findings = KC_ARRAY_SIZE(many);
	report->results = &result;
	text = write_report(fixture, report, &size);
	doc = parse(fixture, text, size);
	assert_true(size < 8 * 1024 * 1024);
	assert_non_null(strstr(text, " findings more\n"));
	xmlFreeDoc(doc);
}

static void test_empty(void **state)
{
	struct fixture *fixture = *state;
	struct kc_report *report = kc_make_report_large(&fixture->arena, 0, 0);
	struct seen seen = { 0 };
	size_t size;
	xmlDoc *doc;
	char *text;

	report->profile = NULL;
	report->host = (struct kc_report_host){ .hostname = "  " };
	report->run.sandbox = NULL;
	text = write_report(fixture, report, &size);
	doc = parse(fixture, text, size);
	assert_counts(fixture, doc, &seen);
	assert_int_equal(seen.tests, 0);
	assert_non_null(strstr(text, "warning: profiles/crio-1.18.yaml can be written by others"));
	assert_non_null(strstr(text, "hostname=\"localhost\""));
	xmlFreeDoc(doc);
}

static void test_full_device_is_an_error(void **state)
{
	struct fixture *fixture = *state;
	struct kc_report *report = kc_make_report_large(&fixture->arena, 1000, 2);
	struct kc_report_style style = { 0 };
	struct kc_err err = { 0 };
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	assert_int_equal(kc_report_format_junit.write(report, &style, out, &err), -EIO);
	assert_true(*err.text);
	(void)fclose(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_format),
		cmocka_unit_test_teardown(test_golden, teardown),
		cmocka_unit_test_teardown(test_repaired, teardown),
		cmocka_unit_test_teardown(test_hostile, teardown),
		cmocka_unit_test_teardown(test_what_was_there_is_said, teardown),
		cmocka_unit_test_teardown(test_names_are_unique, teardown),
		cmocka_unit_test_teardown(test_flood, teardown),
		cmocka_unit_test_teardown(test_empty, teardown),
		cmocka_unit_test_teardown(test_full_device_is_an_error, teardown),
	};

	return cmocka_run_group_tests_name("report-junit", tests, setup_schemas, teardown_schemas);
}
