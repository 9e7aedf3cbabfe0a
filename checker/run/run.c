/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "broker.h"
#include "crew.h"
#include "host.h"
#include "run.h"

enum {
	RESPAWNS_MAX = 32, /* of one plugin */
	CHUNK_RULES = 256, /* a worker more for every so many rules, up to the CPUs */
	LOAD_USEC = 10 * 1000 * 1000, /* for a plugin to load and open */
	CLOSED_USEC = 250 * 1000, /* for a worker that closed its channel to be dead */
	UNKILLABLE_USEC = 2000 * 1000, /* a worker that does not die by then is given up */
	/* Before the run's deadline, who is stuck is ended, so that the rules behind are judged. */
	HURRY_USEC = 500 * 1000,
	STUCK_USEC = 50 * 1000,
	SHORT_USEC = 10 * 1000,
	ROUNDS_MAX = 16, /* of reading from one worker while others wait */
	FACTS_SIZE_MAX = 4 * 1024 * 1024, /* of all texts: each worker gets all facts in a frame */
	FACT_TEXT_MAX = KC_RUN_FACT_MAX + 128, /* with the note of one that was cut */
	TICK_USEC = 200 * 1000,
};

/* A question that is out: whose, and since when. */
struct asked {
	uint32_t number, member, rule;
	bool program;
	uint64_t since_usec;
};

struct run {
	const struct kc_run_config *config;
	const struct kc_run_watch *watch;
	struct kc_arena *arena;
	struct kc_judge judge;
	struct kc_crew crew;
	struct kc_broker broker;
	struct asked *asked;
	size_t n_asked;
	uint32_t last_question;
	uint32_t *respawns; /* by plugin */
	uint64_t *received; /* by plugin: bytes from all its workers */
	struct kc_fact_value *facts;
	uint32_t n_facts;
	const char **warnings;
	size_t n_warnings;
	uint64_t start_usec, released_usec, facts_usec, programs_usec, ticked_usec;
	uint32_t programs_run, strays;
	bool begun; /* all plugins are loaded, or have had their time: rules may run */
	bool hurried; /* the deadline is near, and who was stuck has been ended */
	bool released; /* the facts are there: those with conditions too */
	struct kc_err *err;
	int refused; /* a plugin breaks the contract: nothing is judged */
};

static const char *plugin_name(const struct run *run, const struct kc_member *m)
{
	return run->config->plugins[m->plugin].manifest->name;
}

static void warn(struct run *run, const char *fmt, ...) kc_printf(2, 3);

static void warn(struct run *run, const char *fmt, ...)
{
	const char **grown = realloc(run->warnings, (run->n_warnings + 1) * sizeof(*grown));
	va_list ap;

	if (!grown)
		return;
	run->warnings = grown;
	va_start(ap, fmt);
	grown[run->n_warnings] = kc_arena_vprintf(run->arena, fmt, ap);
	va_end(ap);
	if (grown[run->n_warnings])
		run->n_warnings++;
}

/* ---- what comes from workers ---- */

/* The rule that a worker may speak of: the one it was told to run next. */
static bool is_current(const struct kc_member *m, uint32_t rule)
{
	return m->state == KC_MEMBER_RUNNING && m->next < m->cleared && m->todo[m->next] == rule;
}

static void set_fact(struct run *run, const struct kc_member *m, const char *name, uint32_t state,
		     const char *value, const char *source)
{
	const struct kc_manifest *manifest = run->config->plugins[m->plugin].manifest;
	struct kc_fact_value *fact = NULL;

	for (uint32_t i = 0; i < manifest->n_facts; i++) {
		if (kc_streq(manifest->facts[i].name, name))
			name = manifest->facts[i].name;
	}
	for (uint32_t i = 0; i < run->n_facts; i++) {
		/* The manifests' own strings, so that what no manifest lists finds nothing. */
		if (run->facts[i].name == name)
			fact = run->facts + i;
	}
	if (!fact)
		return;
	fact->state = state;
	fact->value = kc_judge_text(&run->judge, value);
	fact->source = kc_judge_text(&run->judge, source);
}

