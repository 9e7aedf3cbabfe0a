/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "finding.h"
#include "layout.h"
#include "plan-text.h"
#include "value.h"

enum {
	VALUE_MAX = 2048, /* bytes of a host's value; JSON has more of it */
	ID_WIDTH_MAX = 32,
	VERDICT_WIDTH = 7, /* of the longest, "pending" */
	DETAIL_INDENT = 2 + VERDICT_WIDTH + 2,
	BLOCKS_MAX = 20, /* findings of a rule and verdict, without --verbose */
	SEARCH_MAX = 256, /* findings that are searched for the same subject */
};

/* Both horizons' finding of one subject; or one of them, and the verdict that the other horizon
 * has. */
struct pair {
	const struct kc_result_finding *finding[KC_J_MAX];
	uint32_t other; /* of the horizon without finding */
};

struct text {
	const struct kc_report *report;
	const struct kc_report_style *style;
	struct kc_layout layout;
	struct kc_buf line; /* scratch */
	bool begun; /* a line is written */
	bool failed; /* memory was short: something is missing in the report */
};

static void text_done(struct text *t)
{
	kc_buf_done(&t->layout.word);
	kc_buf_done(&t->line);
}

/* The text of a buffer; "" when memory was short, which fails the report at its end. */
static const char *text_of(struct text *t, const struct kc_buf *b)
{
	t->failed = t->failed || b->failed;
	return b->data && !b->failed ? b->data : "";
}

static const char *line(struct text *t)
{
	return text_of(t, &t->line);
}

/* An empty line, but not as the first. */
static void gap(struct text *t)
{
	if (t->begun)
		(void)putc_unlocked('\n', t->layout.out);
	t->begun = true;
}

/* Without a space, so that no line is broken within. */
static void add_ms(struct kc_buf *b, uint64_t usec)
{
	kc_buf_addf(b, "%llu.%03llums", (unsigned long long)usec / 1000,
		    (unsigned long long)usec % 1000);
}

static void field(struct text *t, const char *label)
{
	kc_layout_line(&t->layout, 2, KC_INK_DIM, label, 8, line(t));
}

static void header_host(struct text *t)
{
	const struct kc_report_host *host = &t->report->host;

	kc_buf_reset(&t->line);
	kc_value_add(&t->line, host->hostname ? host->hostname : "(no name)", VALUE_MAX);
	if (host->os) {
		kc_buf_adds(&t->line, ", ");
		kc_value_add(&t->line, host->os, VALUE_MAX);
	}
	if (host->kernel) {
		kc_buf_adds(&t->line, ", kernel ");
		kc_value_add(&t->line, host->kernel, VALUE_MAX);
	}
	if (host->machine) {
		kc_buf_adds(&t->line, " on ");
		kc_value_add(&t->line, host->machine, VALUE_MAX);
	}
	field(t, "host");

	kc_buf_reset(&t->line);
	kc_value_add(&t->line, host->root ? host->root : "/", VALUE_MAX);
	kc_buf_adds(&t->line,
		    host->live ? " (the running system)" : " (offline: nothing of it runs)");
	field(t, "root");
}

static void add_list(struct text *t, const char *const *list, const char *if_empty)
{
	const char *separator = "";

	KC_FOREACH_STR (item, list) {
		kc_buf_adds(&t->line, separator);
		kc_value_add(&t->line, item, VALUE_MAX);
		separator = ", ";
	}
	if (!*separator)
		kc_buf_adds(&t->line, if_empty);
}

static void header_run(struct text *t)
{
	const struct kc_report_run *run = &t->report->run;
	uint32_t horizons = run->horizons & (t->report->host.live ? UINT32_MAX : ~(uint32_t)KC_NOW);
	char when[KC_TIME_MAX];

	kc_format_time(run->started_usec, 1, when);
	kc_buf_reset(&t->line);
	kc_buf_addf(&t->line, "%s%s%s%s at %s%s", horizons & KC_NOW ? "now" : "",
		    (horizons & (KC_NOW | KC_BOOT)) == (KC_NOW | KC_BOOT) ? " and " : "",
		    horizons & KC_BOOT ? "next boot" : "", horizons ? "" : "nothing", when,
		    run->strict ? ", strict" : "");
	field(t, "judged");

	kc_buf_reset(&t->line);
	add_list(t, run->sandbox, "no sandbox");
	field(t, "sandbox");
	if (run->sandbox_missing && run->sandbox_missing[0]) {
		kc_buf_reset(&t->line);
		add_list(t, run->sandbox_missing, "");
		field(t, "without");
	}
}

