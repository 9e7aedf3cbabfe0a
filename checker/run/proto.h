/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/fields.h"
#include "model/result.h"
#include "sys/ask.h"

/*
 * Messages between k8scheck, its zygote, workers and broker: frames on a stream socket, each a
 * header and fields. Both sides run the same program, so numbers are in the machine's order; a
 * reader trusts nothing of a frame all the same, since a plugin can write to its worker's channel.
 */

enum kc_frame_type {
	/* worker to k8scheck */
	KC_FRAME_READY = 1, /* the plugin is loaded and opened */
	KC_FRAME_REFUSED = 2, /* u32 enum kc_refusal, text */
	KC_FRAME_FINDING = 3, /* rule; a finding */
	KC_FRAME_STEP = 4, /* rule; a step */
	KC_FRAME_FACT = 5, /* a fact */
	KC_FRAME_LOG = 6, /* rule; u32 level, text */
	KC_FRAME_DONE = 7, /* rule; i64 code, u64 microseconds, text why */
	KC_FRAME_ASK = 8, /* rule; a question */
	/* k8scheck to worker */
	KC_FRAME_RUN = 9, /* u32 n, n times u32 first, u32 count */
	KC_FRAME_GATHER = 10, /* gather facts; answered by FACT frames and DONE */
	KC_FRAME_FACTS = 11, /* u32 n, n facts */
	KC_FRAME_ANSWER = 12, /* an answer */
	KC_FRAME_MANIFEST = 13, /* the first of all: see assignment.h */
	KC_FRAME_RULE = 14, /* rule; behind the manifest, in the order of their index */
	KC_FRAME_OPEN = 15, /* behind the last rule; answered by READY or REFUSED */
	/* k8scheck and zygote */
	KC_FRAME_SPAWN = 16, /* id; u32 slot, text name, text path; with descriptors */
	KC_FRAME_KILL = 17, /* id */
	KC_FRAME_SPAWNED = 18, /* id; i64 pid or negative errno */
	KC_FRAME_EXITED = 19, /* id (0: strays alone); u32 wait status, u32 strays ended */
	KC_FRAME_PREPARED = 20, /* i64 code, text, the sandbox; the zygote's first word */
	/* k8scheck to broker, broker to door */
	KC_FRAME_EXPECT = 21, /* questions to the bus will most likely come; has no answer */
	KC_FRAME_MAX = 22,
};

enum kc_refusal {
	KC_REFUSED_UNLOADABLE = 1, /* there, but cannot be loaded: its rules are errors */
	KC_REFUSED_UNFIT = 2, /* breaks the contract: nothing is judged */
};

enum {
	KC_FRAME_SIZE_MAX = 8 * 1024 * 1024
};

struct kc_frame {
	uint32_t type;
	uint32_t rule; /* index of a rule, or an id, by type */
	const char *data;
	size_t size;
};

/* Appends a frame to b: begin, fields (base/fields.h), end with what begin returned. */
size_t kc_frame_begin(struct kc_buf *b, uint32_t type, uint32_t rule);
void kc_frame_end(struct kc_buf *b, size_t begin);

void kc_frame_finding(struct kc_buf *b, uint32_t rule, const struct kc_finding *finding);
void kc_frame_step(struct kc_buf *b, uint32_t rule, const struct kc_step *step);
void kc_frame_fact(struct kc_buf *b, const struct kc_fact *fact);
void kc_frame_facts(struct kc_buf *b, const struct kc_fact_value *facts, uint32_t n);
void kc_frame_question(struct kc_buf *b, uint32_t rule, const struct kc_question *question);
void kc_frame_answer(struct kc_buf *b, uint32_t rule, const struct kc_answer *answer);
void kc_frame_done(struct kc_buf *b, uint32_t rule, int code, uint64_t usec, const char *why);

/*
 * The next whole frame of what was received. 1: *ret_frame points into data, and *ret_size bytes
 * are used up. 0: more is needed. -EBADMSG: this can be no frame.
 */
int kc_frame_next(const char *data, size_t size, struct kc_frame *ret_frame, size_t *ret_size);

/* Reads a frame's fields. */
void kc_reader_init(struct kc_reader *r, const struct kc_frame *frame);

/* Whole frames; texts point into the frame, lists live in the arena. -EBADMSG, -ENOMEM. */
int kc_read_finding(const struct kc_frame *frame, struct kc_finding *ret_finding);
int kc_read_fact(const struct kc_frame *frame, struct kc_fact *ret_fact);
int kc_read_facts(const struct kc_frame *frame, struct kc_arena *arena,
		  struct kc_fact_value **ret_facts, uint32_t *ret_n);
int kc_read_step(const struct kc_frame *frame, struct kc_step *ret_step);
int kc_read_question(const struct kc_frame *frame, struct kc_arena *arena,
		     struct kc_question *ret_question);
int kc_read_answer(const struct kc_frame *frame, struct kc_arena *arena,
		   struct kc_answer *ret_answer);
int kc_read_done(const struct kc_frame *frame, int *ret_code, uint64_t *ret_usec,
		 const char **ret_why);
