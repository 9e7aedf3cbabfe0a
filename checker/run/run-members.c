/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/clock.h"
#include "host.h"
#include "run-internal.h"

enum {
	RESPAWNS_MAX = 32, /* of one plugin */
	ROUNDS_MAX = 16, /* of reading from one worker while others wait */
	FACT_TEXT_MAX = KC_RUN_FACT_MAX + 128, /* with the note of one that was cut */
};

bool kc_run_is_current(const struct kc_member *m, uint32_t rule)
{
	return m->state == KC_MEMBER_RUNNING && m->next < m->cleared && m->todo[m->next] == rule;
}

static void on_refused(struct kc_running *run, struct kc_member *m, const struct kc_frame *frame)
{
	struct kc_reader r;
	const char *text;
	uint32_t kind;

	kc_reader_init(&r, frame);
	kind = kc_reader_u32(&r);
	text = kc_reader_text(&r);
	if (kc_reader_end(&r) < 0 || !text) {
		kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
		return;
	}
	/* One that was fit before only loses its own rules by it. */
	if (kind == KC_REFUSED_UNFIT && !m->replaces) {
		run->refused = kc_err_set(run->err, -EINVAL, "%s", text);
		return;
	}
	for (uint32_t i = m->next; i < m->n_todo; i++)
		kc_judge_error(&run->judge, m->todo[i], text);
	m->next = m->n_todo;
	kc_run_excuse_facts(run, m, text);
	m->wants_facts = false;
	m->state = KC_MEMBER_GONE;
}

static void on_ready(struct kc_member *m)
{
	m->state = KC_MEMBER_IDLE;
	m->seen_usec = kc_now_usec();
	if (m->ordered)
		m->state = m->wants_facts ? KC_MEMBER_GATHERING : KC_MEMBER_RUNNING;
	else if (m->wants_facts)
		(void)kc_member_gather(m);
	m->ordered = false;
}

static void on_done(struct kc_running *run, struct kc_member *m, const struct kc_frame *frame)
{
	const char *why;
	uint64_t usec;
	int code;

	m->received = 0;
	m->seen_usec = kc_now_usec();
	if (kc_read_done(frame, &code, &usec, &why) < 0) {
		kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
	} else if (m->state == KC_MEMBER_GATHERING) {
		kc_run_excuse_facts(run, m, code < 0 && why ? why : "the plugin did not say");
		m->wants_facts = false;
		m->state = KC_MEMBER_IDLE;
	} else if (kc_run_is_current(m, frame->rule)) {
		usec = KC_MIN(usec, m->seen_usec - run->start_usec);
		kc_judge_settle(&run->judge, frame->rule, code, why, usec);
		m->next++;
		if (m->next == m->cleared)
			m->state = KC_MEMBER_IDLE;
	} else {
		kc_member_dismiss(&run->crew, m,
				  "it spoke of a rule that it was not told to judge");
	}
}

/* What the table of services holds a check to, of somebody who may have gone around it. */
static bool is_allowed(const struct kc_running *run, uint32_t rule,
		       const struct kc_finding *finding)
{
	const struct kc_rule *r = run->config->profile->rules + rule;

	if (!(finding->horizon & kc_config_horizons(run->config, r)))
		return false;
	if (finding->verdict != KC_SKIP)
		return !finding->reason;
	return finding->reason && kc_manifest_reason(r->check, finding->reason);
}

static void on_finding(struct kc_running *run, struct kc_member *m, const struct kc_frame *frame)
{
	struct kc_finding finding;

	if (!kc_run_is_current(m, frame->rule))
		kc_member_dismiss(&run->crew, m,
				  "it spoke of a rule that it was not told to judge");
	else if (kc_read_finding(frame, &finding) < 0 || !is_allowed(run, frame->rule, &finding))
		kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
	else
		kc_judge_finding(&run->judge, frame->rule, &finding);
}

static void on_step(struct kc_running *run, struct kc_member *m, const struct kc_frame *frame)
{
	struct kc_step step;

	if (!kc_run_is_current(m, frame->rule))
		kc_member_dismiss(&run->crew, m,
				  "it spoke of a rule that it was not told to judge");
	else if (kc_read_step(frame, &step) < 0 ||
		 !(step.horizon &
		   kc_config_horizons(run->config, run->config->profile->rules + frame->rule)))
		kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
	else if (kc_judge_step(&run->judge, frame->rule, &step) < 0)
		kc_member_dismiss(&run->crew, m, "it planned more steps than anybody would read");
}