/* --quiet keeps them: they say what the verdicts are worth. */
static void warnings(struct text *t)
{
	KC_FOREACH_STR (warning, t->report->run.warnings) {
		t->begun = true;
		kc_buf_reset(&t->line);
		kc_value_add(&t->line, warning, VALUE_MAX);
		kc_layout_line(&t->layout, t->style->quiet ? 0 : 2, KC_INK_YELLOW, "warning:", 0,
			       line(t));
	}
}

static void header(struct text *t)
{
	const struct kc_profile *profile = t->report->profile;

	kc_buf_reset(&t->line);
	gap(t);
	kc_buf_adds(&t->line, "k8scheck ");
	kc_value_add(&t->line, t->report->run.version, VALUE_MAX);
	if (profile) {
		kc_buf_adds(&t->line, ", profile ");
		kc_value_add(&t->line, profile->name, VALUE_MAX);
	}
	if (profile && profile->title) {
		kc_buf_adds(&t->line, ": ");
		kc_value_add(&t->line, profile->title, VALUE_MAX);
	}
	kc_layout_line(&t->layout, 0, KC_INK_BOLD, line(t), 0, "");
	header_host(t);
	header_run(t);
}

static void facts(struct text *t)
{
	unsigned width = 0;

	if (t->report->n_facts == 0)
		return;
	for (uint32_t i = 0; i < t->report->n_facts; i++)
		width = KC_MAX(width, (unsigned)strlen(t->report->facts[i].name));
	width = KC_MIN(width, (unsigned)ID_WIDTH_MAX);
	gap(t);
	kc_layout_line(&t->layout, 0, KC_INK_BOLD, "facts", 0, "");
	for (uint32_t i = 0; i < t->report->n_facts; i++) {
		const struct kc_fact_value *fact = t->report->facts + i;
		kc_cleanup(kc_buf_done) struct kc_buf name = { 0 };

		kc_value_add(&name, fact->name, VALUE_MAX);
		kc_buf_reset(&t->line);
		if (fact->state == KC_FACT_KNOWN)
			kc_value_add(&t->line, fact->value, VALUE_MAX);
		else
			kc_buf_adds(&t->line,
				    fact->state == KC_FACT_ABSENT ? "not there" : "unknown");
		if (fact->source) {
			kc_buf_adds(&t->line, " (");
			kc_value_add(&t->line, fact->source, VALUE_MAX);
			kc_buf_addc(&t->line, ')');
		}
		kc_layout_line(&t->layout, 2, KC_INK_NONE, text_of(t, &name), width, line(t));
	}
}

static enum kc_ink verdict_ink(uint32_t verdict)
{
	switch (verdict) {
	case KC_PASS:
	case KC_FIXED:
		return KC_INK_GREEN;
	case KC_FAIL:
		return KC_INK_RED;
	case KC_SKIP:
		return KC_INK_DIM;
	case KC_MANUAL:
		return KC_INK_CYAN;
	default:
		return KC_INK_YELLOW;
	}
}

/* ---- one finding, or the same of both horizons ---- */

static const char *phrase(uint32_t verdict, bool now, bool boot, uint32_t other)
{
	bool both = now && boot;

	switch (verdict) {
	case KC_FAIL:
		if (both)
			return "wrong now and after the next boot";
		if (now)
			return other == KC_PASS ? "wrong now, right after the next boot"
						: "wrong now";
		return other == KC_PASS ? "right now, but lost at the next boot"
					: "wrong at the next boot";
	case KC_ERROR:
		return both  ? "could not be decided"
		       : now ? "could not be decided for now"
			     : "could not be decided for the next boot";
	case KC_MANUAL:
		return both  ? "a person must judge"
		       : now ? "a person must judge what is so now"
			     : "a person must judge what the next boot brings";
	case KC_SKIP:
		return both  ? "does not apply"
		       : now ? "does not apply now"
			     : "does not apply at boot";
	default:
		return both  ? "right now and after the next boot"
		       : now ? "right now"
			     : "right after the next boot";
	}
}