/* What a plugin did not say of its facts is unknown, for this reason. */
static void excuse_facts(struct run *run, const struct kc_member *m, const char *why)
{
	const struct kc_manifest *manifest = run->config->plugins[m->plugin].manifest;

	for (uint32_t i = 0; i < run->n_facts; i++) {
		for (uint32_t k = 0; k < manifest->n_facts; k++) {
			if (run->facts[i].name == manifest->facts[k].name && !run->facts[i].source)
				run->facts[i].source = kc_judge_text(&run->judge, why);
		}
	}
}

static void on_refused(struct run *run, struct kc_member *m, const struct kc_frame *frame)
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
	/* Once rules have run, it is one more way for a plugin to lose its own. */
	if (kind == KC_REFUSED_UNFIT && !run->begun) {
		run->refused = kc_err_set(run->err, -EINVAL, "%s", text);
		return;
	}
	for (uint32_t i = m->next; i < m->n_todo; i++)
		kc_judge_error(&run->judge, m->todo[i], text);
	m->next = m->n_todo;
	excuse_facts(run, m, text);
	m->wants_facts = false;
	m->state = KC_MEMBER_GONE;
}

/* Whether a rule's check may run programs: its manifest says so, or nobody but root wrote the
 * profile. */
static const char *why_not_program(const struct run *run, const struct kc_member *m, uint32_t rule)
{
	const struct kc_rule *r;

	if (m->state == KC_MEMBER_GATHERING)
		return NULL;
	if (m->state == KC_MEMBER_LOADING)
		return "a plugin runs no program when it is opened";
	r = run->config->profile->rules + rule;
	if (!(r->check->flags & KC_CHECK_RUNS_PROGRAM))
		return "the check's manifest does not say that it runs programs";
	if (r->runs_untrusted)
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

static void on_ask(struct run *run, struct kc_member *m, const struct kc_frame *frame)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_answer no = { .code = -EPERM };
	struct kc_question question;
	struct kc_err err = { 0 };
	struct asked *grown;

	if (!(m->state == KC_MEMBER_LOADING || m->state == KC_MEMBER_GATHERING ||
	      is_current(m, frame->rule)) ||
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
	grown[run->n_asked++] = (struct asked){
		.number = ++run->last_question,
		.member = m->id,
		.rule = frame->rule,
		.program = question.kind == KC_ASK_PROGRAM,
		.since_usec = kc_now_usec(),
	};
	kc_frame_question(&run->broker.channel.out, run->last_question, &question);
	(void)kc_channel_flush(&run->broker.channel);
}

static void on_done(struct run *run, struct kc_member *m, const struct kc_frame *frame)
{
	const char *why;
	uint64_t usec;
	int code;

	m->received = 0;
	m->seen_usec = kc_now_usec();
	if (kc_read_done(frame, &code, &usec, &why) < 0) {
		kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
	} else if (m->state == KC_MEMBER_GATHERING) {
		excuse_facts(run, m, code < 0 && why ? why : "the plugin did not say");
		m->wants_facts = false;
		m->state = KC_MEMBER_IDLE;
	} else if (is_current(m, frame->rule)) {
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
static bool is_allowed(const struct run *run, uint32_t rule, const struct kc_finding *finding)
{
	const struct kc_rule *r = run->config->profile->rules + rule;

	if (!(finding->horizon & kc_config_horizons(run->config, r)))
		return false;
	if (finding->verdict != KC_SKIP)
		return !finding->reason;
	return finding->reason && kc_manifest_reason(r->check, finding->reason);
}

static void on_finding(struct run *run, struct kc_member *m, const struct kc_frame *frame)
{
	struct kc_finding finding;

	if (!is_current(m, frame->rule))
		kc_member_dismiss(&run->crew, m,
				  "it spoke of a rule that it was not told to judge");
	else if (kc_read_finding(frame, &finding) < 0 || !is_allowed(run, frame->rule, &finding))
		kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
	else
		kc_judge_finding(&run->judge, frame->rule, &finding);
}

static void on_log(struct run *run, const struct kc_member *m, const struct kc_frame *frame)
{
	struct kc_reader r;
	const char *text;
	uint32_t level;

	kc_reader_init(&r, frame);
	level = kc_reader_u32(&r);
	text = kc_reader_text(&r);
	if (kc_reader_end(&r) >= 0 && text && run->watch->log)
		run->watch->log(run->watch->context, level, plugin_name(run, m), text);
}

static void on_frame(struct run *run, struct kc_member *m, const struct kc_frame *frame)
{
	struct kc_fact fact;

	switch (frame->type) {
	case KC_FRAME_READY:
		if (m->state != KC_MEMBER_LOADING)
			break;
		m->state = KC_MEMBER_IDLE;
		if (m->wants_facts)
			(void)kc_member_gather(m);
		return;
	case KC_FRAME_REFUSED:
		if (m->state != KC_MEMBER_LOADING)
			break;
		on_refused(run, m, frame);
		return;
	case KC_FRAME_FINDING:
		on_finding(run, m, frame);
		return;
	case KC_FRAME_FACT:
		if (m->state != KC_MEMBER_GATHERING || kc_read_fact(frame, &fact) < 0 ||
		    (fact.value && strlen(fact.value) > FACT_TEXT_MAX) ||
		    (fact.source && strlen(fact.source) > FACT_TEXT_MAX))
			break;
		set_fact(run, m, fact.name, fact.state, fact.value, fact.source);
		return;
	case KC_FRAME_LOG:
		on_log(run, m, frame);
		return;
	case KC_FRAME_DONE:
		on_done(run, m, frame);
		return;
	case KC_FRAME_ASK:
		on_ask(run, m, frame);
		return;
	default:
		break;
	}
	kc_member_dismiss(&run->crew, m, "it wrote rubbish to its channel");
}

/* Counts what came against what a worker may send. */
static void count_received(struct run *run, struct kc_member *m, size_t n)
{
	uint64_t max = KC_RECEIVED_PLUGIN_MAX +
		       (uint64_t)KC_RECEIVED_RULE_MAX * run->config->profile->n_rules;

	m->received += n;
	run->received[m->plugin] += n;
	if (m->received > KC_RECEIVED_MAX || run->received[m->plugin] > max)
		kc_member_dismiss(&run->crew, m, "it flooded its channel to k8scheck");
}

/* Takes some of what a worker has sent. False when nothing more will be heard for now. */
static bool receive_some(struct run *run, struct kc_member *m)
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

/* As long as there is more, but no longer than is fair to others. */
static void receive(struct run *run, struct kc_member *m)
{
	for (unsigned i = 0; i < ROUNDS_MAX && receive_some(run, m); i++)
		;
}

/* ---- the dead ---- */

/* Lets another worker go on with what a dead one had not done. */
static void replace(struct run *run, const struct kc_member *m, uint32_t *todo, uint32_t n)
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
		if (r >= 0)
			return;
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

static void bury(struct run *run, struct kc_member *m, uint32_t status)
{
	const char *epitaph = kc_member_epitaph(m, status, run->arena);
	int64_t guilty = guilty_rule(m);
	uint32_t *todo = NULL, n = 0;

	if (m->state == KC_MEMBER_LOADING) {
		const char *text = kc_arena_printf(run->arena, "plugin %s could not be loaded: %s",
						   plugin_name(run, m), epitaph);

		for (uint32_t i = m->next; i < m->n_todo; i++)
			kc_judge_error(&run->judge, m->todo[i], text ? text : epitaph);
		m->next = m->n_todo;
	}
	if (m->wants_facts)
		excuse_facts(run, m, epitaph);
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

static void on_exited(struct run *run, const struct kc_frame *frame)
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
	bury(run, m, status);
}

/* The zygote's first word: whether it is fit to start workers. */
static int on_prepared(struct run *run, const struct kc_frame *frame)
{
	struct kc_reader reader;
	const char *why;
	int64_t code;

	kc_reader_init(&reader, frame);
	code = (int64_t)kc_reader_u64(&reader);
	why = kc_reader_text(&reader);
	if (kc_reader_end(&reader) < 0)
		return -EBADMSG;
	if (code < 0)
		run->refused = kc_err_set(run->err, (int)code, "%s", why ? why : "");
	return 0;
}

static int receive_zygote(struct run *run)
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
			bury(run, m, 0);
		}
	}
	return r;
}

