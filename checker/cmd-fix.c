/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "fixing.h"
#include "reports/plan-ansible.h"
#include "reports/plan-text.h"

enum {
	RETRY_USEC = 500 * 1000, /* between two looks at a unit that was restarted */
};

/* ---- what failed, and what its checks plan ---- */

static bool may_plan(const struct kc_result *result)
{
	return result->verdict == KC_FAIL && result->rule->fix != KC_FIX_NEVER &&
	       (result->rule->check->flags & KC_CHECK_PLANS);
}

static bool save_selection(struct kc_fixing *f)
{
	const struct kc_profile *profile = f->check->profile;

	f->selected = kc_arena_zalloc(f->check->arena, (size_t)profile->n_rules + 1,
				      sizeof(*f->selected));
	for (uint32_t i = 0; f->selected && i < profile->n_rules; i++)
		f->selected[i] = profile->rules[i].selected;
	return f->selected != NULL;
}

static void restore_selection(struct kc_fixing *f)
{
	for (uint32_t i = 0; i < f->check->profile->n_rules; i++)
		f->check->profile->rules[i].selected = f->selected[i];
}

/* The profile's texts on how to mend it by hand. */
static const char *by_hand(const struct kc_rule *rule)
{
	if (rule->fix == KC_FIX_NEVER && (rule->check->flags & KC_CHECK_PLANS))
		return "the profile says that it is never repaired (fix: never)";
	if (rule->remedy)
		return rule->remedy;
	return rule->check->remedy ? rule->check->remedy : "no repair is known for it";
}

static const struct kc_rule_steps *steps_of(const struct kc_outcome *planned,
					    const struct kc_rule *rule)
{
	for (uint32_t i = 0; i < planned->n_results; i++) {
		if (planned->results[i].rule == rule)
			return planned->steps + i;
	}
	return NULL;
}

static void add_rule(struct kc_fixing *f, const struct kc_result *result,
		     const struct kc_outcome *planned)
{
	const struct kc_rule_steps *steps =
		may_plan(result) ? steps_of(planned, result->rule) : NULL;
	struct kc_fix_rule *rule = f->rules + f->n_rules++;

	*rule = (struct kc_fix_rule){ .id = result->rule->id };
	if (!steps || (steps->n == 0 && !steps->fault)) {
		rule->fault = by_hand(result->rule);
		return;
	}
	rule->steps = steps->items;
	rule->n = steps->n;
	rule->fault = steps->fault;
}

static int plan_rules(struct kc_fixing *f, struct kc_err *err)
{
	struct kc_check_run *c = f->check;
	struct kc_outcome planned = { 0 };
	bool any = false;
	int r = 0;

	f->rules = kc_arena_zalloc(c->arena, (size_t)f->outcome->n_results + 1, sizeof(*f->rules));
	if (!f->rules || !save_selection(f))
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < c->profile->n_rules; i++)
		c->profile->rules[i].selected = false;
	for (uint32_t i = 0; i < f->outcome->n_results; i++) {
		const struct kc_result *result = f->outcome->results + i;

		c->profile->rules[result->rule->index].selected = may_plan(result);
		any = any || may_plan(result);
	}
	if (any)
		r = kc_check_again(c, true, err, &planned);
	restore_selection(f);
	if (r < 0)
		return r;
	for (uint32_t i = 0; i < f->outcome->n_results; i++) {
		if (f->outcome->results[i].verdict == KC_FAIL)
			add_rule(f, f->outcome->results + i, &planned);
	}
	if (any)
		kc_run_wait(&planned);
	f->planned = kc_arena_zalloc(c->arena, (size_t)f->n_rules + 1, sizeof(*f->planned));
	f->asked = kc_arena_zalloc(c->arena, (size_t)f->n_rules + 1, sizeof(*f->asked));
	if (!f->planned || !f->asked)
		return kc_err_set(err, -ENOMEM, "out of memory");
	memcpy(f->planned, f->rules, f->n_rules * sizeof(*f->planned));
	return 0;
}

/* ---- talking to the fixer ---- */