static void block_row(struct text *t, const char *label, unsigned width, const char *value)
{
	if (!value)
		return;
	kc_buf_reset(&t->line);
	kc_value_add(&t->line, value, VALUE_MAX);
	kc_layout_line(&t->layout, DETAIL_INDENT + 2, KC_INK_DIM, label, width,
		       *value ? line(t) : "(empty)");
}

enum row {
	ROW_EXPECTED,
	ROW_FOUND,
	ROW_SOURCE,
	ROW_WHY,
	ROW_MAX
};

static const char *row_value(const struct kc_result *result, const struct kc_result_finding *f,
			     unsigned row)
{
	switch (row) {
	case ROW_EXPECTED:
		return f->expected;
	case ROW_FOUND:
		return f->found;
	case ROW_SOURCE:
		return f->source;
	default:
		return kc_finding_why(result, f);
	}
}

static void block_rows(struct text *t, const struct kc_result *result, const struct pair *pair,
		       bool why_differs)
{
	static const char *const one[] = { "expected", "found", "source" };
	static const char *const each[ROW_MAX][KC_J_MAX] = {
		{ "expected now", "expected boot" },
		{ "found now", "found boot" },
		{ "source now", "source boot" },
		{ "because now", "because boot" },
	};
	const struct kc_result_finding *now = pair->finding[KC_J_NOW],
				       *boot = pair->finding[KC_J_BOOT];
	const struct kc_result_finding *any = now ? now : boot;
	bool differs = why_differs;

	for (unsigned row = 0; now && boot && row < ROW_WHY; row++)
		differs = differs ||
			  !kc_streq0(row_value(result, now, row), row_value(result, boot, row));
	for (unsigned row = 0; row < ROW_MAX; row++) {
		const char *a = row_value(result, any, row);
		const char *b = now && boot ? row_value(result, boot, row) : a;

		if (!kc_streq0(a, b)) {
			block_row(t, each[row][KC_J_NOW], 13, a);
			block_row(t, each[row][KC_J_BOOT], 13, b);
		} else if (row != ROW_WHY) {
			block_row(t, one[row], differs ? 13 : 8, a);
		}
	}
}

static void block(struct text *t, const struct kc_result *result, uint32_t verdict,
		  const struct pair *pair)
{
	const struct kc_result_finding *now = pair->finding[KC_J_NOW],
				       *boot = pair->finding[KC_J_BOOT];
	const struct kc_result_finding *any = now ? now : boot;
	const char *why = kc_finding_why(result, any);
	bool why_differs = now && boot && !kc_streq0(why, kc_finding_why(result, boot));
	kc_cleanup(kc_buf_done) struct kc_buf lead = { 0 };

	if (why_differs)
		why = NULL;
	kc_buf_adds(&lead, phrase(verdict, now, boot, pair->other));
	if (any->subject || why)
		kc_buf_addc(&lead, ':');
	kc_buf_reset(&t->line);
	kc_value_add(&t->line, any->subject, VALUE_MAX);
	if (any->subject && why)
		kc_buf_adds(&t->line, ": ");
	kc_value_add(&t->line, why, VALUE_MAX);
	kc_layout_line(&t->layout, DETAIL_INDENT, KC_INK_BOLD, text_of(t, &lead), 0, line(t));
	block_rows(t, result, pair, why_differs);
}

/* The other horizon's finding of a subject. Checks mostly report both in the same order. */
static const struct kc_result_finding *counterpart(const struct kc_judgement *judgement, uint32_t i,
						   const char *subject)
{
	if (i < judgement->n_findings && kc_streq0(judgement->findings[i].subject, subject))
		return judgement->findings + i;
	for (uint32_t k = 0; k < judgement->n_findings && k < SEARCH_MAX; k++) {
		if (kc_streq0(judgement->findings[k].subject, subject))
			return judgement->findings + k;
	}
	return NULL;
}