/* The broker is gone; the next question starts another. */
static void bury_broker(struct run *run)
{
	static const struct kc_answer gone = {
		.code = -ECONNRESET,
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
static void on_answer(struct run *run, const struct kc_frame *frame)
{
	struct kc_member *m;
	struct asked a;
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

static void receive_broker(struct run *run)
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

/* ---- deadlines ---- */

/* When a worker must be done with what it does. */
static uint64_t time_is_up(struct run *run, struct kc_member *m)
{
	uint64_t since;

	switch (m->state) {
	case KC_MEMBER_LOADING:
		return m->seen_usec + LOAD_USEC;
	case KC_MEMBER_GATHERING:
		return m->seen_usec + run->config->timeout_usec;
	case KC_MEMBER_RUNNING:
		(void)kc_member_doing(m, &since);
		/* Who gathers has a deadline; who waits for that has one from then on. */
		if (!run->released && __atomic_load_n(&m->slot->waits, __ATOMIC_ACQUIRE)) {
			m->waited = true;
			return UINT64_MAX;
		}
		if (m->waited)
			since = KC_MAX(since, run->released_usec);
		return since + run->config->timeout_usec;
	default:
		return UINT64_MAX;
	}
}

/* When something must be done about a worker at the latest; does it when that is now. */
static uint64_t watch_member(struct run *run, struct kc_member *m, uint64_t now)
{
	uint64_t due;

	if (m->log_total > KC_LOG_MAX)
		kc_member_dismiss(&run->crew, m, "it wrote more than %d KiB to standard error",
				  KC_LOG_MAX / 1024);
	if (!m->open && m->state != KC_MEMBER_GONE && now >= m->closed_usec + CLOSED_USEC)
		kc_member_dismiss(&run->crew, m, "it closed its channel to k8scheck");
	if (m->dismissed)
		return m->dismissed_usec + UNKILLABLE_USEC;
	due = time_is_up(run, m);
	if (now < due)
		return m->open || m->state == KC_MEMBER_GONE
			       ? due
			       : KC_MIN(due, m->closed_usec + CLOSED_USEC);
	if (m->state == KC_MEMBER_LOADING)
		kc_member_dismiss(&run->crew, m, "it took more than %d s; its worker was ended",
				  LOAD_USEC / 1000000);
	else
		kc_member_dismiss(&run->crew, m,
				  "no verdict within %.3g s (--timeout); its worker was ended",
				  (double)run->config->timeout_usec / 1e6);
	return m->dismissed_usec + UNKILLABLE_USEC;
}

static uint64_t watch_all(struct run *run, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = run->crew.n_members; i-- > 0;) {
		struct kc_member *m = run->crew.members[i];
		uint64_t due = watch_member(run, m, now);

		if (m->dismissed && now >= due) {
			/* In an uninterruptible wait, most likely. Nobody waits for it. */
			bury(run, m, SIGKILL);
			next = now;
			continue;
		}
		next = KC_MIN(next, due);
	}
	return next;
}

/*
 * Near the run's deadline: ends workers that are stuck in a rule, since what they found out before
 * it may lie with them still, and what stands behind it is not its fault.
 */
static void hurry(struct run *run, uint64_t now)
{
	run->hurried = true;
	for (size_t i = 0; i < run->crew.n_members; i++) {
		struct kc_member *m = run->crew.members[i];
		uint64_t since = m->seen_usec;

		(void)kc_member_doing(m, &since);
		if ((m->state == KC_MEMBER_GATHERING || m->state == KC_MEMBER_RUNNING) &&
		    now >= since + STUCK_USEC)
			kc_member_dismiss(&run->crew, m,
					  "no verdict before the run's %.3g s (--deadline) were up",
					  (double)run->config->deadline_usec / 1e6);
	}
}

static void end_run(struct run *run)
{
	kc_cleanup(kc_freep) char *why =
		kc_asprintf("the run's %.3g s (--deadline) were up before it was judged",
			    (double)run->config->deadline_usec / 1e6);

	for (uint32_t i = 0; i < run->config->profile->n_rules; i++)
		kc_judge_error(&run->judge, i, why ? why : "the run's time was up");
	for (uint32_t i = 0; i < run->n_facts; i++) {
		if (!run->facts[i].source)
			run->facts[i].source = "the run's time was up before it was gathered";
	}
}

/* ---- the run ---- */

static bool gathered(const struct run *run)
{
	for (size_t i = 0; i < run->crew.n_members; i++) {
		if (run->crew.members[i]->wants_facts)
			return false;
	}
	return true;
}

/* One that takes longer to load than a rule may is waited for by its own rules alone. */
static bool loaded(const struct run *run)
{
	uint64_t now = kc_now_usec();

	for (size_t i = 0; i < run->crew.n_members; i++) {
		const struct kc_member *m = run->crew.members[i];

		if (m->state == KC_MEMBER_LOADING && now < m->seen_usec + run->config->timeout_usec)
			return false;
	}
	return true;
}

/* Takes what is settled already out of a worker's list; all that is left may run. */
static void clear_all(struct run *run, struct kc_member *m)
{
	uint32_t n = m->next;

	for (uint32_t i = m->next; i < m->n_todo; i++) {
		if (!run->judge.settled[m->todo[i]])
			m->todo[n++] = m->todo[i];
	}
	m->n_todo = n;
	m->cleared = n;
}

/* While facts are still gathered: puts what depends on none of them first, in its order. */
static void clear_unconditional(struct run *run, struct kc_member *m)
{
	const struct kc_rule *rules = run->config->profile->rules;
	uint32_t *held = malloc(((size_t)m->n_todo + 1) * sizeof(*held));
	uint32_t n = m->next, n_held = 0;

	/* Without memory everything waits for the facts. */
	for (uint32_t i = m->next; held && i < m->n_todo; i++) {
		if (rules[m->todo[i]].n_when == 0)
			m->todo[n++] = m->todo[i];
		else
			held[n_held++] = m->todo[i];
	}
	m->cleared = n;
	if (n_held > 0)
		memcpy(m->todo + n, held, n_held * sizeof(*held));
	free(held);
}

/* Facts go to every worker in one frame: no plugin may make it too large for all of them. */
static void bound_facts(struct run *run)
{
	size_t size = 0;

	for (uint32_t i = 0; i < run->n_facts; i++) {
		struct kc_fact_value *f = run->facts + i;

		size += (f->value ? strlen(f->value) : 0) + (f->source ? strlen(f->source) : 0);
		if (size > FACTS_SIZE_MAX) {
			f->state = KC_FACT_UNKNOWN;
			f->value = NULL;
			f->source = "there is more to the facts than a run can hold";
		}
	}
}

static void on_facts(struct run *run)
{
	bound_facts(run);
	run->released_usec = kc_now_usec();
	run->facts_usec = run->released_usec - run->start_usec;
	kc_judge_conditions(&run->judge, run->facts, run->n_facts);
	run->released = true;
	/* Those that run already may wait for them. */
	for (size_t i = 0; i < run->crew.n_members; i++) {
		if (run->crew.members[i]->state == KC_MEMBER_RUNNING)
			(void)kc_member_facts(run->crew.members[i], run->facts, run->n_facts);
	}
}

/* Sets an idle worker to what it may do; lets it go when there is nothing more. */
static bool employ(struct run *run, struct kc_member *m)
{
	if (run->released)
		clear_all(run, m);
	else
		clear_unconditional(run, m);
	if (m->next == m->n_todo && run->released) {
		/* It ends while others still work. */
		m->state = KC_MEMBER_GONE;
		m->open = false;
		kc_channel_shut(&m->channel);
		return false;
	}
	if (m->next == m->cleared)
		return false;
	if (run->released && !m->has_facts)
		(void)kc_member_facts(m, run->facts, run->n_facts);
	(void)kc_member_run(m);
	return true;
}

/*
 * Once every plugin is loaded, so that a contract that is broken is seen before anything is judged,
 * whoever is idle and has work is set to it: first what has no conditions, and the rest when the
 * facts are there.
 */
static void release(struct run *run)
{
	uint32_t running = 0;

	run->begun = run->begun || loaded(run);
	if (!run->begun)
		return;
	if (!run->released && gathered(run))
		on_facts(run);
	for (size_t i = 0; i < run->crew.n_members; i++)
		running += run->crew.members[i]->state == KC_MEMBER_RUNNING;
	for (size_t i = 0; i < run->crew.n_members && running < run->config->jobs; i++) {
		struct kc_member *m = run->crew.members[i];

		if (m->state == KC_MEMBER_IDLE && !m->dismissed && !m->wants_facts)
			running += employ(run, m);
	}
}

static int hire_for(struct run *run, uint32_t plugin)
{
	const struct kc_profile *profile = run->config->profile;
	const struct kc_manifest *manifest = run->config->plugins[plugin].manifest;
	kc_cleanup(kc_freep) uint32_t *all = calloc((size_t)profile->n_rules + 1, sizeof(*all));
	uint32_t n = 0, workers, done = 0;
	int r;

	if (!all)
		return -ENOMEM;
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (!run->judge.settled[i] && profile->rules[i].plugin == manifest)
			all[n++] = i;
	}
	if (n == 0 && manifest->n_facts == 0)
		return 0;
	workers = n / CHUNK_RULES + 1;
	if (workers > 1)
		workers = KC_MIN(workers, (uint32_t)sysconf(_SC_NPROCESSORS_ONLN));
	workers = KC_MIN(workers, run->config->jobs);
	for (uint32_t i = 0; i < workers; i++) {
		uint32_t share = (n - done) / (workers - i);
		uint32_t *todo = malloc(((size_t)share + 1) * sizeof(*todo));
		struct kc_member *m;

		if (!todo)
			return -ENOMEM;
		memcpy(todo, all + done, share * sizeof(*todo));
		done += share;
		r = kc_crew_add(&run->crew, plugin, todo, share, &m);
		if (r < 0)
			return r;
		m->wants_facts = i == 0 && manifest->n_facts > 0;
	}
	return 0;
}

static int hire_some(struct run *run, bool gatherers)
{
	for (uint32_t i = 0; i < run->config->n_plugins; i++) {
		int r;

		if ((run->config->plugins[i].manifest->n_facts > 0) != gatherers)
			continue;
		r = hire_for(run, i);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Rules whose plugin was not given: nobody would ever judge them. */
static void excuse_orphans(struct run *run)
{
	for (uint32_t i = 0; i < run->config->profile->n_rules; i++) {
		if (!run->judge.settled[i] &&
		    kc_config_plugin(run->config, run->config->profile->rules[i].plugin) < 0)
			kc_judge_error(&run->judge, i, "its plugin is not there");
	}
}

static int hire(struct run *run)
{
	/* Those who gather first: everybody waits for them. */
	int r = hire_some(run, true);

	if (r >= 0)
		r = hire_some(run, false);
	return r < 0 ? kc_err_set(run->err, r, "no worker could be started: %s", kc_strerror(r))
		     : 0;
}

static int list_facts(struct run *run)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < run->config->n_plugins; i++)
		n += run->config->plugins[i].manifest->n_facts;
	run->facts = kc_arena_zalloc(run->arena, (size_t)n + 1, sizeof(*run->facts));
	if (!run->facts)
		return -ENOMEM;
	for (uint32_t i = 0; i < run->config->n_plugins; i++) {
		const struct kc_manifest *manifest = run->config->plugins[i].manifest;

		for (uint32_t k = 0; k < manifest->n_facts; k++)
			run->facts[run->n_facts++] = (struct kc_fact_value){
				.name = manifest->facts[k].name,
				.state = KC_FACT_UNKNOWN,
			};
	}
	return 0;
}

static void tick(struct run *run, uint64_t now)
{
	const char *running = NULL;
	uint32_t all = 0;

	if (!run->watch->progress || now - run->ticked_usec < TICK_USEC)
		return;
	run->ticked_usec = now;
	for (uint32_t i = 0; i < run->config->profile->n_rules; i++)
		all += run->config->profile->rules[i].selected;
	for (size_t i = 0; i < run->crew.n_members; i++) {
		struct kc_member *m = run->crew.members[i];
		uint64_t since;
		int64_t k = kc_member_doing(m, &since);

		if (k >= 0)
			running = run->config->profile->rules[m->todo[k]].id;
	}
	run->watch->progress(run->watch->context, all - run->judge.n_open, all, running);
}

/* Waits until something comes, or something is due. */
static int wait_for_any(struct run *run, uint64_t next)
{
	size_t n = run->crew.n_members, k = 0;
	struct pollfd *pfd = calloc(2 * n + 2, sizeof(*pfd));
	kc_cleanup(kc_freep) struct pollfd *owned = pfd;
	kc_cleanup(kc_freep) uint32_t *ids = calloc(n + 1, sizeof(*ids));
	uint64_t now = kc_now_usec();
	int timeout;

	if (!pfd || !ids)
		return -ENOMEM;
	if (run->watch->progress)
		next = KC_MIN(next, now + TICK_USEC);
	timeout = next == UINT64_MAX ? -1 : next <= now ? 0 : (int)((next - now) / 1000 + 1);
	pfd[k++] = (struct pollfd){ .fd = run->crew.zygote.channel.fd, .events = POLLIN };
	pfd[k++] = (struct pollfd){ .fd = run->broker.pid ? run->broker.channel.fd : -1,
				    .events = POLLIN };
	if (run->broker.pid && run->broker.channel.out.len > 0)
		pfd[1].events |= POLLOUT;
	for (size_t i = 0; i < n; i++) {
		struct kc_member *m = run->crew.members[i];

		ids[i] = m->id;
		pfd[k] = (struct pollfd){ .fd = m->open && !m->dismissed ? m->channel.fd : -1,
					  .events = POLLIN };
		if (m->channel.out.len > 0)
			pfd[k].events |= POLLOUT;
		k++;
		pfd[k++] = (struct pollfd){ .fd = m->log_fd, .events = POLLIN };
	}
	if (poll(pfd, k, timeout) < 0 && errno != EINTR)
		return -errno;
	for (size_t i = 0; i < n; i++) {
		struct kc_member *m = kc_crew_find(&run->crew, ids[i]);

		if (m && pfd[2 + 2 * i].revents & POLLOUT)
			kc_member_push(m);
		if (m && pfd[2 + 2 * i].revents & (POLLIN | POLLHUP | POLLERR))
			receive(run, m);
		if (m && pfd[3 + 2 * i].revents)
			kc_member_read_log(m);
	}
	if (run->broker.pid && pfd[1].revents) {
		(void)kc_channel_flush(&run->broker.channel);
		receive_broker(run);
	}
	return pfd[0].revents ? receive_zygote(run) : 0;
}

static int loop(struct run *run)
{
	uint64_t limit = run->config->deadline_usec;
	uint64_t end = limit ? run->start_usec + limit : UINT64_MAX;
	uint64_t last_call = limit ? end - KC_MIN(limit / 10, (uint64_t)HURRY_USEC) : UINT64_MAX;

	while (run->judge.n_open > 0 || !gathered(run)) {
		uint64_t now = kc_now_usec(), next;
		int r;

		if (now >= end) {
			end_run(run);
			break;
		}
		if (now >= last_call && !run->hurried)
			hurry(run, now);
		release(run);
		if (run->judge.n_open == 0 && gathered(run))
			break;
		next = KC_MIN(watch_all(run, now), run->hurried ? end : last_call);
		/* For who is not loaded by then, nobody waits any longer. */
		if (!run->begun)
			next = KC_MIN(next, KC_MAX(run->start_usec + run->config->timeout_usec,
						   now + SHORT_USEC));
		tick(run, now);
		r = wait_for_any(run, next);
		if (run->refused)
			return run->refused;
		if (r < 0)
			return kc_err_set(run->err, r,
					  "the process that starts workers is gone: %s",
					  kc_strerror(r));
	}
	return 0;
}

static int run_all(struct run *run)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	int r;

	r = kc_judge_init(&run->judge, run->config, run->arena);
	if (r >= 0)
		r = list_facts(run);
	if (r < 0)
		return kc_err_set(run->err, r, "out of memory");
	/* So that a root that cannot be opened is said before anything is started. */
	r = kc_root_open(run->config->root, run->config->live ? KC_ROOT_LIVE : 0, run->err, &root);
	if (r >= 0)
		r = kc_zygote_start(run->config, run->err, &run->crew.zygote);
	if (r < 0)
		return r;
	kc_judge_scope(&run->judge);
	excuse_orphans(run);
	r = hire(run);
	if (r < 0)
		return r;
	r = loop(run);
	if (r >= 0 && run->judge.failed)
		r = kc_err_set(run->err, -ENOMEM, "out of memory");
	return r;
}

