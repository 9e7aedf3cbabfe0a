/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "memo.h"
#include "model/result.h"
#include "sys/ask.h"
#include "sys/root.h"

/*
 * The table of services that plugins get (struct kc_host), over a root and somebody who answers
 * questions: the channel to the broker in a worker, a script in a test.
 */

/* Puts a question; the answer lives in the arena. Always fills *ret_answer. */
typedef void kc_asker(void *context, const struct kc_question *question, struct kc_arena *arena,
		      struct kc_answer *ret_answer);

/* What a run hands in. All called synchronously; what they get is borrowed. Any may be NULL. */
struct kc_run_sink {
	void *context;
	void (*finding)(void *context, const struct kc_finding *finding);
	void (*fact)(void *context, const struct kc_fact *fact);
	void (*step)(void *context, const struct kc_step *step);
	void (*log)(void *context, uint32_t level, const char *text);
};

/* Bounds of one run: findings, and the memory of what services hand out. */
enum {
	KC_RUN_FINDINGS_MAX = 4096,
	KC_RUN_TEXT_MAX =
		64 * 1024, /* of one text of a finding or log line; more is cut, and said */
	KC_RUN_FACT_MAX =
		4 * 1024, /* of a fact's value, and of its source: every worker gets all */
	KC_RUN_MEMORY_MAX = 64 * 1024 * 1024,
};

/* One run of one check. Zeroed but for what the caller sets; kc_run_done() frees. */
struct kc_run {
	/* set by the caller */
	const struct kc_root *root;
	const struct kc_rule *rule; /* NULL for open and gather */
	const struct kc_manifest *plugin;
	const struct kc_fact_value *facts;
	uint32_t n_facts;
	uint32_t horizons;
	uint64_t deadline_usec; /* kc_now_usec() */
	kc_asker *ask;
	void *ask_context;
	struct kc_run_sink sink;
	struct kc_memo *memo; /* what was read for rules before this one; or NULL */
	bool gathering, planning; /* what may be handed in */
	const struct kc_fact_source *source; /* of gather: whose names alone may be set; or NULL */
	/* Called when a fact is asked for and `facts` is NULL: waits until they are there, and sets
	 * them. */
	void (*await_facts)(struct kc_run *run);

	/* its own */
	struct kc_arena arena;
	char why[1024];
	uint32_t reported; /* horizons that have a finding */
	uint32_t n_findings;
	/* Negative errno: something it handed in was refused, so nothing of it may pass; and why.
	 */
	int refused;
	const char *refusal;
};

void kc_run_done(struct kc_run *run);

/* The table; constant, the same for every run. */
extern const struct kc_host kc_host_table;
