/* SPDX-License-Identifier: Apache-2.0 */

#include "base/clock.h"
#include "run-internal.h"

/* Whether a rule's check may run programs: its manifest says so, or nobody but root wrote the
 * profile. */
static const char *why_not_program(const struct kc_running *run, const struct kc_member *m,
				   uint32_t rule)
{
	const struct kc_rule *r;
	uint32_t flags;

	if (m->state == KC_MEMBER_GATHERING)
		return NULL;
	if (m->state == KC_MEMBER_LOADING)
		return "a plugin runs no program when it is opened";
	r = run->config->profile->rules + rule;
	flags = r->check->flags;
	if (!(flags & (KC_CHECK_RUNS_PROGRAM | KC_CHECK_RUNS_OWN_PROGRAM)))
		return "the check's manifest does not say that it runs programs";
	if (flags & KC_CHECK_RUNS_PROGRAM && r->runs_untrusted)
		return "the rule runs a program, and its profile can be written by others than "
		       "root";
	return NULL;
}

static void answer_member(struct kc_member *m, const struct kc_answer *answer)
{
	kc_frame_answer(&m->channel.out, 0, answer);
	kc_member_push(m);
	m->asks = false;
}

void kc_run_on_ask(struct kc_running *run, struct kc_member *m, const struct kc_frame *frame)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_answer no = { .code = -EPERM };
	struct kc_question question;
	struct kc_err err = { 0 };
	struct kc_asked *grown;

	if (!(m->state == KC_MEMBER_LOADING || m->state == KC_MEMBER_GATHERING ||
	      kc_run_is_current(m, frame->rule)) ||
	    m->asks || kc_read_question(frame, &arena, &question) < 0) {
		kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
		return;
	}
	m->asks = true;
	question.timeout_usec = KC_MIN(question.timeout_usec, run->config->timeout_usec);
	if (question.kind == KC_ASK_PROGRAM)
		no.why = why_not_program(run, m, frame->rule);
	if (!no.why && run->broker.pid == 0 &&
	    kc_broker_start(run->config, &err, &run->broker) < 0) {
		no.code = err.code;
		no.why = err.text;
	}
	grown = no.why ? NULL : realloc(run->asked, (run->n_asked + 1) * sizeof(*grown));
	if (!grown) {
		if (!no.why)
			no = (struct kc_answer){ .code = -ENOMEM, .why = "out of memory" };
		answer_member(m, &no);
		return;
	}
	run->asked = grown;
	grown[run->n_asked++] = (struct kc_asked){
		.number = ++run->last_question,
		.member = m->id,
		.rule = frame->rule,
		.program = question.kind == KC_ASK_PROGRAM,
		.since_usec = kc_now_usec(),
	};
	kc_frame_question(&run->broker.channel.out, run->last_question, &question);
	(void)kc_channel_flush(&run->broker.channel);
}

/* The broker is gone; the next question starts another. */
static void bury_broker(struct kc_running *run)
{
	static const struct kc_answer gone = {
		.code = -EIO,
		.why = "the broker died (this is a fault of k8scheck)",
	};

	for (size_t i = 0; i < run->n_asked; i++) {
		struct kc_member *m = kc_crew_find(&run->crew, run->asked[i].member);

		if (m)
			answer_member(m, &gone);
	}
	run->n_asked = 0;
	kc_broker_stop(&run->broker);
}

/* Passes an answer on, as it came, to who asked. */
static void on_answer(struct kc_running *run, const struct kc_frame *frame)
{
	struct kc_member *m;
	struct kc_asked a;
	size_t i = 0, begin;

	while (i < run->n_asked && run->asked[i].number != frame->rule)
		i++;
	if (i == run->n_asked)
		return;
	a = run->asked[i];
	run->asked[i] = run->asked[--run->n_asked];
	if (a.program) {
		run->programs_run++;
		run->programs_usec += kc_now_usec() - a.since_usec;
	}
	m = kc_crew_find(&run->crew, a.member);
	if (!m)
		return;
	begin = kc_frame_begin(&m->channel.out, KC_FRAME_ANSWER, a.rule);
	kc_buf_add(&m->channel.out, frame->data, frame->size);
	kc_frame_end(&m->channel.out, begin);
	kc_member_push(m);
	m->asks = false;
}

void kc_run_receive_broker(struct kc_running *run)
{
	struct kc_channel *c = &run->broker.channel;
	struct kc_frame frame;
	int r = kc_channel_receive(c, NULL);

	if (r == -EAGAIN)
		return;
	if (r > 0) {
		while ((r = kc_channel_next(c, &frame)) > 0)
			on_answer(run, &frame);
		if (r == 0)
			return;
	}
	bury_broker(run);
}
