/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "assignment.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "channel.h"
#include "host.h"
#include "loader.h"
#include "process.h"
#include "sys/objects.h"
#include "worker.h"

enum {
	/* Results are sent in lots: a system call for every rule would cost more than most rules.
	 */
	LOT_SIZE = 32 * 1024,
	LOT_USEC = 50 * 1000,
};

struct worker {
	const struct kc_run_config *config; /* what is known of it before the profile */
	const struct kc_worker_birth *birth;
	struct kc_arena assigned;
	struct kc_assignment assignment;
	struct kc_objects objects;
	const struct kc_plugin *plugin;
	const struct kc_root *root;
	void *state;
	struct kc_channel channel;
	struct kc_slot *slot;
	struct kc_frame early; /* an order that came before the plugin was open; type 0: none */
	struct kc_memo memo;
	struct kc_arena facts_arena;
	struct kc_fact_value *facts;
	uint32_t n_facts;
	uint32_t rule; /* index of the one that runs */
	uint64_t flushed_usec;
	pid_t pid;
	long childrens_usage; /* of those that were waited for, so far */
};

/* Returns the time. */
static uint64_t doing(struct worker *w, uint32_t what)
{
	uint64_t now = kc_now_usec();

	__atomic_store_n(&w->slot->since_usec, now, __ATOMIC_RELAXED);
	__atomic_store_n(&w->slot->doing, what, __ATOMIC_RELEASE);
	return now;
}

static void flush(struct worker *w)
{
	/* A copy that a plugin forked has no say. */
	if (getpid() != w->pid)
		_exit(1);
	w->flushed_usec = kc_now_usec();
	/* Without k8scheck there is nobody to work for. */
	if (kc_channel_flush_all(&w->channel) < 0)
		_exit(1);
}

/* Room for what a check hands in, however much that is: k8scheck is who bounds it. */
static void make_room(struct worker *w)
{
	if (w->channel.out.len > LOT_SIZE)
		flush(w);
}

static void on_finding(void *context, const struct kc_finding *finding)
{
	struct worker *w = context;

	kc_frame_finding(&w->channel.out, w->rule, finding);
	make_room(w);
}

static void on_fact(void *context, const struct kc_fact *fact)
{
	struct worker *w = context;

	kc_frame_fact(&w->channel.out, fact);
	make_room(w);
}

static void on_step(void *context, const struct kc_step *step)
{
	struct worker *w = context;

	kc_frame_step(&w->channel.out, w->rule, step);
	make_room(w);
}

static void on_log(void *context, uint32_t level, const char *text)
{
	struct worker *w = context;
	size_t begin = kc_frame_begin(&w->channel.out, KC_FRAME_LOG, w->rule);

	kc_put_u32(&w->channel.out, level);
	kc_put_text(&w->channel.out, text);
	kc_frame_end(&w->channel.out, begin);
	make_room(w);
}

static void take_facts(struct worker *w, const struct kc_frame *frame)
{
	struct kc_frame copy = *frame;

	copy.data = kc_arena_memdup(&w->facts_arena, frame->data, frame->size);
	if (!copy.data || kc_read_facts(&copy, &w->facts_arena, &w->facts, &w->n_facts) < 0)
		_exit(1);
}

/* What it is to do first is told with its rules, and a plugin may ask while it is opened. */
static void take_order(struct worker *w, const struct kc_frame *frame)
{
	const char *copy = kc_arena_memdup(&w->assigned, frame->data, frame->size);

	if (!copy || w->early.type != 0)
		_exit(1);
	w->early = *frame;
	w->early.data = copy;
}

static void ask(void *context, const struct kc_question *question, struct kc_arena *arena,
		struct kc_answer *ret_answer)
{
	struct worker *w = context;
	struct kc_frame frame;
	struct kc_frame copy;
	int r;

