/* SPDX-License-Identifier: Apache-2.0 */
#include "json-plan.h"
#include "json-text.h"
#include "model/mask.h"
#include "plan-common.h"

static int set_masked(struct kc_json *w, json_t *object, const char *name, const char *s)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	if (!s)
		return kc_json_set_text(w, object, name, NULL);
	kc_plan_masked(&text, s);
	return text.failed ? -ENOMEM : kc_json_set_text(w, object, name, text.data);
}

static int set_content(struct kc_json *w, json_t *object, const char *name, const char *s, size_t n)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	(void)kc_mask(&text, s, n);
	return text.failed ? -ENOMEM
			   : kc_json_set(object, name, kc_json_bytes(w, text.data, text.len));
}

static const char *type_name(uint32_t type)
{
	switch (type) {
	case KC_FILE_REGULAR:
		return "file";
	case KC_FILE_DIRECTORY:
		return "folder";
	case KC_FILE_SYMLINK:
		return "link";
	default:
		return "special";
	}
}

static json_t *make_node(struct kc_json *w, const struct kc_plan_change *change,
			 const struct kc_plan_node *node)
{
	kc_cleanup(json_decrefp) json_t *json = json_object();
	char mode[8];

	if (node->type == 0)
		return json_null();
	(void)snprintf(mode, sizeof(mode), "%04o", node->mode & 07777);
	if (kc_json_set_text(w, json, "type", type_name(node->type)) < 0 ||
	    kc_json_set_text(w, json, "mode", mode) < 0 ||
	    kc_json_set_number(json, "uid", node->uid) < 0 ||
	    kc_json_set_number(json, "gid", node->gid) < 0)
		return NULL;
	if (node->type == KC_FILE_SYMLINK &&
	    kc_json_set_text(w, json, "target", change->secret ? NULL : node->text) < 0)
		return NULL;
	if (node->type != KC_FILE_REGULAR)
		return TAKE_PTR(json);
	if (kc_json_set_number(json, "size", node->size) < 0 ||
	    kc_json_set_text(w, json, "sha256", kc_plan_digest(change, node)) < 0 ||
	    (change->secret || !node->text
		     ? kc_json_set_text(w, json, "content", NULL)
		     : set_content(w, json, "content", node->text, node->size)) < 0)
		return NULL;
	return TAKE_PTR(json);
}

/* null where no content is to be shown, or it is too large. */
static int set_diff(struct kc_json *w, json_t *json, const struct kc_plan_change *change)
{
	kc_cleanup(kc_buf_done) struct kc_buf diff = { 0 };
	bool masked = false;
	int r = kc_plan_has_text(change) ? kc_plan_diff(&diff, change, &masked) : -ENODATA;

	if (r == -ENOMEM)
		return r;
	if (r == 0)
		kc_buf_add(&diff, NULL, 0);
	if (kc_json_set(json, "diff", kc_json_bytes(w, r == 0 ? diff.data : NULL, diff.len)) < 0)
		return -ENOMEM;
	return kc_json_set(json, "masked", json_boolean(masked));
}

static json_t *make_changes(struct kc_json *w, const struct kc_plan_step *step)
{
	kc_cleanup(json_decrefp) json_t *array = json_array();

	for (uint32_t i = 0; i < step->n_changes; i++) {
		const struct kc_plan_change *change = step->changes + i;
		kc_cleanup(json_decrefp) json_t *json = json_object();

		if (kc_json_set_text(w, json, "path", change->path) < 0 ||
		    kc_json_set(json, "secret", json_boolean(change->secret)) < 0 ||
		    kc_json_set(json, "before", make_node(w, change, &change->before)) < 0 ||
		    kc_json_set(json, "after", make_node(w, change, &change->after)) < 0 ||
		    set_diff(w, json, change) < 0 ||
		    json_array_append_new(array, TAKE_PTR(json)) < 0)
			return NULL;
	}
	return TAKE_PTR(array);
}

static int set_flag(json_t *json, const char *name, bool value)
{
	return kc_json_set(json, name, json_boolean(value));
}

