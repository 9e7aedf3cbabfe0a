/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/utf8.h"
#include "plan-common.h"
#include "plan-lines.h"
#include "plan-text.h"
#include "value.h"

static void lines_done(struct kc_plan_lines *t)
{
	kc_buf_done(&t->layout.word);
	kc_buf_done(&t->raw);
	kc_buf_done(&t->line);
}

/* An empty line, but not as the first. */
static void gap(struct kc_plan_lines *t)
{
	if (t->begun)
		(void)putc_unlocked('\n', t->layout.out);
	t->begun = true;
}

/* ---- a step ---- */

static const char *state_phrase(const struct kc_plan_step *step)
{
	static const char *const phrases[KC_STATE_MAX] = {
		[KC_STATE_NEEDED] = "change",	[KC_STATE_ALREADY] = "so already",
		[KC_STATE_BY_HAND] = "by hand", [KC_STATE_HELD] = "held",
		[KC_STATE_REFUSED] = "refused", [KC_STATE_DONE] = "done",
		[KC_STATE_FAILED] = "failed",	[KC_STATE_TAKEN_BACK] = "taken back",
		[KC_STATE_STUCK] = "stuck",	[KC_STATE_NOT_BEGUN] = "not begun",
	};

	return step->state < KC_STATE_MAX && phrases[step->state] ? phrases[step->state]
								  : "unknown";
}

static enum kc_ink state_ink(const struct kc_plan_step *step)
{
	switch (step->state) {
	case KC_STATE_NEEDED:
		if (step->flags & KC_STEP_WEAKENS)
			return KC_INK_RED;
		return step->flags & KC_STEP_DISTURBS ? KC_INK_YELLOW : KC_INK_BOLD;
	case KC_STATE_DONE:
		return KC_INK_GREEN;
	case KC_STATE_BY_HAND:
		return KC_INK_CYAN;
	case KC_STATE_HELD:
	case KC_STATE_TAKEN_BACK:
		return KC_INK_YELLOW;
	case KC_STATE_REFUSED:
	case KC_STATE_FAILED:
	case KC_STATE_STUCK:
		return KC_INK_RED;
	default:
		return KC_INK_DIM;
	}
}

static void add_marks(struct kc_buf *b, const struct kc_plan_step *step)
{
	kc_buf_adds(b, step->horizon == KC_NOW ? " (now)" : " (next boot)");
	if (step->flags & KC_STEP_WEAKENS)
		kc_buf_adds(b, " [weakens the host]");
	if (step->flags & KC_STEP_DISTURBS)
		kc_buf_adds(b, " [touches what runs]");
	if (step->kind == KC_STEP_UNIT_RESTART)
		kc_buf_adds(b, " [restart]");
	if (step->flags & KC_STEP_NEEDS_REBOOT)
		kc_buf_adds(b, " [reboot]");
}

static void step_line(struct kc_plan_lines *t, const struct kc_plan_step *step)
{
	kc_buf_reset(&t->raw);
	kc_plan_step_title(&t->raw, step);
	kc_buf_reset(&t->line);
	kc_plan_lines_escape(t);
	add_marks(&t->line, step);
	kc_layout_line(&t->layout, 2, state_ink(step), state_phrase(step), KC_PLAN_STATE_WIDTH,
		       kc_plan_lines_text(t));
}

static void values(struct kc_plan_lines *t, const struct kc_plan_step *step)
{
	static const char none[] = "(nothing)";

	if (!step->value_before && !step->value_after)
		return;
	kc_buf_reset(&t->raw);
	kc_plan_masked(&t->raw, step->value_before ? step->value_before : none);
	kc_buf_adds(&t->raw, " -> ");
	kc_plan_masked(&t->raw, step->value_after ? step->value_after : none);
	kc_buf_reset(&t->line);
	kc_plan_lines_escape(t);
	kc_plan_lines_row(t, "value:");
}

/* Each command is a line of its own, to be copied. */
static void commands(struct kc_plan_lines *t, const char *s)
{
	kc_cleanup(kc_buf_done) struct kc_buf masked = { 0 };

	kc_plan_masked(&masked, s);
	t->failed = t->failed || masked.failed;
	for (char *at = masked.failed ? NULL : masked.data; at && *at;) {
		size_t n = strcspn(at, "\n");
		bool more = at[n] != 0;

		at[n] = 0;
		kc_buf_reset(&t->line);
		kc_value_add_line(&t->line, at, KC_PLAN_VALUE_MAX);
		if (n > 0)
			kc_layout_line(&t->layout, KC_PLAN_DETAIL_INDENT + 2, KC_INK_BOLD,
				       kc_plan_lines_text(t), 0, "");
		at += n + more;
	}
}

