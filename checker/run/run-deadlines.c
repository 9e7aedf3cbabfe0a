/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>

#include "run-internal.h"

enum {
	/* for a plugin to load and open, or as long as a rule has */
	LOAD_MIN_USEC = 2 * 1000 * 1000,
	CLOSED_USEC = 1000 * 1000, /* for a worker that closed its channel to be dead, and why */
	UNKILLABLE_USEC = 2000 * 1000, /* a worker that does not die by then is given up */
	STUCK_USEC = 50 * 1000,
};

static uint64_t load_time(const struct kc_running *run)
{
	return KC_MAX(run->config->timeout_usec, (uint64_t)LOAD_MIN_USEC);
}

/* When a worker must be done with what it does. */
static uint64_t time_is_up(struct kc_running *run, struct kc_member *m)
{
	uint64_t since;

	switch (m->state) {
	case KC_MEMBER_LOADING:
		return m->seen_usec + load_time(run);
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
static uint64_t watch_member(struct kc_running *run, struct kc_member *m, uint64_t now)
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
		kc_member_dismiss(&run->crew, m, "it took more than %.3g s; its worker was ended",
				  (double)load_time(run) / 1e6);
	else
		kc_member_dismiss(&run->crew, m,
				  "no verdict within %.3g s (--timeout); its worker was ended",
				  (double)run->config->timeout_usec / 1e6);
	return m->dismissed_usec + UNKILLABLE_USEC;
}

uint64_t kc_run_watch_members(struct kc_running *run, uint64_t now)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = run->crew.n_members; i-- > 0;) {
		struct kc_member *m = run->crew.members[i];
		uint64_t due = watch_member(run, m, now);

		if (m->dismissed && now >= due) {
			/* In an uninterruptible wait, most likely. Nobody waits for it. */
			kc_run_bury(run, m, SIGKILL);
			next = now;
			continue;
		}
		next = KC_MIN(next, due);
	}
	return next;
}

void kc_run_hurry(struct kc_running *run, uint64_t now)
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

void kc_run_end(struct kc_running *run)
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
