/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "broker.h"
#include "crew.h"
#include "run.h"

/* A run that is under way; for the files run-*.c alone, each of which has one part of it. */

/* A question that is out: whose, and since when. */
struct kc_asked {
	uint32_t number, member, rule;
	bool program;
	uint64_t since_usec;
};

struct kc_running {
	const struct kc_run_config *config;
	const struct kc_run_watch *watch;
	struct kc_arena *arena;
	struct kc_judge judge;
	struct kc_crew crew;
	struct kc_broker broker;
	struct kc_asked *asked;
	size_t n_asked;
	uint32_t last_question;
	uint32_t *respawns; /* by plugin */
	uint64_t *received; /* by plugin: bytes from all its workers */
	struct kc_fact_value *facts;
	uint32_t n_facts;
	const char **warnings;
	struct kc_sandbox_told sandbox;
	bool prepared; /* the zygote has said what its sandbox is */
	size_t n_warnings;
	uint64_t start_usec, released_usec, facts_usec, programs_usec, ticked_usec;
	uint32_t programs_run, strays;
	bool hurried; /* the deadline is near, and who was stuck has been ended */
	bool released; /* the facts are there: those with conditions too */
	struct kc_err *err;
	int refused; /* a plugin breaks the contract: nothing is judged */
};

/* ---- run-facts.c: what gatherers say, and what is said for those that did not ---- */

/* Takes a fact of the manifest's; any other is dropped. Texts are masked and copied. */
void kc_run_set_fact(struct kc_running *run, const struct kc_member *m, const char *name,
		     uint32_t state, const char *value, const char *source);

/* What a plugin did not say of its facts is unknown, for this reason. */
void kc_run_excuse_facts(struct kc_running *run, const struct kc_member *m, const char *why);

/* Rules whose plugin was not given: nobody would ever judge them. */
void kc_run_excuse_orphans(struct kc_running *run);

/* Facts go to every worker in one frame: no plugin may make it too large for all of them. */
void kc_run_bound_facts(struct kc_running *run);

/* Lists the facts of all plugins, unknown at first. -ENOMEM. */
int kc_run_list_facts(struct kc_running *run);

/* ---- run-questions.c: questions of workers, on their way to the broker and back ---- */

/* Passes a question on, starting a broker if there is none, or answers that it may not be asked. */
void kc_run_on_ask(struct kc_running *run, struct kc_member *m, const struct kc_frame *frame);

/* Passes answers on; when the broker is gone, answers in its place. */
void kc_run_receive_broker(struct kc_running *run);

/* ---- run-members.c: what comes from workers, and what follows when one dies ---- */

/* The rule that a worker may speak of: the one it was told to run next. */
bool kc_run_is_current(const struct kc_member *m, uint32_t rule);

/* As long as there is more, but no longer than is fair to others. */
void kc_run_receive(struct kc_running *run, struct kc_member *m);

/*
 * Blames the rule that a dead worker was in, lets another worker go on with the rest, and forgets
 * it. `status` is of wait(2).
 */
void kc_run_bury(struct kc_running *run, struct kc_member *m, uint32_t status);

/* Takes what the zygote says. -EPIPE: it is gone; -EBADMSG: it writes rubbish. */
int kc_run_receive_zygote(struct kc_running *run);

/* ---- run-deadlines.c: who is late, and what is done about it ---- */

/* Ends those whose time is up; returns when to look again (kc_now_usec()). */
uint64_t kc_run_watch_members(struct kc_running *run, uint64_t now);

/*
 * Near the run's deadline: ends workers that are stuck in a rule, since what they found out before
 * it may lie with them still, and what stands behind it is not its fault.
 */
void kc_run_hurry(struct kc_running *run, uint64_t now);

/* The run's deadline: what is not judged by now is an error. */
void kc_run_end(struct kc_running *run);

/* ---- run-work.c: who is started, and set to what ---- */

/* Whether every plugin that gathers facts has said its own. */
bool kc_run_gathered(const struct kc_running *run);

/*
 * Once every plugin is loaded, so that a contract that is broken is seen before anything is judged,
 * or those that are slow about it have had their time, whoever is idle and has work is set to it:
 * first what has no conditions, and the rest when the facts are there.
 */
void kc_run_release(struct kc_running *run);

/* Asks for the first workers: one a plugin, several for a long list. */
int kc_run_hire(struct kc_running *run);