/* Takes what comes; a refusal becomes the error. */
static int hear(struct kc_fixing *f, struct kc_fix_message *message, struct kc_err *err)
{
	struct kc_reader r;
	const char *text;
	int code = kc_fix_receive(f->fixer.socket, message);

	if (code < 0)
		return kc_err_set(err, code, "the fixer is gone: %s", kc_strerror(code));
	if (message->type != KC_FIX_REFUSED)
		return 0;
	kc_reader_start(&r, message->data.data, message->data.len);
	text = kc_reader_text(&r);
	code = kc_err_set(err, -EPERM, "%s", text ? text : "the fixer refused, without a word");
	kc_fix_message_done(message);
	return code;
}

static int ask_for_plan(struct kc_fixing *f, struct kc_err *err)
{
	const struct kc_fix_request request = { .rules = f->rules, .n = f->n_rules };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_fix_message message = { 0 };
	int r;

	kc_put_request(&b, &request);
	r = kc_fix_send(f->fixer.socket, KC_FIX_REQUEST, &b);
	/* Why it went away, it may still have said. */
	if (r < 0 && r != -EPIPE)
		return kc_err_set(err, r, "the fixer cannot be spoken to: %s", kc_strerror(r));
	r = hear(f, &message, err);
	if (r < 0)
		return r;
	if (message.type != KC_FIX_PLAN ||
	    kc_get_plan(&message.data, f->check->profile, f->check->arena, &f->plan) < 0)
		r = kc_err_set(err, -EBADMSG, "the fixer's plan cannot be read");
	kc_fix_message_done(&message);
	return r;
}

/* Whether the fixer refuses a rule that took part; it takes none from then on. */
static bool leave_refused(struct kc_fixing *f)
{
	bool any = false;

	for (uint32_t i = 0; i < f->n_rules; i++) {
		if (!kc_fixing_takes_part(f->rules + i) || !f->plan.rules[i].text)
			continue;
		f->rules[i].fault = f->plan.rules[i].text;
		any = true;
	}
	return any;
}

/* A plan in which what is left out has left nothing in the texts of others. */
int kc_fixing_plan(struct kc_fixing *f, struct kc_err *err)
{
	int r;

	do {
		r = kc_fixing_merge(f, err);
		if (r == 0)
			r = ask_for_plan(f, err);
		if (r == 0 && f->plan.n_rules != f->n_rules)
			r = kc_err_set(err, -EBADMSG, "the fixer's plan is of other rules");
	} while (r == 0 && leave_refused(f));
	return r;
}

static int carry_out(struct kc_fixing *f, struct kc_err *err)
{
	struct kc_fix_consent consent = { .hash = f->plan.hash, .weaken = f->weaken };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const char **ids = kc_arena_zalloc(f->check->arena, (size_t)f->n_rules + 1, sizeof(*ids));
	uint32_t n = 0;
	int r;

	if (!ids)
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < f->n_rules; i++) {
		if (kc_fixing_takes_part(f->rules + i))
			ids[n++] = f->rules[i].id;
	}
	consent.rules = (struct kc_strings){ .n = n, .item = ids };
	kc_put_consent(&b, &consent);
	r = kc_fix_send(f->fixer.socket, KC_FIX_CONSENT, &b);
	if (r < 0 && r != -EPIPE)
		return kc_err_set(err, r, "the fixer cannot be spoken to: %s", kc_strerror(r));
	for (;;) {
		struct kc_fix_message message = { 0 };
		bool last;

		r = hear(f, &message, err);
		if (r < 0)
			return r;
		last = message.type == KC_FIX_OUTCOME;
		if (message.type == KC_FIX_PLAN)
			r = kc_get_plan(&message.data, f->check->profile, f->check->arena,
					&f->plan);
		else if (last)
			r = kc_get_outcome(&message.data, f->check->arena, &f->done);
		kc_fix_message_done(&message);
		if (r < 0)
			return kc_err_set(err, r,
					  "what the fixer says cannot be read; k8scheck "
					  "rollback --list shows what it has done");
		if (last)
			return 0;
	}
}

/* ---- showing and asking ---- */

static FILE *plan_stream(const struct kc_fixing *f)
{
	return kc_check_owns_stdout(f->check) ? stderr : stdout;
}

static int find_json(const struct kc_fixing *f, struct kc_err *err, kc_plan_writer **ret_writer)
{
	const struct kc_report_formats formats = kc_command_formats(f->check->command);
	const struct kc_report_format *format;
	int r = kc_report_format_find(&formats, "json", err, &format);

	if (r < 0)
		return r;
	if (!format->plan)
		return kc_err_set(err, -ENOTSUP, "the module json.so writes no plans");
	*ret_writer = format->plan;
	return 0;
}

