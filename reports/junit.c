/* SPDX-License-Identifier: Apache-2.0 */
#include <libxml/xmlwriter.h>

#include "base/clock.h"
#include "finding.h"
#include "value.h"

/*
 * JUnit XML that both schemas in use accept: Windy Road's, which Azure DevOps documents, and
 * Jenkins' junit-10. Where they differ the stricter one decides: no attributes on <testsuites>, all
 * of package, id, hostname and a timestamp without zone on <testsuite>, <properties> first,
 * <system-out> and <system-err> last even when empty, `type` on every <failure> and <error>; a
 * suite's time has three decimals at most.
 *
 * A suite a stage, a case a rule and horizon. Every fail is a <failure>, so that none vanishes; its
 * type is the rule's severity, and the exit code alone says whether the gate is open. An error is
 * an <error>; a skip, a waiver and what a person must judge are <skipped>, with the reason as
 * attribute and as text, since readers take one or the other. A rule that was repaired has passed,
 * and <system-out> says so, for a <testcase> may not have one by the stricter schema. What waits
 * for a reboot is a <failure> until then: whoever goes on by this file alone has no such node yet.
 */
enum {
	VALUE_MAX = 64 * 1024, /* bytes of a host's value */
	MESSAGE_MAX = 1024, /* of an attribute, which viewers show on a line */
	FINDINGS_MAX = 256, /* of a case */
	TEXT_MAX = 1024 * 1024, /* of a case: no finding begins behind it, parsers take 10 MB */
};

#ifndef KC_REPORT_SYMBOL
#define KC_REPORT_SYMBOL kc_report_format
#endif

struct writer {
	const struct kc_report *report;
	xmlTextWriter *xml;
	int failed; /* sticky: a call of the library failed */
	struct kc_buf a, b; /* scratch */
};

struct counts {
	unsigned tests, failures, errors, skipped;
	uint64_t usec;
};

static const char *const horizon_names[KC_J_MAX] = { "now", "boot" };

static void writer_done(struct writer *w)
{
	xmlFreeTextWriter(w->xml);
	kc_buf_done(&w->a);
	kc_buf_done(&w->b);
}

/* A failure is left to ferror(): told here, the library would print it. */
static int write_out(void *context, const char *data, int size)
{
	(void)fwrite_unlocked(data, 1, (size_t)size, context);
	return size;
}

static void check(struct writer *w, int result)
{
	if (result < 0)
		w->failed = 1;
}

static void start(struct writer *w, const char *element)
{
	check(w, xmlTextWriterStartElement(w->xml, BAD_CAST element));
}

static void end(struct writer *w)
{
	check(w, xmlTextWriterEndElement(w->xml));
}

/* The text is made of characters that XML 1.0 has. */
static void attribute(struct writer *w, const char *name, const char *text)
{
	check(w, xmlTextWriterWriteAttribute(w->xml, BAD_CAST name, BAD_CAST text));
}

static void attribute_number(struct writer *w, const char *name, unsigned number)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", number);
	attribute(w, name, text);
}

static void attribute_time(struct writer *w, uint64_t usec, int decimals)
{
	uint64_t fraction = usec % 1000000, unit = 1;
	char text[40];

	for (int i = decimals; i < 6; i++)
		unit *= 10;
	(void)snprintf(text, sizeof(text), "%llu.%0*llu", (unsigned long long)(usec / 1000000),
		       decimals, (unsigned long long)(fraction / unit));
	attribute(w, "time", text);
}

static const char *text_of(struct writer *w, const struct kc_buf *b)
{
	if (b->failed)
		w->failed = 1;
	return b->data && !b->failed ? b->data : "";
}

static void attribute_value(struct writer *w, const char *name, const char *s, size_t max)
{
	kc_buf_reset(&w->b);
	kc_value_add(&w->b, s, max);
	attribute(w, name, text_of(w, &w->b));
}

static void property(struct writer *w, const char *name, const char *value)
{
	start(w, "property");
	attribute(w, "name", name);
	attribute_value(w, "value", value ? value : "", VALUE_MAX);
	end(w);
}

/* ---- a case ---- */

static void add_labelled(struct kc_buf *b, const char *label, const char *value)
{
	if (!value)
		return;
	kc_buf_adds(b, label);
	if (*value)
		kc_value_add(b, value, VALUE_MAX);
	else
		kc_buf_adds(b, "(empty)");
	kc_buf_addc(b, '\n');
}

