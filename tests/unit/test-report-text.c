/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "golden.h"
#include "make-report.h"
#include "reports/text.h"

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

static void golden(struct kc_arena *arena, const char *name, const struct kc_report_style *style)
{
	struct kc_report *report = kc_make_report(arena);
	size_t size;
	char *text;

	assert_non_null(report);
	text = kc_write_report(arena, kc_report_text, report, style, &size);
	assert_non_null(text);
	kc_assert_golden(name, text, size);
}

static void test_plain(void **state)
{
	golden(*state, "report.txt", &(struct kc_report_style){ 0 });
}

static void test_columns(void **state)
{
	golden(*state, "report-60.txt", &(struct kc_report_style){ .columns = 60 });
}

static void test_color(void **state)
{
	golden(*state, "report-color.txt",
	       &(struct kc_report_style){ .color = true, .columns = 100 });
}

static void test_verbose(void **state)
{
	golden(*state, "report-verbose.txt",
	       &(struct kc_report_style){ .verbose = true, .columns = 100 });
}

static void test_quiet(void **state)
{
	golden(*state, "report-quiet.txt", &(struct kc_report_style){ .quiet = true });
}

static void test_repaired(void **state)
{
	struct kc_report *report = kc_make_report_repaired(*state, NULL, true);
	size_t size;
	char *text;

	assert_non_null(report);
	text = kc_write_report(*state, kc_report_text, report, &(struct kc_report_style){ 0 },
			       &size);
	assert_non_null(text);
	kc_assert_golden("report-repaired.txt", text, size);
}

static void assert_repair(struct kc_arena *arena, const struct kc_report *report, bool quiet,
			  const char *line)
{
	char *text = kc_write_report(arena, kc_report_text, report,
				     &(struct kc_report_style){ .quiet = quiet }, NULL);

	assert_non_null(text);
	if (!strstr(text, line))
		fail_msg("%s is not in %s", line, text);
}

/* What it comes to, and what to type: on another root that root has to be named again. */
static void test_repair_line(void **state)
{
	struct kc_report *report = kc_make_report_repaired(*state, NULL, true);

	assert_repair(*state, report, true,
		      "\nrepair: 1 rule fixed, 1 pending\nundo: k8scheck rollback "
		      "20260131-080000-1\n");
	report->host.root = "/mnt/image";
	report->host.live = false;
	assert_repair(*state, report, false,
		      "\nundo: k8scheck rollback 20260131-080000-1 --root /mnt/image\n");
	report->host.live = true;
	assert_repair(*state, report, false, " --root /mnt/image --live\n");
	report->repair = (struct kc_report_repair){ .asked = true };
	assert_repair(*state, report, false, "\nrepair: nothing was changed\n");
	assert_repair(*state, kc_make_report_repaired(*state, "/etc/fstab: no space", false), false,
		      "\nrepair: /etc/fstab: no space; everything that had been changed was taken "
		      "back\n");
	assert_repair(*state, kc_make_report_repaired(*state, "/etc/fstab: no space", true), false,
		      "\nrepair: /etc/fstab: no space; not everything that had been changed could "
		      "be taken back\nundo: k8scheck rollback 20260131-080000-1\n");
}

/* Who did not ask for a repair reads nothing of one. */
static void test_no_repair(void **state)
{
	char *text = kc_write_report(*state, kc_report_text, kc_make_report(*state),
				     &(struct kc_report_style){ 0 }, NULL);

	assert_non_null(text);
	assert_null(strstr(text, "repair:"));
	assert_null(strstr(text, "reboot:"));
}

static bool is_ci_mark(const char *s)
{
	return strncmp(s, "##", 2) == 0 &&
	       s[2 + strspn(s + 2, "abcdefghijklmnopqrstuvwxyz")] == '[';
}

/* Nothing but printable characters and line ends, and no line that a CI system takes for a command.
 */
static void assert_harmless(const char *text, size_t size)
{
	bool line_start = true, harmless = true;

	for (size_t i = 0; harmless && i < size;) {
		uint32_t c = 0;
		size_t n = kc_utf8_sequence(text + i, size - i, &c);

		harmless = n > 0 && (c == '\n' || (c >= 0x20 && c < 0x7f) || c >= 0xa0) &&
			   !(c >= 0x200b && c <= 0x200f) && !(c >= 0x202a && c <= 0x202e) &&
			   !(c >= 0x2066 && c <= 0x2069) &&
			   !(line_start && text[i] == ':' && text[i + 1] == ':') &&
			   !(c == '#' && is_ci_mark(text + i));
		if (c == '\n')
			line_start = true;
		else if (c != ' ')
			line_start = false;
		i += n;
	}
	assert_true(harmless);
}

static void test_hostile(void **state)
{
	static const struct kc_report_style styles[] = {
		{ 0 },
		{ .columns = 40 },
		{ .columns = 80, .verbose = true },
		{ .columns = 80, .quiet = true },
	};
	const char *const *texts = kc_hostile_texts(*state);

	assert_non_null(texts);
	KC_FOREACH_STR (hostile, texts) {
		struct kc_report *report = kc_make_report_of(*state, hostile);

		assert_non_null(report);
		for (unsigned i = 0; i < KC_ARRAY_SIZE(styles); i++) {
			size_t size;
			char *text =
				kc_write_report(*state, kc_report_text, report, styles + i, &size);

			assert_non_null(text);
			assert_harmless(text, size);
			/* A megabyte in about seventy places must not flood a terminal. */
			assert_true(size < 1024 * 1024);
			if (strlen(hostile) == 1024 * 1024)
				assert_non_null(strstr(text, "1048576"));
		}
	}
}

