/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "node.h"
#include "place.h"

struct kc_transaction;

/*
 * A staging folder: where a new file is made before one rename puts it into its place, and where
 * the replaced one is behind it.
 */
struct kc_staging {
	const char *path; /* as seen from the root; NULL: the transaction's own */
	int fd; /* -EBADF: it is not there, and not marked as gone */
	uint64_t mount, device;
	uint32_t record; /* of its `stage` record; 0: the transaction's own */
	/*
	 * Times that the folder above has to get back, since to make and to remove this one changes
	 * them; NULL: it has them. So they are as if there were no staging folder, and tell whether
	 * others change what is in that folder.
	 */
	const char *owed;
};

/* The transaction's own, below its folder. */
#define KC_STAGE_NAME "stage"

enum {
	KC_STAGES_MAX = 16, /* at once, the own one among them */
};

/*
 * Takes one into the transaction, which closes it in the end, unless this fails. -E2BIG: there are
 * KC_STAGES_MAX.
 */
int kc_stage_add(struct kc_transaction *t, struct kc_staging stage);

/*
 * Opens those of other file systems that the journal names and does not mark as gone. -EBADMSG: it
 * names a folder that k8scheck does not make.
 */
int kc_stage_reopen_all(struct kc_transaction *t, struct kc_err *err);

/* Pays what is owed to folders, before anybody looks at their times. */
int kc_stage_settle(struct kc_transaction *t, struct kc_err *err);

/*
 * The staging folder for a place: the transaction's own where that is in the same mount and on the
 * same device, else one at the top of what the place has of both, which is noted before it is made.
 * -EBUSY: the folder of the place is itself that top, and daemons read what is in it.
 */
int kc_stage_for(struct kc_transaction *t, const struct kc_fix_place *place, struct kc_err *err,
		 const struct kc_staging **ret_stage);

/* The stage that a record names (NULL: the transaction's own), or NULL: it is not there any more.
 */
const struct kc_staging *kc_stage_find(const struct kc_transaction *t, const char *path);

/*
 * Takes a file out of a stage: one whose content is as expected (`a`, `b`: digests or texts of
 * links, may be NULL) is removed, anything else is somebody's, and is kept in the backup.
 */
int kc_stage_sweep(struct kc_transaction *t, const struct kc_staging *stage, const char *slot,
		   const struct kc_node *a, const struct kc_node *b, struct kc_err *err);

/*
 * Removes a staging folder of another file system, and notes it; the folder above has the times
 * that it had before.
 */
int kc_stage_remove(struct kc_transaction *t, struct kc_staging *stage, struct kc_err *err);