/*
 * Finding i of horizon j with what the other horizon says of its subject. False when the other
 * horizon's turn has shown it already.
 */
static bool make_pair(const struct kc_result *result, unsigned j, uint32_t i, struct pair *ret_pair)
{
	unsigned o = j == KC_J_NOW ? KC_J_BOOT : KC_J_NOW;
	const struct kc_judgement *judgement = result->judgements + j,
				  *other = result->judgements + o;
	const struct kc_result_finding *f = judgement->findings + i, *c, *back;
	struct pair pair = { .other = KC_VERDICT_NONE };

	pair.finding[j] = f;
	c = counterpart(other, i, f->subject);
	if (c && c->verdict == f->verdict) {
		/* Several findings may share a subject: only the two that choose each other are
		 * one. */
		back = counterpart(judgement, (uint32_t)(c - other->findings), f->subject);
		if (back == f) {
			if (j == KC_J_BOOT)
				return false;
			pair.finding[o] = c;
		}
	} else if (c) {
		pair.other = c->verdict;
	} else if (other->verdict == KC_PASS) {
		pair.other = KC_PASS;
	}
	*ret_pair = pair;
	return true;
}

static void blocks(struct text *t, const struct kc_result *result, uint32_t verdict)
{
	unsigned shown = 0, more = 0;

	for (unsigned j = 0; j < KC_J_MAX; j++) {
		const struct kc_judgement *judgement = result->judgements + j;

		for (uint32_t i = 0; i < judgement->n_findings; i++) {
			struct pair pair;

			if (judgement->findings[i].verdict != verdict ||
			    !make_pair(result, j, i, &pair))
				continue;
			if (!t->style->verbose && shown >= BLOCKS_MAX) {
				more++;
				continue;
			}
			block(t, result, verdict, &pair);
			shown++;
		}
	}
	if (more > 0) {
		kc_buf_reset(&t->line);
		kc_buf_addf(&t->line, "and %u more, which --verbose shows", more);
		kc_layout_line(&t->layout, DETAIL_INDENT, KC_INK_DIM, line(t), 0, "");
	}
}

/* ---- a rule ---- */

/* Profiles write remedies over several lines, with commands in them: their line ends stay. */
static void paragraph(struct text *t, const char *label, const char *s)
{
	bool first = true;

	while (*s) {
		size_t n = strcspn(s, "\n");
		kc_cleanup(kc_freep) char *part = strndup(s, n);

		t->failed = t->failed || !part;
		kc_buf_reset(&t->line);
		if (first)
			kc_value_add(&t->line, part, VALUE_MAX);
		else
			kc_value_add_line(&t->line, part, VALUE_MAX);
		if (first || n > 0)
			kc_layout_line(&t->layout, DETAIL_INDENT, KC_INK_CYAN, first ? label : "",
				       first ? 0 : (unsigned)strlen(label) - 1, line(t));
		first = false;
		s += n;
		s += *s == '\n';
	}
}

static void details(struct text *t, const struct kc_result *result)
{
	static const uint32_t order[] = { KC_FAIL, KC_ERROR, KC_MANUAL, KC_PASS, KC_SKIP };
	const struct kc_rule *rule = result->rule;
	const char *remedy = rule->remedy;

	for (unsigned i = 0; i < KC_ARRAY_SIZE(order); i++) {
		if (t->style->verbose || order[i] >= KC_MANUAL)
			blocks(t, result, order[i]);
	}
	if (result->verdict != KC_FAIL)
		return;
	if (t->style->verbose && rule->why)
		paragraph(t, "why:", rule->why);
	if (!remedy && rule->check)
		remedy = rule->check->remedy;
	if (remedy)
		paragraph(t, "remedy:", remedy);
	if (!t->style->verbose)
		return;
	KC_FOREACH_STR (reference, rule->references)
		paragraph(t, "see:", reference);
}

/* Why a horizon was skipped, by its first finding that says so; NULL when none does. */
static const char *reason_of(const struct kc_result *result, unsigned j)
{
	const struct kc_judgement *judgement = result->judgements + j;
	const char *why = NULL;

	for (uint32_t i = 0; i < judgement->n_findings && i < BLOCKS_MAX && !why; i++)
		why = kc_finding_why(result, judgement->findings + i);
	return why;
}