static int hand_over(struct run *run, struct kc_outcome *ret_outcome)
{
	const struct kc_profile *profile = run->config->profile;
	const char **warnings = kc_arena_zalloc(run->arena, run->n_warnings + 1, sizeof(*warnings));
	uint32_t n = 0;

	if (!warnings)
		return -ENOMEM;
	if (run->n_warnings > 0)
		memcpy(warnings, run->warnings, run->n_warnings * sizeof(*warnings));
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (profile->rules[i].selected)
			run->judge.results[n++] = run->judge.results[i];
	}
	*ret_outcome = (struct kc_outcome){
		.results = run->judge.results,
		.n_results = n,
		.facts = run->facts,
		.n_facts = run->n_facts,
		.facts_usec = run->facts_usec,
		.programs_run = run->programs_run,
		.programs_usec = run->programs_usec,
		.warnings = warnings,
	};
	return 0;
}

static int collect(struct run *run, struct kc_outcome *ret_outcome)
{
	/* Whose they were is not known: they had left their worker. */
	if (run->strays > 0)
		warn(run, "plugins left %u process%s behind, which were ended", run->strays,
		     run->strays == 1 ? "" : "es");
	return hand_over(run, ret_outcome);
}

/* They end by themselves while the caller writes its reports. */
static void hand_over_processes(struct run *run, struct kc_outcome *outcome)
{
	outcome->zygote = run->crew.zygote;
	outcome->broker = run->broker;
	run->crew.zygote = (struct kc_zygote){ 0 };
	run->broker = (struct kc_broker){ 0 };
	kc_channel_shut(&outcome->zygote.channel);
	if (outcome->broker.pid > 0)
		kc_channel_shut(&outcome->broker.channel);
}

