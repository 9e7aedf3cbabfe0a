/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "journal.h"
#include "stage.h"
#include "store.h"

/*
 * A transaction that is open: its journal, its backups, and the folders in which files are staged.
 *
 * Records of its journal:
 *
 *     begin        what, when, by which version, in which boot
 *     stage        a staging folder in another mount is about to be made: path, parent
 *     unstaging    it is about to be removed: of, parent
 *     unstage      it is gone again: of
 *     change       a name is about to get another object (change.h)
 *     runtime      something that runs is about to be changed (runtime.h)
 *     done         the change or runtime step `of` is there
 *     undo         it is about to be taken back: of
 *     undone       it is as it was: of
 *     resume       more is about to be added to a transaction that was cut off
 *     committed    all is done, and can be taken back
 *     rolling-back it is about to be taken back as a whole
 *     rolled-back  it was
 */

/* All records that are `of` one are a list, so that a long journal is read in one go. */
struct kc_record_links {
	uint32_t first, last; /* numbers of those that are of this one; 0: none */
	uint32_t next; /* of the same */
};

struct kc_transaction {
	const struct kc_root *root;
	const struct kc_store *store;
	const char *id;
	const char *boot_id; /* of the running system; "" where none runs */
	int dir, backup;
	struct kc_journal journal;
	struct kc_journal_text text; /* what the journal holds */
	size_t records_room;
	struct kc_record_links *links; /* of each record */
	size_t links_room;
	uint32_t n_steps; /* records that an undo writes others for */
	bool undoing;
	struct kc_staging *stages; /* the first is the transaction's own */
	size_t n_stages, stages_room;
	struct kc_strings kept; /* paths of what others wrote and is in the backup now */
	size_t kept_room;
	struct kc_arena arena;
};

enum kc_transaction_state {
	KC_TRANSACTION_OPEN = 1, /* it was cut off in the middle */
	KC_TRANSACTION_COMMITTED = 2,
	KC_TRANSACTION_ROLLING_BACK = 3, /* a rollback was cut off, or left something */
	KC_TRANSACTION_ROLLED_BACK = 4,
	KC_TRANSACTION_EMPTY = 5, /* it was cut off before it changed anything */
};

/* What the records come to; pure. */
enum kc_transaction_state kc_transaction_state(const struct kc_journal_text *text);

/*
 * Begins one. `pairs` go into its first record. Nothing but the store has changed when this fails.
 */
int kc_transaction_begin(const struct kc_store *store, const struct kc_pair *pairs, size_t n,
			 struct kc_err *err, struct kc_transaction *ret);

/*
 * Opens one for undoing or resuming. -EBADMSG: its journal is damaged, and nothing of it can be
 * undone by a program. With `read_only` the journal alone is open.
 */
int kc_transaction_open(const struct kc_store *store, const char *id, bool read_only,
			struct kc_err *err, struct kc_transaction *ret);
void kc_transaction_done(struct kc_transaction *t);

/*
 * Appends a record; *ret_number (may be NULL) is its number. Each of a repair comes with room in
 * the journal for those of its undo, and is refused (-ENOSPC) where the file system has none, so
 * that those of an undo can be written when it is full.
 */
int kc_transaction_note(struct kc_transaction *t, const char *verb, const struct kc_pair *pairs,
			size_t n, struct kc_err *err, uint32_t *ret_number);

/* The first record of a verb that is `of` the record of that number, or NULL. */
const struct kc_record *kc_transaction_find(const struct kc_transaction *t, const char *verb,
					    uint32_t of);

/* The first behind one that this has found; NULL: of all. */
const struct kc_record *kc_transaction_find_next(const struct kc_transaction *t, const char *verb,
						 uint32_t of, const struct kc_record *last);

/* Removes the staging folders in other mounts; the folders above have their times back. */
int kc_transaction_unstage(struct kc_transaction *t, struct kc_err *err);