/* Remedies are written over several lines, with commands in them: their line ends stay. */
static void add_remedy(struct kc_buf *b, const struct kc_rule *rule)
{
	const char *s = rule->remedy;

	if (!s && rule->check)
		s = rule->check->remedy;
	if (!s)
		return;
	kc_buf_adds(b, "remedy:\n");
	while (*s) {
		size_t n = strcspn(s, "\n");
		kc_cleanup(kc_freep) char *part = strndup(s, n);

		b->failed = b->failed || !part;
		kc_buf_adds(b, "  ");
		kc_value_add_line(b, part, VALUE_MAX);
		kc_buf_addc(b, '\n');
		s += n;
		s += *s == '\n';
	}
}

/* Every line begins with a word of ours: no value of a host can pass for a command of a CI system.
 */
static void add_finding(struct kc_buf *b, const struct kc_result *result,
			const struct kc_result_finding *f)
{
	kc_buf_addf(b, "%s:", kc_shown_name(f->verdict));
	if (f->subject) {
		kc_buf_addc(b, ' ');
		kc_value_add(b, f->subject, VALUE_MAX);
	}
	kc_buf_addc(b, '\n');
	add_labelled(b, "  because:  ", kc_finding_why(result, f));
	add_labelled(b, "  expected: ", f->expected);
	add_labelled(b, "  found:    ", f->found);
	add_labelled(b, "  source:   ", f->source);
}

static void add_findings(struct kc_buf *b, const struct kc_result *result,
			 const struct kc_judgement *judgement)
{
	unsigned shown = 0, more = 0;

	/* The ones that decided come first, then the others. */
	for (unsigned turn = 0; turn < 2; turn++) {
		for (uint32_t i = 0; i < judgement->n_findings; i++) {
			const struct kc_result_finding *f = judgement->findings + i;

			if ((f->verdict == judgement->verdict) != (turn == 0))
				continue;
			if (shown < FINDINGS_MAX && b->len < TEXT_MAX)
				add_finding(b, result, f);
			else
				more++;
			shown++;
		}
	}
	if (more > 0)
		kc_buf_addf(b, "and %u findings more\n", more);
}

/* One line of the first finding that decided. */
static void add_message(struct kc_buf *b, const struct kc_result *result,
			const struct kc_judgement *judgement)
{
	for (uint32_t i = 0; i < judgement->n_findings; i++) {
		const struct kc_result_finding *f = judgement->findings + i;
		const char *why = kc_finding_why(result, f);

		if (f->verdict != judgement->verdict)
			continue;
		kc_value_add(b, f->subject, MESSAGE_MAX);
		if (f->subject && (why || f->expected || f->found))
			kc_buf_adds(b, ": ");
		if (why ? f->expected && f->found : f->expected || f->found) {
			kc_buf_adds(b, "expected ");
			kc_value_add(b, f->expected ? f->expected : "another", MESSAGE_MAX);
			kc_buf_adds(b, ", found ");
			kc_value_add(b, f->found && *f->found ? f->found : "nothing", MESSAGE_MAX);
			kc_buf_adds(b, why ? ": " : "");
		}
		kc_value_add(b, why, MESSAGE_MAX);
		return;
	}
}

static void outcome(struct writer *w, const char *element, const char *prefix, const char *type,
		    const struct kc_result *result, unsigned j)
{
	const struct kc_judgement *judgement = result->judgements + j;

	start(w, element);
	kc_buf_reset(&w->a);
	kc_buf_adds(&w->a, prefix);
	add_message(&w->a, result, judgement);
	if (w->a.len == 0)
		kc_buf_adds(&w->a, "no reason was given");
	attribute(w, "message", text_of(w, &w->a));
	if (type)
		attribute(w, "type", type);
	kc_buf_reset(&w->a);
	kc_buf_addf(&w->a, "\n%s%s", prefix, *prefix ? "\n" : "");
	add_findings(&w->a, result, judgement);
	if (kc_shown_verdict(result, j) == KC_FAIL)
		add_remedy(&w->a, result->rule);
	check(w, xmlTextWriterWriteString(w->xml, BAD_CAST text_of(w, &w->a)));
	end(w);
}

static const char *failure_type(const struct kc_result *result)
{
	const char *name = kc_severity_name(result->rule->severity);

	return name ? name : "required";
}

static void case_start(struct writer *w, const char *classname, const struct kc_result *result,
		       const char *horizon, uint64_t usec)
{
	start(w, "testcase");
	attribute(w, "classname", classname);
	kc_buf_reset(&w->a);
	kc_value_add(&w->a, result->rule->id, MESSAGE_MAX);
	if (horizon)
		kc_buf_addf(&w->a, " [%s]", horizon);
	attribute(w, "name", text_of(w, &w->a));
	attribute_time(w, usec, 6);
}