static bool is_undone(const struct kc_plan_step *step)
{
	return step->inverse || step->kind == KC_STEP_SYSTEMD_RELOAD;
}

static void step_details(struct kc_plan_lines *t, const struct kc_plan_step *step)
{
	kc_plan_lines_sentence(t, step->why);
	if (step->state == KC_STATE_BY_HAND)
		commands(t, step->content);
	values(t, step);
	for (uint32_t i = 0; i < step->n_changes; i++)
		kc_plan_lines_change(t, step, step->changes + i);

	if (step->text) {
		kc_buf_reset(&t->raw);
		kc_plan_masked(&t->raw, step->text);
		kc_buf_reset(&t->line);
		kc_plan_lines_escape(t);
		kc_plan_lines_row(t, "because:");
	}
	if (step->state != KC_STATE_NEEDED)
		return;
	if (step->inverse) {
		kc_buf_reset(&t->line);
		kc_value_add(&t->line, step->inverse, KC_PLAN_VALUE_MAX);
		kc_plan_lines_row(t, "taken back:");
	} else if (!is_undone(step)) {
		kc_layout_line(&t->layout, KC_PLAN_DETAIL_INDENT, KC_INK_YELLOW,
			       "cannot be taken back", 0, "");
	}
}

/* ---- a rule ---- */

static void rule_line(struct kc_plan_lines *t, const struct kc_rule *rule)
{
	kc_cleanup(kc_buf_done) struct kc_buf id = { 0 };

	kc_value_add_line(&id, rule->id, KC_PLAN_VALUE_MAX);
	t->failed = t->failed || id.failed;
	kc_buf_reset(&t->line);
	kc_value_add(&t->line, rule->title, KC_PLAN_VALUE_MAX);
	gap(t);
	kc_layout_line(&t->layout, 0, KC_INK_BOLD, id.data && !id.failed ? id.data : "",
		       (unsigned)kc_columns(id.data && !id.failed ? id.data : ""),
		       kc_plan_lines_text(t));
}

static bool is_shown(const struct kc_plan_lines *t, const struct kc_plan_step *step)
{
	return step->state != KC_STATE_ALREADY || t->style->verbose;
}

static void show_rule(struct kc_plan_lines *t, const struct kc_plan_rule *rule)
{
	uint32_t already = 0;

	rule_line(t, rule->rule);
	if (rule->text) {
		kc_buf_reset(&t->raw);
		kc_plan_masked(&t->raw, rule->text);
		kc_buf_reset(&t->line);
		kc_plan_lines_escape(t);
		kc_layout_line(&t->layout, 2, KC_INK_YELLOW, "left as it is:", 0,
			       kc_plan_lines_text(t));
	}
	for (uint32_t i = 0; i < rule->n_steps; i++) {
		const struct kc_plan_step *step = rule->steps + i;

		if (!is_shown(t, step)) {
			already++;
			continue;
		}
		step_line(t, step);
		if (!t->style->quiet)
			step_details(t, step);
	}
	if (already > 0 && already == rule->n_steps) {
		/* Most likely another rule does it, which is said by the fixer. */
		const char *text = rule->steps[0].text;

		kc_buf_reset(&t->raw);
		kc_plan_masked(&t->raw, text ? text : "it is so already");
		kc_buf_reset(&t->line);
		kc_plan_lines_escape(t);
		kc_layout_line(&t->layout, 2, KC_INK_DIM, "no change", KC_PLAN_STATE_WIDTH,
			       kc_plan_lines_text(t));
	} else if (rule->n_steps == 0 && !rule->text)
		kc_layout_line(&t->layout, 2, KC_INK_CYAN, "by hand", KC_PLAN_STATE_WIDTH,
			       "its check knows no repair");
}

/* ---- the plan ---- */

static void header(struct kc_plan_lines *t)
{
	const struct kc_plan *plan = t->plan;

	kc_buf_reset(&t->line);
	kc_buf_adds(&t->line, "k8scheck, what a repair would do");
	if (plan->profile) {
		kc_buf_adds(&t->line, ", profile ");
		kc_value_add(&t->line, plan->profile, KC_PLAN_VALUE_MAX);
	}
	kc_buf_adds(&t->line, ", root ");
	kc_value_add(&t->line, plan->root ? plan->root : "/", KC_PLAN_VALUE_MAX);
	kc_layout_line(&t->layout, 0, KC_INK_BOLD, kc_plan_lines_text(t), 0, "");
	if (t->style->verbose && plan->hash) {
		kc_buf_reset(&t->line);
		kc_value_add(&t->line, plan->hash, KC_PLAN_VALUE_MAX);
		kc_layout_line(&t->layout, 2, KC_INK_DIM, "hash", 4, kc_plan_lines_text(t));
	}
}

