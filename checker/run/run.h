/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "broker.h"
#include "config.h"
#include "crew.h"

/* Runs a profile's rules in workers, and gathers what comes of them. */

/* Who looks on while it runs. All may be NULL. */
struct kc_run_watch {
	void *context;
	/* Every 200 ms while rules run: how many are done, and the id of one that runs (or NULL).
	 */
	void (*progress)(void *context, uint32_t done, uint32_t all, const char *running);
	/* A plugin's log line. */
	void (*log)(void *context, uint32_t level, const char *plugin, const char *text);
};

struct kc_outcome {
	struct kc_result *results; /* of the selected rules, in the profile's order */
	uint32_t n_results;
	const struct kc_rule_steps *steps; /* of each result, when planning; else NULL */
	struct kc_fact_value *facts;
	uint32_t n_facts;
	uint64_t facts_usec;
	uint32_t programs_run;
	uint64_t programs_usec;
	const char *const *warnings; /* NULL-terminated */
	struct kc_sandbox_told sandbox;
	/* on their way out; for kc_run_wait() */
	struct kc_zygote zygote;
	struct kc_broker broker;
};

/*
 * Runs what the crew's config says, all of it by now, and takes the crew over. Results live in the
 * arena. Negative errno when nothing was judged: a plugin breaks the contract, or the processes
 * could not be started. Anything else that goes wrong is a rule's `error`.
 */
int kc_run_rules(struct kc_crew *crew, const struct kc_run_watch *watch, struct kc_arena *arena,
		 struct kc_err *err, struct kc_outcome *ret_outcome);

/* Waits, for some seconds at most, until nothing of the run is left. Once after every run that
 * succeeded. */
void kc_run_wait(struct kc_outcome *outcome);