static void on_log(struct kc_running *run, const struct kc_member *m, const struct kc_frame *frame)
{
	struct kc_reader r;
	const char *text;
	uint32_t level;

	kc_reader_init(&r, frame);
	level = kc_reader_u32(&r);
	text = kc_reader_text(&r);
	if (kc_reader_end(&r) >= 0 && text && run->watch->log)
		run->watch->log(run->watch->context, level, m->manifest->name, text);
}

static void on_frame(struct kc_running *run, struct kc_member *m, const struct kc_frame *frame)
{
	struct kc_fact fact;

	switch (frame->type) {
	case KC_FRAME_READY:
		if (m->state != KC_MEMBER_LOADING)
			break;
		on_ready(m);
		return;
	case KC_FRAME_REFUSED:
		if (m->state != KC_MEMBER_LOADING)
			break;
		on_refused(run, m, frame);
		return;
	case KC_FRAME_FINDING:
		if (run->config->planning)
			break;
		on_finding(run, m, frame);
		return;
	case KC_FRAME_STEP:
		if (!run->config->planning)
			break;
		on_step(run, m, frame);
		return;
	case KC_FRAME_FACT:
		if (m->state != KC_MEMBER_GATHERING || kc_read_fact(frame, &fact) < 0 ||
		    (fact.value && strlen(fact.value) > FACT_TEXT_MAX) ||
		    (fact.source && strlen(fact.source) > FACT_TEXT_MAX))
			break;
		kc_run_set_fact(run, m, fact.name, fact.state, fact.value, fact.source);
		return;
	case KC_FRAME_LOG:
		on_log(run, m, frame);
		return;
	case KC_FRAME_DONE:
		on_done(run, m, frame);
		return;
	case KC_FRAME_ASK:
		kc_run_on_ask(run, m, frame);
		return;
	default:
		break;
	}
	kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
}

/* Counts what came against what a worker may send. */
static void count_received(struct kc_running *run, struct kc_member *m, size_t n)
{
	uint64_t max = KC_RECEIVED_PLUGIN_MAX +
		       (uint64_t)KC_RECEIVED_RULE_MAX * run->config->profile->n_rules;

	m->received += n;
	run->received[m->plugin] += n;
	if (m->received > KC_RECEIVED_MAX || run->received[m->plugin] > max)
		kc_member_dismiss(&run->crew, m, "it flooded its channel to k8scheck");
}

/* Takes some of what a worker has sent. False when nothing more will be heard for now. */
static bool receive_some(struct kc_running *run, struct kc_member *m)
{
	size_t before = m->channel.in.len - m->channel.in_used;
	struct kc_frame frame;
	int r;

	if (!m->open || m->dismissed || run->refused)
		return false;
	r = kc_channel_receive(&m->channel, NULL);
	if (r == -EAGAIN)
		return false;
	if (r <= 0) {
		/* How it died, if it did, is about to be known. */
		m->open = false;
		m->closed_usec = kc_now_usec();
		return false;
	}
	count_received(run, m, m->channel.in.len - m->channel.in_used - before);
	/* What a worker said after it broke the rules is not heard. */
	while (!m->dismissed && !run->refused && (r = kc_channel_next(&m->channel, &frame)) > 0)
		on_frame(run, m, &frame);
	if (r < 0)
		kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
	return true;
}

void kc_run_receive(struct kc_running *run, struct kc_member *m)
{
	/* What comes after a piece that was not full is announced by poll(2). */
	for (unsigned i = 0; i < ROUNDS_MAX && receive_some(run, m) && m->channel.more; i++)
		;
}