/* Before it is asked, what to do next is the question itself. */
static int show(struct kc_fixing *f, kc_plan_writer *writer)
{
	const struct kc_options *o = f->check->options;
	FILE *out = o->dry_run ? stdout : plan_stream(f);
	const struct kc_report_style style = kc_check_style(f->check, fileno(out));
	struct kc_err err = { 0 };
	int r = 0;

	if (o->format == KC_PLAN_JSON)
		r = find_json(f, &err, &writer);
	else if (o->format == KC_PLAN_ANSIBLE)
		writer = kc_plan_ansible_write;
	if (r == 0)
		r = writer(&f->plan, &style, out, &err);
	if (r == 0 && fflush(out) != 0)
		r = kc_err_set(&err, -errno, "the plan could not be written: %s",
			       kc_strerror(errno));
	return r < 0 ? kc_complain(KC_EXIT_USAGE, "%s; nothing was changed", err.text) : 0;
}

int kc_fixing_show(struct kc_fixing *f)
{
	return show(f, kc_plan_text_show);
}

/* ---- judging again ---- */

static const struct kc_plan_rule *plan_of(const struct kc_fixing *f, const struct kc_rule *rule)
{
	for (uint32_t i = 0; i < f->plan.n_rules; i++) {
		if (f->plan.rules[i].rule == rule)
			return f->plan.rules + i;
	}
	return NULL;
}

static bool was_done(const struct kc_plan_rule *rule, uint32_t horizon)
{
	for (uint32_t i = 0; rule && i < rule->n_steps; i++) {
		const struct kc_plan_step *step = rule->steps + i;

		/* What another rule's step did is done for this one, too. */
		if ((step->state == KC_STATE_DONE || kc_fixing_is_served(step)) &&
		    (!horizon || step->horizon == horizon))
			return true;
	}
	return false;
}

static bool started_unit(const struct kc_plan_rule *rule)
{
	for (uint32_t i = 0; rule && i < rule->n_steps; i++) {
		uint32_t kind = rule->steps[i].kind;

		if ((kind == KC_STEP_UNIT_START || kind == KC_STEP_UNIT_RESTART) &&
		    (rule->steps[i].state == KC_STATE_DONE || rule->steps[i].text))
			return true;
	}
	return false;
}

/* A daemon takes its time: until then what is judged may be the start, not the repair. */
static bool is_worth_waiting(const struct kc_fixing *f, const struct kc_outcome *outcome)
{
	bool any = false;

	for (uint32_t i = 0; i < f->plan.n_rules; i++)
		any = any || started_unit(f->plan.rules + i);
	for (uint32_t i = 0; any && i < outcome->n_results; i++) {
		const struct kc_judgement *now = outcome->results[i].judgements + KC_J_NOW;

		if (now->verdict != KC_FAIL && now->verdict != KC_ERROR)
			continue;
		if (plan_of(f, outcome->results[i].rule))
			return true;
	}
	return false;
}

static int judge_again(struct kc_fixing *f, struct kc_err *err)
{
	const struct timespec pause = { .tv_nsec = RETRY_USEC * 1000 };
	uint64_t end = kc_now_usec() + f->check->options->timeout_usec;

	for (;;) {
		struct kc_outcome again = { 0 };
		int r = kc_check_again(f->check, false, err, &again);

		if (r < 0)
			return r;
		kc_run_wait(f->outcome);
		*f->outcome = again;
		if (kc_now_usec() >= end || !is_worth_waiting(f, &again))
			return 0;
		(void)nanosleep(&pause, NULL);
	}
}

static void mark(struct kc_fixing *f, struct kc_result *result, struct kc_report_repair *repair)
{
	const struct kc_plan_rule *plan = plan_of(f, result->rule);
	const struct kc_judgement *boot = result->judgements + KC_J_BOOT;

	if (!plan || !was_done(plan, 0))
		return;
	if (result->verdict == KC_PASS) {
		result->verdict = KC_FIXED;
	} else if (result->verdict == KC_FAIL && boot->verdict == KC_PASS &&
		   was_done(plan, KC_BOOT)) {
		result->verdict = KC_PENDING;
		repair->reboot_required = true;
	}
}