static void put_case(struct writer *w, const char *classname, const struct kc_result *result,
		     unsigned j, uint64_t usec)
{
	case_start(w, classname, result, horizon_names[j], usec);
	switch (kc_shown_verdict(result, j)) {
	case KC_FAIL:
		outcome(w, "failure", "", failure_type(result), result, j);
		break;
	case KC_ERROR:
		outcome(w, "error", "", "undecided", result, j);
		break;
	case KC_SKIP:
		outcome(w, "skipped", "", NULL, result, j);
		break;
	case KC_MANUAL:
		outcome(w, "skipped", "a person must judge: ", NULL, result, j);
		break;
	case KC_WAIVED:
		outcome(w, "skipped", "waived: ", NULL, result, j);
		break;
	case KC_PENDING:
		outcome(w, "failure", "repaired, and complete after a reboot: ", "pending", result,
			j);
		break;
	default:
		break;
	}
	end(w);
}

/* A rule that nobody judged still counts for the gate; without a case it would be lost. */
static void put_unjudged(struct writer *w, const char *classname, const struct kc_result *result)
{
	static const char why[] = "not judged: the check has none of the horizons asked for";

	case_start(w, classname, result, NULL, result->duration_usec);
	start(w, "error");
	attribute(w, "message", why);
	attribute(w, "type", "undecided");
	check(w, xmlTextWriterWriteString(w->xml, BAD_CAST why));
	end(w);
	end(w);
}

/* ---- a suite ---- */

static void count_result(struct counts *counts, const struct kc_result *result)
{
	bool judged = false;

	counts->usec += result->duration_usec;
	for (unsigned j = 0; j < KC_J_MAX; j++) {
		uint32_t verdict = kc_shown_verdict(result, j);

		if (verdict == KC_VERDICT_NONE)
			continue;
		judged = true;
		counts->tests++;
		counts->failures += verdict == KC_FAIL || verdict == KC_PENDING;
		counts->errors += verdict == KC_ERROR;
		counts->skipped +=
			verdict == KC_SKIP || verdict == KC_MANUAL || verdict == KC_WAIVED;
	}
	if (!judged) {
		counts->tests++;
		counts->errors++;
	}
}

static void put_result(struct writer *w, const char *classname, const struct kc_result *result)
{
	/* A rule's time is of both horizons together: the first case has it, so that sums are
	 * right. */
	uint64_t usec = result->duration_usec;
	bool judged = false;

	for (unsigned j = 0; j < KC_J_MAX; j++) {
		if (result->judgements[j].verdict == KC_VERDICT_NONE)
			continue;
		put_case(w, classname, result, j, usec);
		judged = true;
		usec = 0;
	}
	if (!judged)
		put_unjudged(w, classname, result);
}

static void properties(struct writer *w)
{
	const struct kc_report *report = w->report;

	start(w, "properties");
	property(w, "k8scheck.version", report->run.version);
	property(w, "k8scheck.profile", report->profile ? report->profile->name : NULL);
	property(w, "host.os", report->host.os);
	property(w, "host.kernel", report->host.kernel);
	property(w, "host.root", report->host.root);
	kc_buf_reset(&w->a);
	KC_FOREACH_STR (layer, report->run.sandbox) {
		if (w->a.len > 0)
			kc_buf_adds(&w->a, ", ");
		kc_value_add(&w->a, layer, MESSAGE_MAX);
	}
	property(w, "sandbox", w->a.len > 0 ? text_of(w, &w->a) : "none");
	kc_buf_reset(&w->a);
	kc_gate_sentence(&w->a, report);
	property(w, "gate", text_of(w, &w->a));
	end(w);
}

/* Of type token: white space at its ends does not count, and it must not be empty. */
static bool has_text(const char *s)
{
	return s && s[strspn(s, " ")] != 0;
}

static void suite_attributes(struct writer *w, const char *name, unsigned id,
			     const struct counts *counts)
{
	const struct kc_report *report = w->report;
	const char *hostname = report->host.hostname;
	char started[KC_TIME_MAX];

	kc_format_time(report->run.started_usec, 0, started);
	attribute(w, "name", name);
	attribute_value(w, "package", report->profile ? report->profile->name : "k8scheck",
			MESSAGE_MAX);
	attribute_number(w, "id", id);
	attribute(w, "timestamp", started);
	attribute_value(w, "hostname", has_text(hostname) ? hostname : "localhost", MESSAGE_MAX);
	attribute_number(w, "tests", counts->tests);
	attribute_number(w, "failures", counts->failures);
	attribute_number(w, "errors", counts->errors);
	attribute_number(w, "skipped", counts->skipped);
	attribute_time(w, counts->usec, 3);
}

