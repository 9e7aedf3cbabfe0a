/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "node.h"
#include "transaction.h"

/*
 * A change of what is at one name: a file made, replaced, taken away, a folder or link made, an
 * owner or mode set. All have one shape, a node before and a node behind it, and so they have one
 * way to be carried out and one way back, which asks what is there rather than what was done: it
 * comes to the same after a crash at any instant, and when it is done twice.
 */
struct kc_change {
	const char *path; /* without links, as kc_place has it */
	struct kc_node before; /* as it was read when the change was planned */
	struct kc_node after; /* what shall be: type, content, owner, mode, attributes */
	const char *content; /* of a file behind the change */
	size_t size;
};

/*
 * Looks at a place and says what is there, and whether it can be changed at all: hard links,
 * immutable files, single files that are mounted, devices and the like are refused with a sentence.
 * `flags` are those of kc_node_read(): without its content only owner and mode can be changed.
 * `content` (may be NULL) gets the bytes of a file.
 */
int kc_change_look(const struct kc_fix_place *place, unsigned flags, struct kc_arena *arena,
		   struct kc_err *err, struct kc_node *ret_node, struct kc_buf *content);

/*
 * Carries it out: backup, record, stage, exchange, record. -EBUSY: what is there is not `before`
 * any more. After any error the caller undoes the change by its record, if *ret_record is not 0.
 */
int kc_change_do(struct kc_transaction *t, const struct kc_change *change, struct kc_err *err,
		 uint32_t *ret_record);

enum {
	KC_UNDO_FORCE = 1u << 0, /* also where others have changed it since; theirs is kept */
};

/* A change as a record has it; pure. -EBADMSG, with a sentence. */
int kc_change_read(const struct kc_record *record, struct kc_arena *arena, struct kc_err *err,
		   struct kc_change *ret_change);

/*
 * Takes back what a record says. 0 also when there was nothing to take back any more. -EBUSY:
 * others have changed it since, and it is left as they made it.
 */
int kc_change_undo(struct kc_transaction *t, const struct kc_record *record, unsigned flags,
		   struct kc_err *err);

/*
 * Whether kc_change_undo() would succeed: 1 it would change something, 0 it is as it was already,
 * -EBUSY others have changed it.
 */
int kc_change_undoable(struct kc_transaction *t, const struct kc_record *record,
		       struct kc_err *err);

/*
 * For a transaction that goes on after it was cut off: a change that is there already is noted as
 * done, and one of owner and mode that is there in part stays, since it is planned anew from there.
 * 1: it was so; 0: nothing of it is there, and it is to be undone.
 */
int kc_change_complete(struct kc_transaction *t, const struct kc_record *record,
		       struct kc_err *err);

/*
 * All is carried out: staged files in other mounts go, and what somebody wrote into a file in the
 * moment that it was replaced is kept (t->kept names it). In the transaction's own folder the files
 * that were replaced stay, and are the first way back.
 */
int kc_change_settle(struct kc_transaction *t, struct kc_err *err);

/* ---- for steps in the course of which others write files (runtime.h) ---- */

/* Lays a copy aside, under a name of its own in the backup. */
int kc_change_back_up(struct kc_transaction *t, const char *slot, const struct kc_node *node,
		      const struct kc_buf *content, struct kc_err *err);

/*
 * Brings a file back from there, whatever is in its place now, and gives its folder the times
 * ("" for none, see folder-times.h).
 */
int kc_change_put_back(struct kc_transaction *t, const char *path, const struct kc_node *before,
		       const char *slot, const char *times, struct kc_err *err);
