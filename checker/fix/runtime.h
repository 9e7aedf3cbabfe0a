/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fix.h"

/*
 * What runs, and has a value that can be asked and set: a sysctl, a mode, a unit's state. A
 * transaction notes the value before and behind a step, and in which boot; a rollback in the same
 * boot sets it back unless somebody else has set it since. A new start has forgotten it anyway.
 */
struct kc_runtime_kind {
	uint32_t kind; /* enum kc_step_kind */
	/* The value now, in the arena. -ENOENT: there is no such thing on this machine. */
	int (*get)(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
		   const char **ret_value);
	/* What `content` comes to as a value; NULL: it is the value. */
	const char *(*wanted)(const char *content);
	int (*set)(struct kc_fix *fix, const char *target, const char *content, const char *value,
		   struct kc_err *err);
	/* How it is taken back, a sentence's end ("is set back"); NULL: it cannot be. */
	const char *inverse;
	/* Files that somebody else writes when the value is set (firewalld); NULL: none. */
	const char *const *(*files)(struct kc_fix *fix, const char *target);
	/* Why it must not be set now, though it could be; NULL: no such reason. */
	int (*guard)(struct kc_fix *fix, const char *target, struct kc_err *err);
};

/* The kind, or NULL where a step of it touches nothing that runs. */
const struct kc_runtime_kind *kc_runtime_kind(uint32_t kind);

/* `earlier` are the steps before it, as for kc_fix_look(). */
int kc_runtime_look(struct kc_fix *fix, struct kc_fix_step *step, const struct kc_fix_step *earlier,
		    size_t n_earlier, struct kc_err *err);
int kc_runtime_do(struct kc_fix *fix, struct kc_transaction *t, const struct kc_fix_step *step,
		  struct kc_err *err);
int kc_runtime_undo(struct kc_fix *fix, struct kc_transaction *t, const struct kc_record *record,
		    unsigned flags, struct kc_err *err);
int kc_runtime_undoable(struct kc_fix *fix, struct kc_transaction *t,
			const struct kc_record *record, struct kc_err *err);

/* As kc_change_complete(). */
int kc_runtime_complete(struct kc_fix *fix, struct kc_transaction *t,
			const struct kc_record *record, struct kc_err *err);

extern const struct kc_runtime_kind kc_runtime_sysctl, kc_runtime_module, kc_runtime_swap,
	kc_runtime_selinux, kc_runtime_unit_start, kc_runtime_unit_stop, kc_runtime_unit_restart,
	kc_runtime_reload, kc_runtime_zone, kc_runtime_port;