static void test_what_was_there_is_said(void **state)
{
	struct kc_report *report = kc_make_report_of(*state, "a\x1b[31mb\nc\xff"
							     "d##[error]e\\");
	char *text = kc_write_report(*state, kc_report_text, report, &(struct kc_report_style){ 0 },
				     NULL);

	assert_non_null(text);
	assert_non_null(strstr(text, "found     a\\x1b[31mb\\nc\\xffd#\\x23[error]e\\\n"));
}

static void test_wrapped_lines_fit(void **state)
{
	struct kc_report *report = kc_make_report_of(
		*state,
		"many short words that are to be wrapped at the width of the terminal, again and "
		"again, and words of \xe6\x97\xa5\xe6\x9c\xac that are twice as wide as others");
	static const unsigned columns[] = { 40, 50, 80, 132 };

	assert_non_null(report);
	for (unsigned i = 0; i < KC_ARRAY_SIZE(columns); i++) {
		struct kc_report_style style = { .columns = columns[i], .verbose = true };
		char *text = kc_write_report(*state, kc_report_text, report, &style, NULL);
		char *save = NULL;

		assert_non_null(text);
		for (char *line = strtok_r(text, "\n", &save); line;
		     line = strtok_r(NULL, "\n", &save)) {
			/* The last line is one line for scripts, a command one to be copied, and
			 * leads and single words are kept whole. */
			if (strncmp(line, "gate: ", 6) == 0 || strncmp(line, "undo: ", 6) == 0 ||
			    strchr(line, '/') || strstr(line, "k8scheck 0.1.0"))
				continue;
			if (kc_columns(line) > columns[i] &&
			    strchr(line + strspn(line, " "), ' ') && columns[i] >= 80)
				fail_msg("wider than %u: %s", columns[i], line);
		}
	}
}

static void assert_gate(struct kc_arena *arena, struct kc_report *report, const char *gate)
{
	char *text = kc_write_report(arena, kc_report_text, report, &(struct kc_report_style){ 0 },
				     NULL);
	char *last;

	assert_non_null(text);
	last = strstr(text, "\ngate: ");
	assert_non_null(last);
	if (strncmp(last + 1, gate, strlen(gate)) != 0)
		fail_msg("is %s, should begin %s", last + 1, gate);
	assert_int_equal(strchr(last + 1, '\n')[1], 0);
}

static void test_gate(void **state)
{
	struct kc_report *report = kc_make_report_large(*state, 3, 0);

	assert_gate(
		*state, report,
		"gate: open (exit 0): 3 required rules applied, and none failed; 3 rules: 3 pass;");
	report = kc_make_report_large(*state, 3, 3);
	assert_gate(*state, report,
		    "gate: closed (exit 1): 1 required rule failed; 3 rules: 1 fail, 2 pass;");
	report->run.strict = true;
	kc_report_conclude(report);
	assert_gate(*state, report,
		    "gate: closed (exit 1): 1 required or recommended rule failed;");
	report = kc_make_report_large(*state, 0, 0);
	assert_gate(*state, report,
		    "gate: closed (exit 3): no required rule applied here; 0 rules;");
}

static void test_many_findings_are_counted(void **state)
{
	struct kc_report *report = kc_make_report_large(*state, 1, 1);
	struct kc_result result = report->results[0];
	struct kc_judgement *now = result.judgements + KC_J_NOW;
	struct kc_result_finding many[100];
	struct kc_report_style style = { 0 };
	char *text;

	for (unsigned i = 0; i < KC_ARRAY_SIZE(many); i++) {
		many[i] = now->findings[0];
		many[i].subject = "another";
	}
	now->findings = many;
	now->n_findings = KC_ARRAY_SIZE(many);
	report->results = &result;
	text = kc_write_report(*state, kc_report_text, report, &style, NULL);
	assert_non_null(text);
	assert_non_null(strstr(text, "and 81 more, which --verbose shows"));
	style.verbose = true;
	text = kc_write_report(*state, kc_report_text, report, &style, NULL);
	assert_non_null(text);
	assert_null(strstr(text, " more, which"));
}

static void test_full_device_is_an_error(void **state)
{
	struct kc_report *report = kc_make_report_large(*state, 1000, 2);
	struct kc_report_style style = { 0 };
	struct kc_err err = { 0 };
	FILE *out = fopen("/dev/full", "w");

	assert_non_null(out);
	assert_int_equal(kc_report_text(report, &style, out, &err), -EIO);
	assert_true(*err.text);
	(void)fclose(out);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_color, setup, teardown),
		cmocka_unit_test_setup_teardown(test_verbose, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repaired, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repair_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_repair, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hostile, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_was_there_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wrapped_lines_fit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_findings_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_device_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests_name("report-text", tests, NULL, NULL);
}