	kc_frame_question(&w->channel.out, w->rule, question);
	flush(w);
	/* The broker keeps the question's time-out; k8scheck ends a worker whose rule is late. */
	for (;;) {
		r = kc_channel_wait(&w->channel, UINT64_MAX, &frame);
		if (r < 0)
			_exit(1);
		if (frame.type == KC_FRAME_FACTS)
			take_facts(w, &frame);
		else if (frame.type == KC_FRAME_RUN || frame.type == KC_FRAME_GATHER)
			take_order(w, &frame);
		else
			break;
	}
	/* The answer outlives the channel's buffer. */
	copy = frame;
	copy.data = kc_arena_memdup(arena, frame.data, frame.size);
	if (!copy.data) {
		kc_answer_fail(ret_answer, arena, -ENOMEM,
			       "the answer does not fit into the memory that a rule may have");
		return;
	}
	r = frame.type == KC_FRAME_ANSWER ? kc_read_answer(&copy, arena, ret_answer) : -EBADMSG;
	if (r < 0)
		kc_answer_fail(ret_answer, arena, r == -ENOMEM ? r : -EIO,
			       "the broker's answer cannot be read");
}

/* Rules without conditions run while facts are still gathered; one that asks for a fact waits here.
 */
static void await_facts(struct kc_run *run)
{
	struct worker *w = run->ask_context;
	struct kc_frame frame;
	uint64_t start = kc_now_usec();

	/* They may have come between a question and its answer. */
	if (!w->facts) {
		__atomic_store_n(&w->slot->waits, 1, __ATOMIC_RELEASE);
		flush(w);
		if (kc_channel_wait(&w->channel, UINT64_MAX, &frame) < 0 ||
		    frame.type != KC_FRAME_FACTS)
			_exit(1);
		take_facts(w, &frame);
		__atomic_store_n(&w->slot->waits, 0, __ATOMIC_RELEASE);
	}
	run->facts = w->facts;
	run->n_facts = w->n_facts;
	run->deadline_usec += kc_now_usec() - start;
}

static void init_run(struct worker *w, const struct kc_rule *rule, struct kc_run *run)
{
	*run = (struct kc_run){
		.root = w->root,
		.rule = rule,
		.plugin = &w->assignment.manifest,
		.facts = w->facts,
		.n_facts = w->n_facts,
		.horizons = rule ? kc_config_horizons(w->config, rule) : 0,
		.planning = rule && w->config->planning,
		.deadline_usec = kc_now_usec() + w->config->timeout_usec,
		.ask = ask,
		.ask_context = w,
		.await_facts = rule ? await_facts : NULL,
		.memo = &w->memo,
		.sink = { .context = w,
			  .finding = on_finding,
			  .fact = on_fact,
			  .step = on_step,
			  .log = on_log },
	};
}

/*
 * Children that the plugin waited for itself are gone; what they took is still on the account. One
 * made by vfork(2) may take no page, but leaves the size of the memory that it shared; after the
 * first, it is seen by its turns on a processor alone, of which the last can be missing. With
 * SIGCHLD ignored there is no account: where no filter stops them, this finds slips, not malice.
 */
static bool had_children(struct worker *w)
{
	struct rusage usage;
	long before = w->childrens_usage;

	if (getrusage(RUSAGE_CHILDREN, &usage) < 0)
		return false;
	w->childrens_usage = usage.ru_minflt + usage.ru_maxrss + usage.ru_nvcsw + usage.ru_nivcsw;
	return w->childrens_usage > before;
}

/* What a check may not do makes its rule an error, whatever else it said. */
static void hold_to_contract(struct worker *w, struct kc_run *run)
{
	static const uint32_t each[] = { KC_NOW, KC_BOOT };
	struct kc_err err = { 0 };

	if (getpid() != w->pid)
		_exit(1);
	if (waitpid(-1, NULL, WNOHANG) >= 0 || had_children(w)) {
		run->refused = -EPERM;
		run->refusal = "the check started a process, which no check may";
	}
	/* A library that a check opens when it needs it runs as the plugin does. */
	if (kc_objects_vet(&w->objects, &err) < 0) {
		const char *text = kc_arena_strdup(&run->arena, err.text);

		run->refused = -EPERM;
		run->refusal = text ? text : "the check mapped an object that is not trusted";
	}
	for (size_t i = 0; run->refused && !run->planning && i < KC_ARRAY_SIZE(each); i++) {
		const struct kc_finding finding = {
			.size = sizeof(finding),
			.verdict = KC_ERROR,
			.horizon = each[i],
			.message = run->refusal,
		};

		if (run->horizons & each[i])
			kc_frame_finding(&w->channel.out, w->rule, &finding);
	}
}

