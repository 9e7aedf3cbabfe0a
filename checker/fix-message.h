/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "model/plan.h"

/*
 * What k8scheck and the fixer say to each other, over a socket: blobs with a type and a size in
 * front. Both run the same build. Each holds what comes for foreign all the same: the one is fed by
 * plugins, and the other may do anything as root.
 *
 *     k8scheck                     fixer
 *     REQUEST rules and steps  ->
 *                              <-  PLAN what they come to here
 *     CONSENT hash, rules      ->
 *                              <-  PROGRESS …, OUTCOME
 *
 * For a rollback the fixer speaks first, with what it would take back. Who closes the socket in
 * place of a consent has changed nothing.
 */
enum kc_fix_message_type {
	KC_FIX_REQUEST = 1,
	KC_FIX_PLAN = 2,
	KC_FIX_CONSENT = 3,
	KC_FIX_PROGRESS = 4,
	KC_FIX_OUTCOME = 5,
	KC_FIX_ROLLBACK = 6,
	KC_FIX_LIST = 7,
	KC_FIX_REFUSED = 8, /* text: a sentence */
};

struct kc_fix_message {
	uint32_t type;
	struct kc_buf data;
};

/* Whole messages. -EPIPE: the other side is gone; -EBADMSG: it speaks no such language. */
int kc_fix_send(int fd, uint32_t type, const struct kc_buf *data);
int kc_fix_receive(int fd, struct kc_fix_message *ret_message);
void kc_fix_message_done(struct kc_fix_message *message);

/* ---- what they hold ---- */

struct kc_fix_rule {
	const char *id;
	const struct kc_step *steps;
	size_t n;
	const char *fault; /* why there is no plan; NULL */
};

struct kc_fix_request {
	const struct kc_fix_rule *rules;
	uint32_t n;
};

void kc_put_request(struct kc_buf *b, const struct kc_fix_request *request);
int kc_get_request(const struct kc_buf *data, struct kc_arena *arena,
		   struct kc_fix_request *ret_request);

/* Rules are those of the profile, by their ids; others are -EBADMSG. */
void kc_put_plan(struct kc_buf *b, const struct kc_plan *plan);
int kc_get_plan(const struct kc_buf *data, const struct kc_profile *profile, struct kc_arena *arena,
		struct kc_plan *ret_plan);

/* What was agreed to: the plan of this hash, so far as these rules go. */
struct kc_fix_consent {
	const char *hash;
	bool weaken; /* steps that weaken the host, too */
	struct kc_strings rules; /* ids; of a rollback none */
};

void kc_put_consent(struct kc_buf *b, const struct kc_fix_consent *consent);
int kc_get_consent(const struct kc_buf *data, struct kc_arena *arena,
		   struct kc_fix_consent *ret_consent);

enum kc_fix_result {
	KC_FIX_DONE = 1, /* all that was agreed to is done, or there was nothing to do */
	KC_FIX_TAKEN_BACK = 2, /* something failed, and everything is as it was */
	KC_FIX_STUCK = 3, /* something failed, or could not be undone, and is not as it was */
};

struct kc_fix_outcome {
	uint32_t result; /* enum kc_fix_result */
	const char *text; /* why it is not KC_FIX_DONE; else NULL */
	const char *transaction; /* id; NULL: none was begun */
	struct kc_strings notes; /* sentences: conflicts, files that were kept, what stays */
	uint32_t changed; /* steps that were carried out, or taken back */
};

void kc_put_outcome(struct kc_buf *b, const struct kc_fix_outcome *outcome);
int kc_get_outcome(const struct kc_buf *data, struct kc_arena *arena,
		   struct kc_fix_outcome *ret_outcome);

/* What a rollback would do. */
struct kc_fix_undo {
	const char *what; /* "write-file", "sysctl", … */
	const char *target;
	uint32_t state; /* needed, already, held (a conflict), refused (cannot be taken back) */
	const char *text; /* a sentence; may be NULL */
};

struct kc_fix_rollback {
	const char *transaction; /* NULL: there is nothing to be taken back */
	const char *time, *profile, *state;
	const char *hash; /* of what is listed */
	const char *refusal; /* why it is not taken back now; NULL */
	const struct kc_fix_undo *items; /* in the order in which they are taken back */
	uint32_t n;
};

void kc_put_rollback(struct kc_buf *b, const struct kc_fix_rollback *rollback);
int kc_get_rollback(const struct kc_buf *data, struct kc_arena *arena,
		    struct kc_fix_rollback *ret_rollback);

/* Transactions, oldest first. */
struct kc_fix_listed {
	const char *id, *time, *profile, *state;
	uint32_t changes;
};

struct kc_fix_list {
	const struct kc_fix_listed *items;
	uint32_t n;
};

void kc_put_list(struct kc_buf *b, const struct kc_fix_list *list);
int kc_get_list(const struct kc_buf *data, struct kc_arena *arena, struct kc_fix_list *ret_list);