static json_t *make_step(struct kc_json *w, const struct kc_plan_step *step)
{
	kc_cleanup(json_decrefp) json_t *json = json_object();
	kc_cleanup(kc_buf_done) struct kc_buf title = { 0 };

	kc_plan_step_title(&title, step);
	if (title.failed || kc_json_set_text(w, json, "kind", kc_step_kind_name(step->kind)) < 0 ||
	    kc_json_set_text(w, json, "state", kc_step_state_name(step->state)) < 0 ||
	    kc_json_set_text(w, json, "horizon", step->horizon == KC_NOW ? "now" : "boot") < 0 ||
	    kc_json_set_text(w, json, "title", title.data) < 0 ||
	    set_masked(w, json, "target", step->target) < 0 ||
	    set_masked(w, json, step->kind == KC_STEP_MANUAL ? "commands" : "content",
		       step->content) < 0 ||
	    set_masked(w, json, "why", step->why) < 0 ||
	    set_masked(w, json, "because", step->text) < 0 ||
	    set_masked(w, json, "inverse", step->inverse) < 0 ||
	    set_masked(w, json, "value_before", step->value_before) < 0 ||
	    set_masked(w, json, "value_after", step->value_after) < 0 ||
	    set_flag(json, "weakens", step->flags & KC_STEP_WEAKENS) < 0 ||
	    set_flag(json, "disturbs", step->flags & KC_STEP_DISTURBS) < 0 ||
	    set_flag(json, "restart", step->kind == KC_STEP_UNIT_RESTART) < 0 ||
	    set_flag(json, "reboot", step->flags & KC_STEP_NEEDS_REBOOT) < 0 ||
	    kc_json_set(json, "changes", make_changes(w, step)) < 0)
		return NULL;
	return TAKE_PTR(json);
}

static json_t *make_rule(struct kc_json *w, const struct kc_plan_rule *rule)
{
	const struct kc_rule *r = rule->rule;
	kc_cleanup(json_decrefp) json_t *json = json_object();
	kc_cleanup(json_decrefp) json_t *steps = json_array();

	for (uint32_t i = 0; i < rule->n_steps; i++) {
		if (json_array_append_new(steps, make_step(w, rule->steps + i)) < 0)
			return NULL;
	}
	if (kc_json_set_text(w, json, "id", r->id) < 0 ||
	    kc_json_set_text(w, json, "check", r->check ? r->check->id : NULL) < 0 ||
	    kc_json_set_text(w, json, "title", r->title) < 0 ||
	    kc_json_set_text(w, json, "severity", kc_severity_name(r->severity)) < 0 ||
	    kc_json_set_text(w, json, "stage", kc_stage_name(r->stage)) < 0 ||
	    set_masked(w, json, "left_because", rule->text) < 0 ||
	    kc_json_set(json, "steps", TAKE_PTR(steps)) < 0)
		return NULL;
	return TAKE_PTR(json);
}

static int put_rules(struct kc_json *w, const struct kc_plan *plan)
{
	(void)fputs_unlocked(",\n\"rules\": [", w->out);
	for (uint32_t i = 0; i < plan->n_rules; i++) {
		(void)fputs_unlocked(i == 0 ? "\n" : ",\n", w->out);
		if (kc_json_put(w, make_rule(w, plan->rules + i)) < 0)
			return -ENOMEM;
	}
	(void)fputs_unlocked("\n]", w->out);
	return 0;
}

static json_t *make_summary(const struct kc_plan *plan)
{
	kc_cleanup(json_decrefp) json_t *json = json_object();
	kc_cleanup(json_decrefp) json_t *states = json_object();
	struct kc_plan_figures f;

	kc_plan_figures(plan, &f);
	for (uint32_t i = KC_STATE_NEEDED; i < KC_STATE_MAX; i++) {
		if (kc_json_set_number(states, kc_step_state_name(i), f.states[i]) < 0)
			return NULL;
	}
	if (kc_json_set_number(json, "rules", plan->n_rules) < 0 ||
	    kc_json_set_number(json, "rules_with_changes", f.changed_rules) < 0 ||
	    kc_json_set_number(json, "rules_for_a_person", f.person_rules) < 0 ||
	    set_flag(json, "changed", f.states[KC_STATE_DONE] > 0 || f.states[KC_STATE_STUCK] > 0) <
		    0 ||
	    set_flag(json, "reboot_required", f.reboots > 0) < 0 ||
	    kc_json_set(json, "steps", TAKE_PTR(states)) < 0)
		return NULL;
	return TAKE_PTR(json);
}

int kc_plan_json_write(const struct kc_plan *plan, const struct kc_report_style *style, FILE *out,
		       struct kc_err *err)
{
	kc_cleanup(kc_json_done) struct kc_json w = { .out = out };

	(void)fputs_unlocked("{\n\"schema\": \"k8scheck-plan/1\"", out);
	if (kc_json_put_member(&w, "profile", kc_json_text(&w, plan->profile)) < 0 ||
	    kc_json_put_member(&w, "root", kc_json_text(&w, plan->root ? plan->root : "/")) < 0 ||
	    kc_json_put_member(&w, "hash", kc_json_text(&w, plan->hash)) < 0 ||
	    kc_json_put_member(&w, "transaction", kc_json_text(&w, plan->transaction)) < 0 ||
	    kc_json_put_member(&w, "refusal", kc_json_text(&w, plan->refusal)) < 0 ||
	    put_rules(&w, plan) < 0 || kc_json_put_member(&w, "summary", make_summary(plan)) < 0)
		return kc_err_set(err, -ENOMEM, "no memory for the plan as JSON");
	(void)fputs_unlocked("\n}\n", out);
	if (ferror(out))
		return kc_err_set(err, -EIO, "the plan could not be written as JSON");
	return 0;
}
