/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "broker.h"
#include "judge.h"
#include "slots.h"
#include "zygote.h"

/*
 * The workers of a run as k8scheck sees them: what each was told, what it has answered, and whom to
 * blame when it dies. All that comes from a worker is foreign.
 */
enum kc_member_state {
	KC_MEMBER_LOADING = 1,
	KC_MEMBER_IDLE = 2,
	KC_MEMBER_GATHERING = 3,
	KC_MEMBER_RUNNING = 4,
	KC_MEMBER_GONE = 5,
};

struct kc_member {
	uint32_t id;
	uint32_t plugin; /* index into config->plugins; KC_NO_PLUGIN: it is only expected */
	const struct kc_manifest *manifest;
	enum kc_member_state state;
	struct kc_channel channel;
	int log_fd;
	uint32_t slot_index;
	struct kc_slot *slot; /* shared with the worker, which may write rubbish into it */
	uint32_t *todo; /* rules in their order */
	uint32_t n_todo, next;
	uint32_t cleared; /* so many of todo may run: all, once the facts are there */
	bool has_facts; /* they were sent to it */
	bool waited; /* for facts, in the rule that it is in */
	bool replaces; /* another of its plugin that has died */
	bool wants_facts; /* it gathers them, before it does anything else */
	bool ordered; /* while it loads: it was told already what to do first */
	bool dismissed; /* its end was asked for */
	bool open; /* its channel has not been closed by the other end */
	uint64_t dismissed_usec;
	const char *cause; /* why k8scheck ended it; NULL: it did not */
	char cause_text[256];
	bool asks; /* a question of its has no answer yet */
	uint64_t closed_usec; /* when the other end was seen to be closed */
	/* How far in todo it was seen to be, plus one, and when it last got anywhere. */
	uint32_t seen;
	uint64_t seen_usec;
	uint64_t received; /* bytes since its last DONE */
	char log[2048]; /* the end of what it wrote to standard error */
	size_t log_len;
	uint64_t log_total;
};

struct kc_crew {
	const struct kc_run_config *config;
	struct kc_slots slots;
	struct kc_zygote zygote;
	struct kc_broker broker; /* of a running system: for questions, until kc_run_rules() */
	struct kc_member **members;
	size_t n_members;
	uint32_t last_id;
};

enum {
	KC_LOG_MAX = 1024 * 1024, /* of a worker's standard error */
	KC_RECEIVED_MAX = 16 * 1024 * 1024, /* from a worker without a result in between */
	/* From all workers of a plugin: so much, and so much more for each of its rules. */
	KC_RECEIVED_PLUGIN_MAX = 64 * 1024 * 1024,
	KC_RECEIVED_RULE_MAX = 16 * 1024,
};

enum {
	KC_NO_PLUGIN = UINT32_MAX
};

/*
 * Starts the process that workers come from, and the broker for what they ask. Of config, which is
 * borrowed until kc_crew_done(), profile and plugins may still be missing. -errno, with a sentence:
 * it cannot be, or the root cannot be opened.
 */
int kc_crew_start(struct kc_crew *crew, const struct kc_run_config *config, struct kc_err *err);

/* Ends all; a crew that was never started, but zeroed, is fine. */
void kc_crew_done(struct kc_crew *crew);

/*
 * Starts a worker of a plugin that will most likely be needed, while the rest of the profile is
 * still read. kc_crew_add() takes it up; it runs nothing but what loading the plugin runs before
 * that. Negative errno: it was not started, which costs no more than the time.
 */
int kc_crew_expect(struct kc_crew *crew, const struct kc_plugin_file *file);

/* Ends those who were expected in vain. */
void kc_crew_settle(struct kc_crew *crew);

/* Starts a worker of config->plugins[plugin]; takes todo (malloc'ed) in any case. */
int kc_crew_add(struct kc_crew *crew, uint32_t plugin, uint32_t *todo, uint32_t n_todo,
		struct kc_member **ret_member);
struct kc_member *kc_crew_find(const struct kc_crew *crew, uint32_t id);
void kc_crew_remove(struct kc_crew *crew, struct kc_member *member);

/* Asks for its end; `cause` is a sentence (copied) for the rule it is in. Once; later causes are
 * dropped. */
void kc_member_dismiss(struct kc_crew *crew, struct kc_member *member, const char *fmt, ...)
	kc_printf(3, 4);

/* Tells it to run what is cleared. */
int kc_member_run(struct kc_member *member);
int kc_member_gather(struct kc_member *member);
int kc_member_facts(struct kc_member *member, const struct kc_fact_value *facts, uint32_t n);

/* Reads what it wrote to standard error; keeps the end. */
void kc_member_read_log(struct kc_member *member);

/* Sends what it can take now; what it does not listen to is dropped, and its deadline ends it. */
void kc_member_push(struct kc_member *member);

/*
 * The index in `todo` of the rule that it is in, or -1. And since when, as far as it can be
 * believed: it may go forward in its list and nowhere else, so it gains no time by what it writes.
 */
int64_t kc_member_doing(struct kc_member *member, uint64_t *ret_since_usec);

/* "it died of SIGSEGV", from a wait status, with the end of its standard error. In the arena. */
const char *kc_member_epitaph(const struct kc_member *member, uint32_t status,
			      struct kc_arena *arena);