void kc_run_wait(struct kc_outcome *outcome)
{
	kc_broker_stop(&outcome->broker);
	kc_zygote_stop(&outcome->zygote);
}

int kc_run_rules(const struct kc_run_config *config, const struct kc_run_watch *watch,
		 struct kc_arena *arena, struct kc_err *err, struct kc_outcome *ret_outcome)
{
	static const struct kc_run_watch nobody;
	struct run run = {
		.config = config,
		.watch = watch ? watch : &nobody,
		.arena = arena,
		.err = err,
		.start_usec = kc_now_usec(),
	};
	int r;

	/* A run that is over at once shows no progress. */
	run.ticked_usec = run.start_usec;
	kc_crew_init(&run.crew, config);
	run.ticked_usec = run.start_usec;
	run.respawns = calloc((size_t)config->n_plugins + 1, sizeof(*run.respawns));
	run.received = calloc((size_t)config->n_plugins + 1, sizeof(*run.received));
	r = run.respawns && run.received ? run_all(&run)
					 : kc_err_set(err, -ENOMEM, "out of memory");
	if (r >= 0)
		r = collect(&run, ret_outcome);
	if (r >= 0)
		hand_over_processes(&run, ret_outcome);
	kc_broker_stop(&run.broker);
	kc_crew_done(&run.crew);
	kc_judge_done(&run.judge);
	free(run.asked);
	free(run.respawns);
	free(run.received);
	free(run.warnings);
	return r;
}