static void run_rule(struct worker *w, uint32_t index)
{
	const struct kc_rule *rule = kc_assignment_rule(&w->assignment, index);
	const struct kc_check *check;
	const char *why;
	uint64_t start;
	struct kc_run run;
	int r;

	if (!rule)
		_exit(1);
	if (!rule->check) {
		kc_frame_done(&w->channel.out, index, -E2BIG, 0,
			      "its parameters are too large for one rule");
		return;
	}
	check = kc_plugin_check(w->plugin, rule->check->id);
	init_run(w, rule, &run);
	w->rule = index;
	start = doing(w, index + 1);
	if (!run.planning)
		r = check->run(w->state, &kc_host_table, &run);
	else
		r = check->plan ? check->plan(w->state, &kc_host_table, &run) : 0;
	if (r > 0)
		r = 0;
	hold_to_contract(w, &run);
	why = run.why;
	if (run.planning && run.refused) {
		r = run.refused;
		why = run.refusal;
	}
	kc_frame_done(&w->channel.out, index, KC_MAX(r, -4095), kc_now_usec() - start,
		      r < 0 ? why : NULL);
	kc_run_done(&run);
	if (w->channel.out.len > LOT_SIZE || kc_now_usec() - w->flushed_usec > LOT_USEC)
		flush(w);
}

static void gather(struct worker *w)
{
	uint64_t start = kc_now_usec();
	int worst = 0;
	char why[sizeof(((struct kc_run *)0)->why)] = "";

	(void)doing(w, KC_DOING_GATHERING);
	for (uint32_t i = 0; i < w->plugin->n_facts; i++) {
		struct kc_run run;
		int r;

		init_run(w, NULL, &run);
		run.gathering = true;
		run.source = w->plugin->facts[i];
		r = w->plugin->facts[i]->gather(w->state, &kc_host_table, &run);
		if (run.refused)
			r = run.refused;
		if (r < 0 && worst == 0) {
			worst = KC_MAX(r, -4095);
			(void)snprintf(why, sizeof(why), "%s", run.refused ? run.refusal : run.why);
		}
		kc_run_done(&run);
	}
	(void)doing(w, KC_DOING_NOTHING);
	kc_frame_done(&w->channel.out, 0, worst, kc_now_usec() - start, worst < 0 ? why : NULL);
	flush(w);
}

static void run_ranges(struct worker *w, const struct kc_frame *frame)
{
	/* Answers to questions come into the same buffer while the rules run. */
	kc_cleanup(kc_freep) char *copy = malloc(frame->size + 1);
	struct kc_frame own = *frame;
	struct kc_reader r;
	uint32_t n;

	if (!copy)
		_exit(1);
	memcpy(copy, frame->data, frame->size);
	own.data = copy;
	kc_reader_init(&r, &own);
	n = kc_reader_u32(&r);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t first = kc_reader_u32(&r), count = kc_reader_u32(&r);

		if (r.failed)
			_exit(1);
		for (uint32_t k = 0; k < count; k++)
			run_rule(w, first + k);
	}
	(void)doing(w, KC_DOING_NOTHING);
	flush(w);
}

/* Hears what the plugin is held to, and all rules; until then there is nothing to answer. */
static void hear(struct worker *w)
{
	for (;;) {
		struct kc_frame frame;
		int r = kc_channel_wait(&w->channel, UINT64_MAX, &frame);

		if (r < 0)
			_exit(r == -EPIPE ? 0 : 1);
		if (frame.type == KC_FRAME_OPEN)
			return;
		if (frame.type == KC_FRAME_MANIFEST)
			r = kc_read_manifest(&frame, &w->assigned, &w->assignment);
		else if (frame.type == KC_FRAME_RULE)
			r = kc_read_rule(&frame, &w->assigned, &w->assignment);
		else
			r = -EBADMSG;
		if (r < 0)
			_exit(1);
	}
}