static int conclude(struct kc_fixing *f, struct kc_report_repair *repair)
{
	const char **notes = kc_arena_zalloc(f->check->arena, f->done.notes.n + 1, sizeof(*notes));
	FILE *out = plan_stream(f);
	const struct kc_report_style style = kc_check_style(f->check, fileno(out));
	struct kc_err err = { 0 };

	repair->failed = f->done.result != KC_FIX_DONE;
	repair->changed = f->done.result != KC_FIX_TAKEN_BACK && f->done.changed > 0;
	repair->transaction = f->done.transaction;
	repair->text = f->done.text;
	for (size_t i = 0; notes && i < f->done.notes.n; i++)
		notes[i] = f->done.notes.item[i];
	repair->notes = notes;
	if (kc_plan_text_outcome(&f->plan, &style, out, &err) < 0)
		(void)kc_complain(0, "%s", err.text);
	if (f->done.text)
		(void)kc_complain(0, "%s; %s", f->done.text,
				  f->done.result == KC_FIX_TAKEN_BACK
					  ? "everything that had been changed was taken back"
					  : "not everything could be taken back");
	KC_FOREACH_STR (note, notes)
		(void)kc_complain(0, "%s", note);
	(void)fflush(out);
	for (uint32_t i = 0; i < f->outcome->n_results; i++) {
		if (!repair->failed)
			mark(f, f->outcome->results + i, repair);
	}
	return 0;
}

static int refuse_stdin(const struct kc_options *o)
{
	KC_FOREACH_STR (profile, o->profiles.item) {
		if (kc_streq(profile, "-"))
			return kc_complain(KC_EXIT_USAGE,
					   "--fix reads the profile a second time, in the program "
					   "that repairs, so that it cannot come from standard "
					   "input; put it into a file; nothing was changed");
	}
	return 0;
}

/* Whether something that failed when it was judged is as it should be when it is looked at. */
static bool was_done_by_others(const struct kc_fixing *f)
{
	for (uint32_t i = 0; i < f->plan.n_rules; i++) {
		const struct kc_plan_rule *rule = f->plan.rules + i;

		for (uint32_t k = 0; !rule->text && k < rule->n_steps; k++) {
			if (rule->steps[k].state == KC_STATE_ALREADY)
				return true;
		}
	}
	return false;
}

static int fix(struct kc_fixing *f, struct kc_report_repair *repair)
{
	const struct kc_options *o = f->check->options;
	struct kc_err err = { 0 };
	int r = refuse_stdin(o);

	if (r)
		return r;
	if (plan_rules(f, &err) < 0 ||
	    kc_fix_process_start(f->check->command, &err, &f->fixer) < 0 ||
	    kc_fixing_plan(f, &err) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s; nothing was changed", err.text);
	r = o->dry_run ? show(f, kc_plan_text_write) : kc_fixing_show(f);
	if (r || o->dry_run)
		return r;
	if (f->plan.refusal)
		return kc_complain(KC_EXIT_USAGE, "%s; nothing was changed", f->plan.refusal);
	repair->asked = true;
	r = kc_fixing_agree(f, &err);
	/* What was judged is not so any more: the report has to say what is. */
	if (r == 0 && was_done_by_others(f) && judge_again(f, &err) < 0)
		return kc_complain(KC_EXIT_USAGE, "%s; nothing was changed", err.text);
	if (r != 1)
		return r;
	r = carry_out(f, &err);
	/* It refused, which it does before it begins alone. */
	if (r == -EPERM)
		return kc_complain(KC_EXIT_USAGE, "%s; nothing was changed", err.text);
	if (r < 0)
		return kc_complain(KC_EXIT_REPAIR_FAILED, "%s", err.text);
	if (judge_again(f, &err) < 0)
		return kc_complain(KC_EXIT_REPAIR_FAILED,
				   "it was repaired, and could not be judged again: %s", err.text);
	return conclude(f, repair);
}

int kc_check_fix(struct kc_check_run *c, struct kc_outcome *outcome,
		 struct kc_report_repair *ret_repair)
{
	struct kc_fixing f = {
		.check = c,
		.outcome = outcome,
		.fixer = { .socket = -EBADF },
	};
	int r = fix(&f, ret_repair);

	kc_fix_process_end(&f.fixer);
	return r;
}
