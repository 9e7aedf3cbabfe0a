/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "run-internal.h"

enum {
	/* Before the run's deadline, who is stuck is ended, so that the rules behind are judged. */
	HURRY_USEC = 500 * 1000,
	SHORT_USEC = 10 * 1000,
	TICK_USEC = 200 * 1000,
};

static void warn(struct kc_running *run, const char *fmt, ...) kc_printf(2, 3);

static void warn(struct kc_running *run, const char *fmt, ...)
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

static void tick(struct kc_running *run, uint64_t now)
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
static int wait_for_any(struct kc_running *run, uint64_t next)
{
	size_t n = run->crew.n_members, k = 0;
	kc_cleanup(kc_freep) struct pollfd *pfd = calloc(2 * n + 2, sizeof(*pfd));
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
			kc_run_receive(run, m);
		if (m && pfd[3 + 2 * i].revents)
			kc_member_read_log(m);
	}
	if (run->broker.pid && pfd[1].revents) {
		(void)kc_channel_flush(&run->broker.channel);
		kc_run_receive_broker(run);
	}
	return pfd[0].revents ? kc_run_receive_zygote(run) : 0;
}

static int loop(struct kc_running *run)
{
	uint64_t limit = run->config->deadline_usec;
	uint64_t end = limit ? run->start_usec + limit : UINT64_MAX;
	uint64_t last_call = limit ? end - KC_MIN(limit / 10, (uint64_t)HURRY_USEC) : UINT64_MAX;

	while (run->judge.n_open > 0 || !kc_run_gathered(run) || !run->prepared) {
		uint64_t now = kc_now_usec(), next;
		int r;

		if (now >= end) {
			kc_run_end(run);
			break;
		}
		if (now >= last_call && !run->hurried)
			kc_run_hurry(run, now);
		kc_run_release(run);
		if (run->judge.n_open == 0 && kc_run_gathered(run) && run->prepared)
			break;
		next = kc_run_watch_members(run, now);
		next = KC_MIN(next, run->hurried ? end : last_call);
		tick(run, now);
		r = wait_for_any(run, next);
		if (run->refused)
			return run->refused;
		if (r < 0)
			return kc_err_set(run->err, r,
					  "the process that starts workers is gone: %s",
					  kc_strerror(r));
	}
	/* Facts that came last were waited for by no rule, and are part of the report all the same.
	 */
	if (!run->released && kc_run_gathered(run))
		kc_run_release(run);
	return 0;
}

static int run_all(struct kc_running *run)
{
	int r;

	r = kc_judge_init(&run->judge, run->config, run->arena);
	if (r >= 0)
		r = kc_run_list_facts(run);
	if (r < 0)
		return kc_err_set(run->err, r, "out of memory");
	kc_judge_scope(&run->judge);
	kc_run_excuse_orphans(run);
	r = kc_run_hire(run);
	kc_crew_settle(&run->crew);
	/* Who has gone may have said why. */
	if (r < 0)
		(void)kc_run_receive_zygote(run);
	if (r < 0)
		return run->refused ? run->refused : r;
	r = loop(run);
	if (r >= 0 && run->judge.failed)
		r = kc_err_set(run->err, -ENOMEM, "out of memory");
	return r;
}

static int hand_over(struct kc_running *run, struct kc_outcome *ret_outcome)
{
	const struct kc_profile *profile = run->config->profile;
	const char **warnings = kc_arena_zalloc(run->arena, run->n_warnings + 1, sizeof(*warnings));
	uint32_t n = 0;

	if (!warnings)
		return -ENOMEM;
	if (run->n_warnings > 0)
		memcpy(warnings, run->warnings, run->n_warnings * sizeof(*warnings));
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (!profile->rules[i].selected)
			continue;
		if (run->judge.steps)
			run->judge.steps[n] = run->judge.steps[i];
		run->judge.results[n++] = run->judge.results[i];
	}
	*ret_outcome = (struct kc_outcome){
		.results = run->judge.results,
		.n_results = n,
		.steps = run->judge.steps,
		.facts = run->facts,
		.n_facts = run->n_facts,
		.facts_usec = run->facts_usec,
		.programs_run = run->programs_run,
		.programs_usec = run->programs_usec,
		.warnings = warnings,
		.sandbox = run->sandbox,
	};
	return 0;
}

static int collect(struct kc_running *run, struct kc_outcome *ret_outcome)
{
	/* Whose they were is not known: they had left their worker. */
	if (run->strays > 0)
		warn(run, "plugins left %u process%s behind, which were ended", run->strays,
		     run->strays == 1 ? "" : "es");
	return hand_over(run, ret_outcome);
}

/* They end by themselves while the caller writes its reports. */
static void hand_over_processes(struct kc_running *run, struct kc_outcome *outcome)
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

int kc_run_rules(struct kc_crew *crew, const struct kc_run_watch *watch, struct kc_arena *arena,
		 struct kc_err *err, struct kc_outcome *ret_outcome)
{
	static const struct kc_run_watch nobody;
	const struct kc_run_config *config = crew->config;
	struct kc_running run = {
		.config = config,
		.crew = *crew,
		.broker = crew->broker,
		.watch = watch ? watch : &nobody,
		.arena = arena,
		.err = err,
		.start_usec = kc_now_usec(),
	};
	int r;

	/* A run that is over at once shows no progress. */
	run.ticked_usec = run.start_usec;
	*crew = (struct kc_crew){ 0 };
	run.crew.broker = (struct kc_broker){ 0 };
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