static void add_count(struct kc_buf *b, uint32_t n, const char *one, const char *many)
{
	kc_buf_addf(b, "%u %s", n, n == 1 ? one : many);
}

static void figures(struct kc_plan_lines *t, const struct kc_plan_figures *f)
{
	t->layout.columns = 0; /* for scripts, which take a line */
	gap(t);
	kc_buf_reset(&t->line);
	add_count(&t->line, f->states[KC_STATE_NEEDED], "change", "changes");
	kc_buf_adds(&t->line, " for ");
	add_count(&t->line, f->changed_rules, "rule", "rules");
	if (f->person_rules > 0) {
		kc_buf_adds(&t->line, "; ");
		add_count(&t->line, f->person_rules, "rule needs", "rules need");
		kc_buf_adds(&t->line, " a person");
	}
	if (f->states[KC_STATE_HELD] > 0)
		kc_buf_addf(&t->line, "; %u held", f->states[KC_STATE_HELD]);
	if (f->states[KC_STATE_REFUSED] > 0)
		kc_buf_addf(&t->line, "; %u refused", f->states[KC_STATE_REFUSED]);
	if (f->reboots > 0)
		kc_buf_adds(&t->line, "; a reboot completes it");
	kc_buf_adds(&t->line, "; nothing was changed");
	kc_layout_line(&t->layout, 0, KC_INK_BOLD, "plan:", 0, kc_plan_lines_text(t));
}

static void next(struct kc_plan_lines *t, const char *what)
{
	kc_layout_line(&t->layout, 0, KC_INK_BOLD, "next:", 0, what);
}

static void next_steps(struct kc_plan_lines *t, const struct kc_plan_figures *f)
{
	const uint32_t *states = f->states;

	if (states[KC_STATE_NEEDED] > 0)
		next(t, "k8scheck --fix makes the changes, k8scheck rollback takes them back");
	if (f->weakens > 0)
		next(t, "with --yes, what weakens the host is done with --allow-weaken alone");
	if (states[KC_STATE_HELD] > 0)
		next(t, "what is held says which option it needs");
	if (states[KC_STATE_BY_HAND] > 0)
		next(t, "type the commands above by hand, and check again");
	else if (states[KC_STATE_NEEDED] == 0 && states[KC_STATE_HELD] == 0)
		next(t, "k8scheck explain RULE has the remedy of a rule");
}

static int finish(struct kc_plan_lines *t, struct kc_err *err)
{
	if (t->failed || t->layout.word.failed)
		return kc_err_set(err, -ENOMEM, "no memory for the plan as text");
	if (ferror(t->layout.out))
		return kc_err_set(err, -EIO, "the plan could not be written");
	return 0;
}

static int show(struct kc_plan_lines *t, bool next, struct kc_err *err)
{
	struct kc_plan_figures f;

	if (!t->style->quiet)
		header(t);
	t->begun = !t->style->quiet || t->plan->refusal;
	if (t->plan->refusal) {
		kc_buf_reset(&t->line);
		kc_value_add(&t->line, t->plan->refusal, KC_PLAN_VALUE_MAX);
		kc_layout_line(&t->layout, 0, KC_INK_RED, "nothing can be repaired here:", 0,
			       kc_plan_lines_text(t));
	}
	if (t->plan->n_rules == 0) {
		kc_layout_line(&t->layout, 0, KC_INK_GREEN, "plan:", 0,
			       "nothing to repair; nothing was changed");
		return finish(t, err);
	}
	for (uint32_t i = 0; i < t->plan->n_rules; i++)
		show_rule(t, t->plan->rules + i);
	kc_plan_figures(t->plan, &f);
	figures(t, &f);
	if (next)
		next_steps(t, &f);
	return finish(t, err);
}

int kc_plan_text_write(const struct kc_plan *plan, const struct kc_report_style *style, FILE *out,
		       struct kc_err *err)
{
	kc_cleanup(lines_done) struct kc_plan_lines t = {
		.plan = plan,
		.style = style,
		.layout = { .out = out, .columns = style->columns, .color = style->color },
	};