/* Why a rule was skipped: once where both horizons say the same. */
static void add_reasons(struct kc_buf *b, const struct kc_result *result)
{
	const char *now = reason_of(result, KC_J_NOW), *boot = reason_of(result, KC_J_BOOT);

	if (!now && !boot) {
		kc_buf_adds(b, "no reason was given");
	} else if (!now || !boot || kc_streq(now, boot)) {
		kc_value_add(b, now ? now : boot, VALUE_MAX);
	} else {
		kc_buf_adds(b, "now: ");
		kc_value_add(b, now, VALUE_MAX);
		/* Reasons of manifests are sentences, and here two of them become one. */
		if (b->len > 0 && b->data[b->len - 1] == '.')
			b->len--;
		kc_buf_adds(b, "; next boot: ");
		kc_value_add(b, boot, VALUE_MAX);
	}
}

static void rule_line(struct text *t, const struct kc_result *result, unsigned id_width)
{
	const struct kc_rule *rule = result->rule;
	kc_cleanup(kc_buf_done) struct kc_buf rest = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf id = { 0 };
	bool compact = result->verdict == KC_SKIP && !t->style->verbose;

	kc_value_add(&id, rule->id, VALUE_MAX);
	kc_buf_adds(&rest, text_of(t, &id));
	for (unsigned n = (unsigned)strlen(rule->id); n < id_width; n++)
		kc_buf_addc(&rest, ' ');
	kc_buf_adds(&rest, "  ");
	if (compact)
		add_reasons(&rest, result);
	else
		kc_value_add(&rest, rule->title, VALUE_MAX);
	if (rule->severity != KC_REQUIRED && !compact)
		kc_buf_addf(&rest, " (%s)", kc_severity_name(rule->severity));
	if (t->style->verbose) {
		kc_buf_adds(&rest, " [");
		add_ms(&rest, result->duration_usec);
		kc_buf_addc(&rest, ']');
	}
	t->layout.hang = KC_MAX(id_width, (unsigned)strlen(rule->id)) + 2;
	kc_layout_line(&t->layout, 2, verdict_ink(result->verdict), kc_shown_name(result->verdict),
		       VERDICT_WIDTH, text_of(t, &rest));
	t->layout.hang = 0;
	if (result->verdict == KC_VERDICT_NONE)
		kc_layout_line(&t->layout, DETAIL_INDENT, KC_INK_NONE,
			       "not judged: the check has none of the horizons asked for", 0, "");
	else if (!compact)
		details(t, result);
}

static bool shown(const struct text *t, const struct kc_result *result)
{
	return !t->style->quiet || result->verdict == KC_FAIL || result->verdict == KC_ERROR ||
	       result->verdict == KC_VERDICT_NONE;
}

static void stage(struct text *t, uint8_t which)
{
	unsigned n = 0, id_width = 0;

	for (uint32_t i = 0; i < t->report->n_results; i++) {
		const struct kc_result *result = t->report->results + i;

		if (result->rule->stage != which || !shown(t, result))
			continue;
		n++;
		id_width = KC_MAX(id_width, (unsigned)strlen(result->rule->id));
	}
	if (n == 0)
		return;
	id_width = KC_MIN(id_width, (unsigned)ID_WIDTH_MAX);
	gap(t);
	kc_layout_line(&t->layout, 0, KC_INK_BOLD, kc_stage_name(which), 0, "");
	for (uint32_t i = 0; i < t->report->n_results; i++) {
		const struct kc_result *result = t->report->results + i;

		if (result->rule->stage == which && shown(t, result))
			rule_line(t, result, id_width);
	}
}

/* ---- the last line ---- */