/* What --fix has done: of the run in the first suite, of rules in each its own. */
static void put_repaired(struct writer *w, uint8_t stage, unsigned id)
{
	const struct kc_report *report = w->report;
	const struct kc_report_repair *repair = &report->repair;

	kc_buf_reset(&w->a);
	if (id == 0 && repair->asked) {
		kc_buf_adds(&w->a, "repair: ");
		kc_repair_sentence(&w->a, report);
		if (repair->changed && repair->transaction)
			kc_buf_adds(&w->a, "\nundo: ");
		kc_repair_undo(&w->a, report);
		kc_buf_addc(&w->a, '\n');
		KC_FOREACH_STR (note, repair->notes)
			add_labelled(&w->a, "note: ", note);
	}
	for (uint32_t i = 0; i < report->n_results; i++) {
		const struct kc_result *result = report->results + i;

		if (result->rule->stage == stage &&
		    (result->verdict == KC_FIXED || result->verdict == KC_PENDING))
			add_labelled(&w->a, result->verdict == KC_FIXED ? "fixed: " : "pending: ",
				     result->rule->id);
	}
	if (w->a.len > 0)
		check(w, xmlTextWriterWriteString(w->xml, BAD_CAST text_of(w, &w->a)));
}

static void put_suite(struct writer *w, uint8_t stage, unsigned id, const struct counts *counts)
{
	const struct kc_report *report = w->report;
	const char *name = kc_stage_name(stage);
	kc_cleanup(kc_buf_done) struct kc_buf classname = { 0 };

	kc_value_add(&classname, report->profile ? report->profile->name : "k8scheck", MESSAGE_MAX);
	kc_buf_addf(&classname, ".%s", name);
	start(w, "testsuite");
	suite_attributes(w, name, id, counts);
	properties(w);
	for (uint32_t i = 0; i < report->n_results; i++) {
		if (report->results[i].rule->stage == stage)
			put_result(w, text_of(w, &classname), report->results + i);
	}
	start(w, "system-out");
	put_repaired(w, stage, id);
	end(w);
	start(w, "system-err");
	kc_buf_reset(&w->a);
	if (id == 0) {
		KC_FOREACH_STR (warning, report->run.warnings)
			add_labelled(&w->a, "warning: ", warning);
	}
	if (w->a.len > 0)
		check(w, xmlTextWriterWriteString(w->xml, BAD_CAST text_of(w, &w->a)));
	end(w);
	end(w);
}

static void put_suites(struct writer *w)
{
	struct counts counts[KC_STAGE_MAX] = { { 0 } };
	unsigned id = 0;

	for (uint32_t i = 0; i < w->report->n_results; i++) {
		const struct kc_result *result = w->report->results + i;

		count_result(counts + result->rule->stage, result);
	}
	for (uint8_t stage = KC_STAGE_HOST; stage < KC_STAGE_MAX; stage++) {
		if (counts[stage].tests > 0)
			put_suite(w, stage, id++, counts + stage);
	}
	/* What the run says of itself is not lost when no rule was selected. */
	if (id == 0)
		put_suite(w, KC_STAGE_HOST, 0, counts + KC_STAGE_HOST);
}

static int write_junit(const struct kc_report *report, const struct kc_report_style *style,
		       FILE *out, struct kc_err *err)
{
	kc_cleanup(writer_done) struct writer w = { .report = report };
	xmlOutputBuffer *buffer = xmlOutputBufferCreateIO(write_out, NULL, out, NULL);

	if (!buffer)
		return kc_err_set(err, -ENOMEM, "no memory for the JUnit report");
	w.xml = xmlNewTextWriter(buffer);
	if (!w.xml) {
		(void)xmlOutputBufferClose(buffer);
		return kc_err_set(err, -ENOMEM, "no memory for the JUnit report");
	}
	check(&w, xmlTextWriterSetIndent(w.xml, 1));
	check(&w, xmlTextWriterStartDocument(w.xml, NULL, "UTF-8", NULL));
	start(&w, "testsuites");
	put_suites(&w);
	end(&w);
	check(&w, xmlTextWriterEndDocument(w.xml));
	check(&w, xmlTextWriterFlush(w.xml));
	if (w.failed)
		return kc_err_set(err, -ENOMEM, "no memory for the JUnit report");
	if (ferror(out))
		return kc_err_set(err, -EIO, "the JUnit report could not be written");
	return 0;
}

extern const struct kc_report_format KC_REPORT_SYMBOL;
__attribute__((visibility("default"))) const struct kc_report_format KC_REPORT_SYMBOL = {
	.magic = KC_REPORT_MAGIC,
	.size = sizeof(struct kc_report),
	.name = "junit",
	.title = "JUnit XML for CI systems: a case a rule and horizon",
	.write = write_junit,
};
