/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "sys/root.h"

/*
 * Where transactions are kept: /var/lib/k8scheck below the root, a folder that its owner alone may
 * enter, with a folder for each in `transactions`. A transaction is called by its number and time,
 * "0007-20260131T080000Z".
 */
#define KC_STORE_PATH "/var/lib/k8scheck"

struct kc_store {
	const struct kc_root *root;
	int dir; /* KC_STORE_PATH; -EBADF: there is none */
	int transactions;
	int lock; /* KC_STORE_PATH again, locked; -EBADF: not locked */
};

enum {
	/*
	 * Nobody else repairs this root meanwhile; else -EBUSY. It is the store that is locked:
	 * anybody may open the root's own folder, and could bar repairs for ever by a lock there.
	 */
	KC_STORE_LOCK = 1u << 0,
	KC_STORE_MAKE = 1u << 1, /* make it where it is not there; with KC_STORE_LOCK */
};

/*
 * Opens it. Without KC_STORE_MAKE one that is not there is none: `dir` is -EBADF. With
 * KC_STORE_LOCK what a start that was cut off has left behind is put right first: the folder above
 * has its times back whatever happened. -EPERM: others can write there.
 */
int kc_store_open(const struct kc_root *root, unsigned flags, struct kc_err *err,
		  struct kc_store *ret_store);
void kc_store_done(struct kc_store *store);

/* Whether somebody repairs this root, or takes a repair back, at this moment. */
bool kc_store_is_locked(const struct kc_root *root);

/* The ids of all transactions, oldest first, in the arena. */
int kc_store_list(const struct kc_store *store, struct kc_arena *arena, struct kc_err *err,
		  struct kc_strings *ret_ids);

/* True for what may be an id. */
bool kc_store_is_id(const char *id);

/* Makes the folder of a new one, behind all that there are; *ret_id lives in the arena. */
int kc_store_add(const struct kc_store *store, struct kc_arena *arena, struct kc_err *err,
		 const char **ret_id, int *ret_dir);

/* Opens the folder of one. -ENOENT: there is none of that id. */
int kc_store_find(const struct kc_store *store, const char *id, struct kc_err *err, int *ret_dir);

/* Removes one with all that is in it. */
int kc_store_remove(const struct kc_store *store, const char *id, struct kc_err *err);