static void summary(struct text *t)
{
	static const uint32_t order[] = { KC_FAIL,   KC_ERROR,	 KC_VERDICT_NONE,
					  KC_MANUAL, KC_PENDING, KC_WAIVED,
					  KC_FIXED,  KC_PASS,	 KC_SKIP };
	const struct kc_summary *s = &t->report->summary;
	uint64_t usec = t->report->run.duration_usec;
	const char *separator = "";
	bool open = kc_gate_open(t->report);

	kc_buf_reset(&t->line);
	kc_gate_sentence(&t->line, t->report);
	kc_buf_addf(&t->line, "; %u rule%s", s->n_rules, s->n_rules == 1 ? "" : "s");
	for (unsigned i = 0; i < KC_ARRAY_SIZE(order); i++) {
		uint32_t n = s->by_verdict[order[i]];

		if (n == 0)
			continue;
		kc_buf_addf(&t->line, "%s%u %s", *separator ? separator : ": ", n,
			    order[i] == KC_VERDICT_NONE ? "not judged" : kc_verdict_name(order[i]));
		separator = ", ";
	}
	kc_buf_addf(&t->line, "; %llu.%03llu s", (unsigned long long)usec / 1000000,
		    (unsigned long long)usec / 1000 % 1000);
	/* One line whatever the width: scripts take the last line of the output. */
	t->layout.columns = 0;
	if (!t->style->quiet)
		gap(t);
	kc_layout_line(&t->layout, 0, open ? KC_INK_GREEN : KC_INK_RED, "gate:", 0, line(t));
}

/* What was repaired, how it is taken back, and what is still to be done for it. */
static void repair(struct text *t)
{
	const struct kc_report_repair *repair = &t->report->repair;

	if (!repair->asked)
		return;
	gap(t);
	kc_buf_reset(&t->line);
	kc_repair_sentence(&t->line, t->report);
	kc_layout_line(&t->layout, 0, repair->failed ? KC_INK_RED : KC_INK_BOLD, "repair:", 0,
		       line(t));
	kc_buf_reset(&t->line);
	kc_repair_undo(&t->line, t->report);
	if (t->line.len > 0) {
		/* One line whatever the width: it is there to be copied. */
		t->layout.columns = 0;
		kc_layout_line(&t->layout, 0, KC_INK_CYAN, "undo:", 0, line(t));
		t->layout.columns = t->style->columns;
	}
	KC_FOREACH_STR (note, repair->notes) {
		kc_buf_reset(&t->line);
		kc_value_add(&t->line, note, VALUE_MAX);
		kc_layout_line(&t->layout, 0, KC_INK_YELLOW, "note:", 0, line(t));
	}
	if (repair->reboot_required)
		kc_layout_line(&t->layout, 0, KC_INK_YELLOW, "reboot:", 0,
			       "what is pending is complete after a reboot; check again then");
}

static void timings(struct text *t)
{
	const struct kc_report_run *run = &t->report->run;

	kc_buf_reset(&t->line);
	add_ms(&t->line, run->duration_usec);
	kc_buf_adds(&t->line, " in all, of that ");
	add_ms(&t->line, run->facts_usec);
	kc_buf_addf(&t->line, " for facts; %u program%s run, ", run->programs_run,
		    run->programs_run == 1 ? "" : "s");
	add_ms(&t->line, run->programs_usec);
	gap(t);
	kc_layout_line(&t->layout, 0, KC_INK_BOLD, "time:", 0, line(t));
}

int kc_report_text(const struct kc_report *report, const struct kc_report_style *style, FILE *out,
		   struct kc_err *err)
{
	kc_cleanup(text_done) struct text t = {
		.report = report,
		.style = style,
		.layout = { .out = out, .columns = style->columns, .color = style->color },
	};

	if (!style->quiet)
		header(&t);
	warnings(&t);
	if (style->verbose && !style->quiet)
		facts(&t);
	for (uint8_t i = KC_STAGE_HOST; i < KC_STAGE_MAX; i++)
		stage(&t, i);
	if (style->verbose && !style->quiet)
		timings(&t);
	repair(&t);
	summary(&t);
	if (t.failed || t.layout.word.failed)
		return kc_err_set(err, -ENOMEM, "no memory for the text report");
	if (ferror(out))
		return kc_err_set(err, -EIO, "the text report could not be written");
	return 0;
}

const struct kc_report_format kc_report_text_format = {
	.magic = KC_REPORT_MAGIC,
	.size = sizeof(struct kc_report),
	.name = "text",
	.title = "to be read by people",
	.write = kc_report_text,
	.plan = kc_plan_text_write,
};
