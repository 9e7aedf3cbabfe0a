/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "change.h"
#include "model/plan.h"
#include "sys/root.h"

struct kc_fix_bus;

/* What the fixer works on. */
struct kc_fix {
	const struct kc_root *root;
	bool live; /* the running system is repaired, not an image */
	struct kc_arena *arena;
	struct kc_fix_bus *bus; /* NULL until it was needed */
	bool units_changed; /* systemd has to read its units again before one is started */
};

/* Frees what was opened on the way. */
void kc_fix_done(struct kc_fix *fix);

/* A change that a step makes, with what is shown of it. */
struct kc_fix_change {
	struct kc_change change;
	const char *old; /* content of the file before it; NULL: none, or not to be shown */
	bool secret; /* others than its owner may not read it */
};

/* A step on its way: as it came, and what looking at the host made of it. */
struct kc_fix_step {
	struct kc_step step; /* copied; texts are followed by a NUL */
	uint32_t state; /* enum kc_step_state */
	const char *text, *inverse, *value_before, *value_after;
	bool appears; /* what has the value comes with a step before this one */
	struct kc_fix_change *changes;
	size_t n_changes, changes_room;
};

/*
 * Looks at what a step would change, and changes nothing: sets its state (needed, already,
 * refused, by hand), its changes and values. `earlier` are the steps before it, which will have
 * been carried out. Negative errno for what is no fault of the step's.
 */
int kc_fix_look(struct kc_fix *fix, struct kc_fix_step *step, const struct kc_fix_step *earlier,
		size_t n_earlier, struct kc_err *err);

/* Carries a step out that is needed. After an error what it has done is still to be undone. */
int kc_fix_apply(struct kc_fix *fix, struct kc_transaction *t, struct kc_fix_step *step,
		 struct kc_err *err);

/*
 * Takes back what a record says (`change` or `runtime`). `flags` are KC_UNDO_FORCE. -EBUSY: others
 * have changed it since.
 */
int kc_fix_undo(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		unsigned flags, struct kc_err *err);

/*
 * What a repair that was cut off has done already, without a mark, is marked as done: 1 it was, 0
 * it is to be undone before the repair goes on.
 */
int kc_fix_complete(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		    struct kc_err *err);

/* Whether it could be: 1 it would change something, 0 it is as it was, or cannot be taken back. */
int kc_fix_undoable(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		    struct kc_err *err);

/* Has systemd read its units again where they were changed. */
int kc_fix_reload(struct kc_fix *fix, struct kc_err *err);

/* ---- for the files of this folder: kinds of steps ---- */

/* Adds a change; the node before it is looked at. A change that changes nothing is left out. */
int kc_fix_add_change(struct kc_fix *fix, struct kc_fix_step *step, const char *path,
		      unsigned look_flags, const struct kc_fix_step *earlier, size_t n_earlier,
		      struct kc_err *err, struct kc_fix_change **ret_change);

/* step-files.c: make-dir, write-file, edit-file, move-aside, remove-file, set-mode. */
int kc_fix_look_file(struct kc_fix *fix, struct kc_fix_step *step,
		     const struct kc_fix_step *earlier, size_t n_earlier, struct kc_err *err);

/* step-units.c: the links that enable, disable and mask. */
int kc_fix_look_unit(struct kc_fix *fix, struct kc_fix_step *step,
		     const struct kc_fix_step *earlier, size_t n_earlier, struct kc_err *err);