static int open_plugin(struct worker *w, struct kc_err *err, enum kc_refusal *ret_refusal)
{
	struct kc_run run;
	int r = kc_plugin_compare(w->plugin, &w->assignment.manifest, err);

	if (r < 0 || !w->plugin->open)
		return r;
	init_run(w, NULL, &run);
	r = w->plugin->open(&kc_host_table, &run, &w->state);
	if (r < 0) {
		r = KC_MAX(r, -4095);
		*ret_refusal = KC_REFUSED_UNLOADABLE;
		(void)kc_err_set(err, r, "plugin %s could not start: %s", w->birth->name,
				 run.why[0] ? run.why : kc_strerror(r));
	}
	kc_run_done(&run);
	return r;
}

static void load(struct worker *w)
{
	enum kc_refusal refusal = KC_REFUSED_UNLOADABLE;
	struct kc_err err = { 0 };
	size_t begin;
	int r;

	(void)doing(w, KC_DOING_LOADING);
	kc_objects_begin(&w->objects);
	r = kc_plugin_load(w->birth->name, w->birth->path, w->birth->plugin, &err, &refusal,
			   &w->plugin);
	hear(w);
	refusal = r < 0 ? refusal : KC_REFUSED_UNFIT;
	if (r >= 0 && kc_objects_vet(&w->objects, &err) < 0)
		r = kc_err_prefix(&err, "plugin %s is refused", w->birth->name);
	if (r >= 0)
		r = open_plugin(w, &err, &refusal);
	(void)doing(w, KC_DOING_NOTHING);
	begin = kc_frame_begin(&w->channel.out, r < 0 ? KC_FRAME_REFUSED : KC_FRAME_READY, 0);
	if (r < 0) {
		kc_put_u32(&w->channel.out, refusal);
		kc_put_text(&w->channel.out, err.text);
	}
	kc_frame_end(&w->channel.out, begin);
	flush(w);
	if (r < 0)
		_exit(0);
}

static void obey(struct worker *w, const struct kc_frame *frame)
{
	switch (frame->type) {
	case KC_FRAME_RUN:
		run_ranges(w, frame);
		break;
	case KC_FRAME_GATHER:
		gather(w);
		break;
	case KC_FRAME_FACTS:
		take_facts(w, frame);
		break;
	default:
		_exit(1);
	}
}

static void serve(struct worker *w)
{
	if (w->early.type != 0)
		obey(w, &w->early);
	for (;;) {
		struct kc_frame frame;
		int r = kc_channel_wait(&w->channel, UINT64_MAX, &frame);

		if (r < 0)
			_exit(r == -EPIPE ? 0 : 1);
		obey(w, &frame);
	}
}

kc_noreturn void kc_worker_main(const struct kc_run_config *config, const struct kc_root *root,
				const struct kc_sandbox *sandbox,
				const struct kc_worker_birth *birth, struct kc_slot *slot,
				pid_t parent)
{
	struct worker w = {
		.config = config,
		.birth = birth,
		.root = root,
		.slot = slot,
		.pid = getpid(),
	};
	struct kc_err err = { 0 };

	kc_process_begin(parent, birth->log);
	kc_process_name(birth->name);
	(void)kc_close(birth->log);
	if (kc_sandbox_worker(sandbox, &err) < 0) {
		(void)dprintf(STDERR_FILENO, "%s\n", err.text);
		_exit(1);
	}
	/* Between one user and the next nobody would have told of the parent's end. */
	if (getppid() != parent)
		_exit(1);
	kc_channel_init(&w.channel, birth->channel);
	w.flushed_usec = kc_now_usec();
	load(&w);
	serve(&w);
	_exit(0);
}