/* Lets another worker go on with what a dead one had not done. */
static void replace(struct kc_running *run, const struct kc_member *m, uint32_t *todo, uint32_t n)
{
	struct kc_member *fresh;
	const char *why = "its plugin's workers died so often that no more was started";
	int r = -EAGAIN;

	if (n == 0) {
		free(todo);
		return;
	}
	if (run->respawns[m->plugin]++ < RESPAWNS_MAX) {
		r = kc_crew_add(&run->crew, m->plugin, todo, n, &fresh);
		if (r >= 0) {
			fresh->replaces = true;
			return;
		}
		why = "no worker could be started for it";
		/* The list went with the attempt. */
		for (uint32_t i = m->next; i < m->n_todo; i++)
			kc_judge_error(&run->judge, m->todo[i], why);
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		kc_judge_error(&run->judge, todo[i], why);
	free(todo);
}

/*
 * Whom to blame for a worker's end: the rule it was in, or what it was to do next when its slot
 * says nothing that can be. Nobody when it was not told to judge anything.
 */
static int64_t guilty_rule(struct kc_member *m)
{
	uint64_t since;
	int64_t i = kc_member_doing(m, &since);

	if (m->state != KC_MEMBER_RUNNING || m->next >= m->cleared)
		return -1;
	return i >= 0 ? i : (int64_t)m->next;
}

void kc_run_bury(struct kc_running *run, struct kc_member *m, uint32_t status)
{
	const char *epitaph = kc_member_epitaph(m, status, run->arena);
	int64_t guilty = guilty_rule(m);
	uint32_t *todo = NULL, n = 0;

	if (m->state == KC_MEMBER_LOADING) {
		const char *text = kc_arena_printf(run->arena, "plugin %s could not be loaded: %s",
						   m->manifest->name, epitaph);

		for (uint32_t i = m->next; i < m->n_todo; i++)
			kc_judge_error(&run->judge, m->todo[i], text ? text : epitaph);
		m->next = m->n_todo;
	}
	if (m->wants_facts)
		kc_run_excuse_facts(run, m, epitaph);
	if (guilty >= 0)
		kc_judge_error(&run->judge, m->todo[guilty], epitaph);
	if (m->next < m->n_todo) {
		/* Some of what it had found may have come, and comes again. */
		kc_judge_again(&run->judge, m->todo[m->next]);
		todo = calloc(m->n_todo, sizeof(*todo));
		for (uint32_t i = m->next; i < m->n_todo && todo; i++) {
			if (i != guilty)
				todo[n++] = m->todo[i];
		}
		for (uint32_t i = m->next; i < m->n_todo && !todo; i++)
			kc_judge_error(&run->judge, m->todo[i], "out of memory");
	}
	replace(run, m, todo, n);
	kc_crew_remove(&run->crew, m);
}

static void on_exited(struct kc_running *run, const struct kc_frame *frame)
{
	struct kc_member *m = kc_crew_find(&run->crew, frame->rule);
	uint32_t status, strays;
	struct kc_reader r;

	kc_reader_init(&r, frame);
	status = kc_reader_u32(&r);
	strays = kc_reader_u32(&r);
	run->strays += strays;
	if (!m)
		return;
	while (receive_some(run, m))
		;
	kc_member_read_log(m);
	kc_run_bury(run, m, status);
}

/* The zygote's first word: whether it is fit to start workers. */
static int on_prepared(struct kc_running *run, const struct kc_frame *frame)
{
	struct kc_reader reader;
	const char *why;
	int64_t code;
	int r;

	kc_reader_init(&reader, frame);
	code = (int64_t)kc_reader_u64(&reader);
	why = kc_reader_text(&reader);
	r = kc_sandbox_get(&reader, run->arena, &run->sandbox);
	if (r < 0 || kc_reader_end(&reader) < 0)
		return r < 0 ? r : -EBADMSG;
	run->prepared = true;
	if (code < 0)
		run->refused = kc_err_set(run->err, (int)code, "%s", why ? why : "");
	return 0;
}

int kc_run_receive_zygote(struct kc_running *run)
{
	struct kc_channel *c = &run->crew.zygote.channel;
	struct kc_frame frame;
	int r = kc_channel_receive(c, NULL);

	if (r == -EAGAIN)
		return 0;
	if (r <= 0)
		return -EPIPE;
	while ((r = kc_channel_next(c, &frame)) > 0) {
		struct kc_member *m = kc_crew_find(&run->crew, frame.rule);
		struct kc_reader reader;

		kc_reader_init(&reader, &frame);
		if (frame.type == KC_FRAME_PREPARED) {
			r = on_prepared(run, &frame);
			if (r < 0)
				return r;
		} else if (frame.type == KC_FRAME_EXITED) {
			on_exited(run, &frame);
		} else if (frame.type == KC_FRAME_SPAWNED && m &&
			   (int64_t)kc_reader_u64(&reader) < 0) {
			kc_member_dismiss(&run->crew, m, "no process could be started for it");
			kc_run_bury(run, m, 0);
		}
	}
	return r;
}