	return show(&t, true, err);
}

int kc_plan_text_show(const struct kc_plan *plan, const struct kc_report_style *style, FILE *out,
		      struct kc_err *err)
{
	kc_cleanup(lines_done) struct kc_plan_lines t = {
		.plan = plan,
		.style = style,
		.layout = { .out = out, .columns = style->columns, .color = style->color },
	};

	return show(&t, false, err);
}

/* ---- the outcome ---- */

static bool is_trouble(uint32_t state)
{
	return state == KC_STATE_FAILED || state == KC_STATE_STUCK || state == KC_STATE_TAKEN_BACK;
}

static void outcome_line(struct kc_plan_lines *t, const struct kc_plan_rule *rule,
			 const struct kc_plan_step *step)
{
	kc_buf_reset(&t->raw);
	kc_buf_adds(&t->raw, rule->rule->id);
	kc_buf_adds(&t->raw, ": ");
	kc_plan_step_title(&t->raw, step);
	if (step->text) {
		kc_buf_adds(&t->raw, ": ");
		kc_plan_masked(&t->raw, step->text);
	}
	kc_buf_reset(&t->line);
	kc_plan_lines_escape(t);
	if (step->flags & KC_STEP_NEEDS_REBOOT && step->state == KC_STATE_DONE)
		kc_buf_adds(&t->line, " [reboot]");
	kc_layout_line(&t->layout, 2, state_ink(step), state_phrase(step), KC_PLAN_STATE_WIDTH,
		       kc_plan_lines_text(t));
}

static void outcome_figures(struct kc_plan_lines *t, const struct kc_plan_figures *f)
{
	static const uint32_t order[] = {
		KC_STATE_STUCK,	  KC_STATE_FAILED,  KC_STATE_TAKEN_BACK, KC_STATE_DONE,
		KC_STATE_BY_HAND, KC_STATE_HELD,    KC_STATE_REFUSED,	 KC_STATE_NOT_BEGUN,
		KC_STATE_NEEDED,  KC_STATE_ALREADY,
	};
	const char *separator = "";
	bool trouble = f->states[KC_STATE_STUCK] > 0 || f->states[KC_STATE_FAILED] > 0;

	t->layout.columns = 0;
	kc_buf_reset(&t->line);
	for (unsigned i = 0; i < KC_ARRAY_SIZE(order); i++) {
		const struct kc_plan_step step = { .state = order[i] };

		if (f->states[order[i]] == 0)
			continue;
		kc_buf_addf(&t->line, "%s%u %s", separator, f->states[order[i]],
			    order[i] == KC_STATE_NEEDED ? "not carried out" : state_phrase(&step));
		separator = ", ";
	}
	if (!*separator)
		kc_buf_adds(&t->line, "nothing to repair");
	if (t->plan->transaction) {
		kc_buf_adds(&t->line, "; transaction ");
		kc_value_add(&t->line, t->plan->transaction, KC_PLAN_VALUE_MAX);
	}
	kc_layout_line(&t->layout, 0, trouble ? KC_INK_RED : KC_INK_GREEN, "repair:", 0,
		       kc_plan_lines_text(t));
}

int kc_plan_text_outcome(const struct kc_plan *plan, const struct kc_report_style *style, FILE *out,
			 struct kc_err *err)
{
	kc_cleanup(lines_done) struct kc_plan_lines t = {
		.plan = plan,
		.style = style,
		.layout = { .out = out, .columns = style->columns, .color = style->color },
	};
	struct kc_plan_figures f;

	for (uint32_t i = 0; i < plan->n_rules; i++) {
		const struct kc_plan_rule *rule = plan->rules + i;

		for (uint32_t k = 0; k < rule->n_steps; k++) {
			if (is_shown(&t, rule->steps + k) &&
			    (!style->quiet || is_trouble(rule->steps[k].state)))
				outcome_line(&t, rule, rule->steps + k);
		}
	}
	kc_plan_figures(plan, &f);
	outcome_figures(&t, &f);
	if (f.states[KC_STATE_STUCK] > 0)
		kc_layout_line(&t.layout, 0, KC_INK_BOLD, "next:", 0,
			       "k8scheck rollback takes back what is stuck, once its reason is "
			       "gone");
	else if (f.states[KC_STATE_DONE] > 0 && plan->transaction)
		kc_layout_line(&t.layout, 0, KC_INK_BOLD, "next:", 0,
			       "k8scheck rollback takes it back");
	return finish(&t, err);
}
