/* SPDX-License-Identifier: Apache-2.0 */

#include "base/clock.h"
#include "base/fdio.h"
#include "run-internal.h"

enum {
	CHUNK_RULES = 256, /* a worker more for every so many rules, up to the CPUs */
};

bool kc_run_gathered(const struct kc_running *run)
{
	for (size_t i = 0; i < run->crew.n_members; i++) {
		if (run->crew.members[i]->wants_facts)
			return false;
	}
	return true;
}

/* Takes what is settled already out of a worker's list; all that is left may run. */
static void clear_all(struct kc_running *run, struct kc_member *m)
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
static void clear_unconditional(struct kc_running *run, struct kc_member *m)
{
	const struct kc_rule *rules = run->config->profile->rules;
	uint32_t *held = malloc(((size_t)m->n_todo + 1) * sizeof(*held));
	uint32_t n = m->next, n_held = 0;

	/* Without memory everything waits for the facts. */
	for (uint32_t i = m->next; held && i < m->n_todo; i++) {
		if (!kc_rule_awaits_facts(rules + m->todo[i]))
			m->todo[n++] = m->todo[i];
		else
			held[n_held++] = m->todo[i];
	}
	m->cleared = n;
	if (n_held > 0)
		memcpy(m->todo + n, held, n_held * sizeof(*held));
	free(held);
}

/* Or will, as soon as it has loaded its plugin. */
static bool is_running(const struct kc_member *m)
{
	return m->state == KC_MEMBER_RUNNING || (m->ordered && !m->wants_facts);
}

static void on_facts(struct kc_running *run)
{
	kc_run_bound_facts(run);
	run->released_usec = kc_now_usec();
	run->facts_usec = run->released_usec - run->start_usec;
	kc_judge_conditions(&run->judge, run->facts, run->n_facts);
	run->released = true;
	/* Those that run already may wait for them. */
	for (size_t i = 0; i < run->crew.n_members; i++) {
		if (is_running(run->crew.members[i]))
			(void)kc_member_facts(run->crew.members[i], run->facts, run->n_facts);
	}
}

/* Sets an idle worker to what it may do; lets it go when there is nothing more. */
static bool employ(struct kc_running *run, struct kc_member *m)
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

void kc_run_release(struct kc_running *run)
{
	uint32_t running = 0;

	if (!run->released && kc_run_gathered(run))
		on_facts(run);
	for (size_t i = 0; i < run->crew.n_members; i++)
		running += is_running(run->crew.members[i]);
	for (size_t i = 0; i < run->crew.n_members && running < run->config->jobs; i++) {
		struct kc_member *m = run->crew.members[i];

		if (m->state == KC_MEMBER_IDLE && !m->dismissed && !m->wants_facts)
			running += employ(run, m);
	}
}

/* Tells it what it can begin with once its plugin is loaded, which saves asking when that is. */
static void order(struct kc_running *run, struct kc_member *m)
{
	uint32_t running = 0;

	for (size_t i = 0; i < run->crew.n_members; i++)
		running += is_running(run->crew.members[i]);
	if (m->wants_facts) {
		(void)kc_member_gather(m);
	} else {
		clear_unconditional(run, m);
		if (m->next == m->cleared || running >= run->config->jobs)
			return;
		(void)kc_member_run(m);
	}
	m->state = KC_MEMBER_LOADING;
	m->ordered = true;
}

static int hire_for(struct kc_running *run, uint32_t plugin)
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
		order(run, m);
	}
	return 0;
}

static int hire_some(struct kc_running *run, bool gatherers)
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

int kc_run_hire(struct kc_running *run)
{
	/* Those who gather first: rules with conditions wait for them, and who asks for a fact. */
	int r = hire_some(run, true);

	if (r >= 0)
		r = hire_some(run, false);
	if (r == -EPIPE || r == -ECONNRESET)
		return kc_err_set(run->err, r, "the process that starts workers is gone: %s",
				  kc_strerror(r));
	return r < 0 ? kc_err_set(run->err, r, "no worker could be started: %s", kc_strerror(r))
		     : 0;
}
