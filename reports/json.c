/* SPDX-License-Identifier: Apache-2.0 */
#include <nettle/sha2.h>

#include "base/clock.h"
#include "finding.h"
#include "json-plan.h"
#include "json-text.h"

/*
 * The JSON report, as k8scheck-report.schema.json describes it. Each rule is built, written on a
 * line of its own and freed, so that a profile of ten thousand rules needs no more memory than one
 * of ten.
 */
#ifndef KC_REPORT_SYMBOL
#define KC_REPORT_SYMBOL kc_report_format
#endif

static json_t *make_host(struct kc_json *w, const struct kc_report_host *host)
{
	kc_cleanup(json_decrefp) json_t *json = json_object();

	if (kc_json_set_text(w, json, "hostname", host->hostname) < 0 ||
	    kc_json_set_text(w, json, "root", host->root ? host->root : "/") < 0 ||
	    kc_json_set(json, "live", json_boolean(host->live)) < 0 ||
	    kc_json_set_text(w, json, "os", host->os) < 0 ||
	    kc_json_set_text(w, json, "kernel", host->kernel) < 0 ||
	    kc_json_set_text(w, json, "machine", host->machine) < 0 ||
	    kc_json_set_text(w, json, "machine_id_sha256", host->machine_id_hash) < 0)
		return NULL;
	return TAKE_PTR(json);
}

static json_t *make_horizons(uint32_t horizons)
{
	kc_cleanup(json_decrefp) json_t *array = json_array();

	if ((horizons & KC_NOW && json_array_append_new(array, json_string("now")) < 0) ||
	    (horizons & KC_BOOT && json_array_append_new(array, json_string("boot")) < 0))
		return NULL;
	return TAKE_PTR(array);
}

static json_t *make_sources(struct kc_json *w, const struct kc_report *report)
{
	kc_cleanup(json_decrefp) json_t *array = json_array();

	for (uint32_t i = 0; i < report->profile->n_sources; i++) {
		const struct kc_source *source = report->profile->sources + i;
		const char *digest = report->source_digests ? report->source_digests[i] : NULL;
		kc_cleanup(json_decrefp) json_t *json = json_object();

		/* Options of the command line are sources too, and no files. */
		if (!digest)
			continue;
		if (kc_json_set_text(w, json, "file", source->name) < 0 ||
		    kc_json_set_text(w, json, "sha256", digest) < 0 ||
		    kc_json_set_text_if(w, json, "warning", source->warning) < 0 ||
		    json_array_append_new(array, TAKE_PTR(json)) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

static json_t *make_profile(struct kc_json *w, const struct kc_report *report)
{
	const struct kc_profile *profile = report->profile;
	kc_cleanup(json_decrefp) json_t *json = json_object();

	if (!profile)
		return json_null();
	if (kc_json_set_text(w, json, "name", profile->name) < 0 ||
	    kc_json_set_text(w, json, "title", profile->title) < 0 ||
	    kc_json_set(json, "sources", make_sources(w, report)) < 0)
		return NULL;
	return TAKE_PTR(json);
}

static json_t *make_plugins(struct kc_json *w, const struct kc_report *report)
{
	kc_cleanup(json_decrefp) json_t *array = json_array();

	for (uint32_t i = 0; i < report->n_plugins; i++) {
		const struct kc_report_plugin *plugin = report->plugins + i;
		kc_cleanup(json_decrefp) json_t *json = json_object();

		if (kc_json_set_text(w, json, "name", plugin->name) < 0 ||
		    kc_json_set_text(w, json, "version", plugin->version) < 0 ||
		    kc_json_set_text(w, json, "path", plugin->path) < 0 ||
		    kc_json_set_text(w, json, "sha256", plugin->sha256) < 0 ||
		    kc_json_set_number(json, "size", plugin->size) < 0 ||
		    json_array_append_new(array, TAKE_PTR(json)) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

static json_t *make_run(struct kc_json *w, const struct kc_report *report)
{
	const struct kc_report_run *run = &report->run;
	kc_cleanup(json_decrefp) json_t *json = json_object();
	char started[KC_TIME_MAX];

	kc_format_time(run->started_usec, 1, started);
	if (kc_json_set_text(w, json, "version", run->version) < 0 ||
	    kc_json_set_text(w, json, "started", started) < 0 ||
	    kc_json_set_number(json, "duration_us", run->duration_usec) < 0 ||
	    kc_json_set_number(json, "facts_us", run->facts_usec) < 0 ||
	    kc_json_set_number(json, "programs_run", run->programs_run) < 0 ||
	    kc_json_set_number(json, "programs_us", run->programs_usec) < 0 ||
	    kc_json_set(json, "horizons", make_horizons(run->horizons)) < 0 ||
	    kc_json_set(json, "strict", json_boolean(run->strict)) < 0 ||
	    kc_json_set_number(json, "uid", run->uid) < 0 ||
	    kc_json_set(json, "sandbox", kc_json_text_list(w, run->sandbox)) < 0 ||
	    kc_json_set(json, "sandbox_missing", kc_json_text_list(w, run->sandbox_missing)) < 0 ||
	    kc_json_set(json, "warnings", kc_json_text_list(w, run->warnings)) < 0 ||
	    kc_json_set(json, "profile", make_profile(w, report)) < 0 ||
	    kc_json_set(json, "plugins", make_plugins(w, report)) < 0)
		return NULL;
	return TAKE_PTR(json);
}

static const char *fact_state_name(uint32_t state)
{
	return state == KC_FACT_KNOWN ? "known" : state == KC_FACT_ABSENT ? "absent" : "unknown";
}

static json_t *make_facts(struct kc_json *w, const struct kc_report *report)
{
	kc_cleanup(json_decrefp) json_t *array = json_array();

	for (uint32_t i = 0; i < report->n_facts; i++) {
		const struct kc_fact_value *fact = report->facts + i;
		kc_cleanup(json_decrefp) json_t *json = json_object();

		if (kc_json_set_text(w, json, "name", fact->name) < 0 ||
		    kc_json_set(json, "state", json_string(fact_state_name(fact->state))) < 0 ||
		    kc_json_set_text(w, json, "value",
				     fact->state == KC_FACT_KNOWN ? fact->value : NULL) < 0 ||
		    kc_json_set_text(w, json, "source", fact->source) < 0 ||
		    json_array_append_new(array, TAKE_PTR(json)) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

/*
 * Rules are nearly all of a long report, and a tree of each costs ten times what its text does:
 * they are written member by member, and only a text that needs escapes goes through the library.
 */
static bool needs_no_escape(const char *s, size_t n)
{
	unsigned odd = 0;

	if (n > KC_JSON_VALUE_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		odd |= (unsigned)(c < 0x20) | (unsigned)(c > 0x7e) | (unsigned)(c == '"') |
		       (unsigned)(c == '\\');
	}
	return odd == 0;
}

/* `before` is the name of the member with what stands in front of it: ,"name": */
static int add_text(struct kc_json *w, const char *before, const char *s)
{
	kc_cleanup(json_decrefp) json_t *json = NULL;
	size_t n = s ? strlen(s) : 0;

	kc_buf_adds(&w->encoded, before);
	if (s && needs_no_escape(s, n)) {
		kc_buf_addc(&w->encoded, '"');
		kc_buf_add(&w->encoded, s, n);
		kc_buf_addc(&w->encoded, '"');
		return 0;
	}
	json = kc_json_text(w, s);
	if (!json || kc_json_encode(w, json) < 0)
		return -ENOMEM;
	return 0;
}

static int add_text_if(struct kc_json *w, const char *before, const char *s)
{
	return s ? add_text(w, before, s) : 0;
}

static int add_list_if(struct kc_json *w, const char *before, const char *const *list)
{
	const char *separator = "[";

	if (!list || !list[0])
		return 0;
	kc_buf_adds(&w->encoded, before);
	KC_FOREACH_STR (item, list) {
		if (add_text(w, separator, item) < 0)
			return -ENOMEM;
		separator = ",";
	}
	kc_buf_addc(&w->encoded, ']');
	return 0;
}

static int add_finding(struct kc_json *w, const struct kc_result_finding *f)
{
	if (add_text(w, "{\"verdict\":", kc_shown_name(f->verdict)) < 0 ||
	    add_text_if(w, ",\"subject\":", f->subject) < 0 ||
	    add_text(w, ",\"expected\":", f->expected) < 0 ||
	    add_text(w, ",\"found\":", f->found) < 0 ||
	    add_text(w, ",\"source\":", f->source) < 0 ||
	    add_text_if(w, ",\"message\":", f->message) < 0 ||
	    add_text_if(w, ",\"reason\":", f->reason) < 0)
		return -ENOMEM;
	kc_buf_addc(&w->encoded, '}');
	return 0;
}

/* A horizon that was not asked, or that the check does not have, has no judgement. */
static int add_judgements(struct kc_json *w, const struct kc_result *result)
{
	static const char *const begins[KC_J_MAX] = { "\"now\":{\"verdict\":",
						      "\"boot\":{\"verdict\":" };
	bool first = true;

	kc_buf_adds(&w->encoded, ",\"judgements\":{");
	for (unsigned j = 0; j < KC_J_MAX; j++) {
		const struct kc_judgement *judgement = result->judgements + j;

		if (judgement->verdict == KC_VERDICT_NONE)
			continue;
		if (!first)
			kc_buf_addc(&w->encoded, ',');
		first = false;
		if (add_text(w, begins[j], kc_shown_name(judgement->verdict)) < 0)
			return -ENOMEM;
		kc_buf_adds(&w->encoded, ",\"findings\":[");
		for (uint32_t i = 0; i < judgement->n_findings; i++) {
			if (i > 0)
				kc_buf_addc(&w->encoded, ',');
			if (add_finding(w, judgement->findings + i) < 0)
				return -ENOMEM;
		}
		kc_buf_adds(&w->encoded, "]}");
	}
	kc_buf_addc(&w->encoded, '}');
	return 0;
}

static int put_rule(struct kc_json *w, const struct kc_result *result)
{
	const struct kc_rule *rule = result->rule;
	const char *remedy = rule->remedy;

	if (!remedy && rule->check)
		remedy = rule->check->remedy;
	kc_buf_reset(&w->encoded);
	if (add_text(w, "{\"id\":", rule->id) < 0 ||
	    add_text(w, ",\"check\":", rule->check ? rule->check->id : NULL) < 0 ||
	    add_text(w, ",\"title\":", rule->title) < 0 ||
	    add_text(w, ",\"severity\":", kc_severity_name(rule->severity)) < 0 ||
	    add_text(w, ",\"stage\":", kc_stage_name(rule->stage)) < 0 ||
	    add_text(w, ",\"verdict\":", kc_shown_name(result->verdict)) < 0)
		return -ENOMEM;
	kc_buf_addf(&w->encoded, ",\"duration_us\":%llu",
		    (unsigned long long)KC_MIN(result->duration_usec, (uint64_t)INT64_MAX));
	if (add_list_if(w, ",\"tags\":", rule->tags) < 0 ||
	    add_list_if(w, ",\"references\":", rule->references) < 0 ||
	    add_text_if(w, ",\"remedy\":", result->verdict == KC_FAIL ? remedy : NULL) < 0 ||
	    add_judgements(w, result) < 0)
		return -ENOMEM;
	kc_buf_addc(&w->encoded, '}');
	if (w->encoded.failed)
		return -ENOMEM;
	kc_json_put_encoded(w);
	return 0;
}

static json_t *make_repair(struct kc_json *w, const struct kc_report_repair *repair)
{
	static const char *const nothing[] = { NULL };
	kc_cleanup(json_decrefp) json_t *json = json_object();

	if (kc_json_set(json, "asked", json_boolean(repair->asked)) < 0 ||
	    kc_json_set(json, "changed", json_boolean(repair->changed)) < 0 ||
	    kc_json_set(json, "reboot_required", json_boolean(repair->reboot_required)) < 0 ||
	    kc_json_set(json, "failed", json_boolean(repair->failed)) < 0 ||
	    kc_json_set_text(w, json, "transaction", repair->transaction) < 0 ||
	    kc_json_set_text(w, json, "text", repair->text) < 0 ||
	    kc_json_set(json, "notes",
			kc_json_text_list(w, repair->notes ? repair->notes : nothing)) < 0)
		return NULL;
	return TAKE_PTR(json);
}

static json_t *make_summary(const struct kc_report *report)
{
	const struct kc_summary *s = &report->summary;
	kc_cleanup(json_decrefp) json_t *json = json_object();
	kc_cleanup(json_decrefp) json_t *verdicts = json_object();
	kc_cleanup(json_decrefp) json_t *required = json_object();

	for (uint32_t i = 0; i < KC_VERDICT_MAX; i++) {
		if (kc_json_set_number(verdicts, kc_shown_name(i), s->by_verdict[i]) < 0)
			return NULL;
	}
	if (kc_json_set_number(required, "applied", s->required_applied) < 0 ||
	    kc_json_set_number(required, "failed", s->required_failed) < 0 ||
	    kc_json_set_number(required, "undecided", s->required_undecided) < 0 ||
	    kc_json_set_number(required, "pending", s->required_pending) < 0 ||
	    kc_json_set_number(json, "rules", s->n_rules) < 0 ||
	    kc_json_set(json, "verdicts", TAKE_PTR(verdicts)) < 0 ||
	    kc_json_set(json, "required", TAKE_PTR(required)) < 0 ||
	    kc_json_set(json, "gate", json_string(kc_gate_open(report) ? "open" : "closed")) < 0 ||
	    kc_json_set_number(json, "exit_code", s->exit_code) < 0)
		return NULL;
	return TAKE_PTR(json);
}

static int put_rules(struct kc_json *w, const struct kc_report *report)
{
	(void)fputs_unlocked(",\n\"rules\": [", w->out);
	for (uint32_t i = 0; i < report->n_results; i++) {
		(void)fputs_unlocked(i == 0 ? "\n" : ",\n", w->out);
		if (put_rule(w, report->results + i) < 0)
			return -ENOMEM;
	}
	(void)fputs_unlocked("\n]", w->out);
	return 0;
}

static int write_json(const struct kc_report *report, const struct kc_report_style *style,
		      FILE *out, struct kc_err *err)
{
	kc_cleanup(kc_json_done) struct kc_json w = { .out = out };

	(void)fputs_unlocked("{\n\"schema\": \"k8scheck-report/1\"", out);
	if (kc_json_put_member(&w, "host", make_host(&w, &report->host)) < 0 ||
	    kc_json_put_member(&w, "run", make_run(&w, report)) < 0 ||
	    kc_json_put_member(&w, "facts", make_facts(&w, report)) < 0 ||
	    put_rules(&w, report) < 0 ||
	    kc_json_put_member(&w, "repair", make_repair(&w, &report->repair)) < 0 ||
	    kc_json_put_member(&w, "summary", make_summary(report)) < 0)
		return kc_err_set(err, -ENOMEM, "no memory for the JSON report");
	(void)fputs_unlocked("\n}\n", out);
	if (ferror(out))
		return kc_err_set(err, -EIO, "the JSON report could not be written");
	return 0;
}

static void sha256(const void *data, size_t size, char ret_hex[65])
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, size, data);
	sha256_digest(&ctx, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(ret_hex + 2 * i, 3, "%02x", digest[i]);
}

extern const struct kc_report_format KC_REPORT_SYMBOL;
__attribute__((visibility("default"))) const struct kc_report_format KC_REPORT_SYMBOL = {
	.magic = KC_REPORT_MAGIC,
	.size = sizeof(struct kc_report),
	.name = "json",
	.title = "for programs: everything, as k8scheck-report.schema.json describes it",
	.write = write_json,
	.sha256 = sha256,
	.plan = kc_plan_json_write,
};
