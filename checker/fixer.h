/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "commands.h"
#include "fix-message.h"
#include "fix/fix.h"

/*
 * The fixer: a program of its own, started by k8scheck with its own command line and a socket, and
 * the only one that changes a host. It reads the profile and the manifests itself, and takes
 * nothing from k8scheck but steps, each of which it holds against them and against its own table.
 */
struct kc_fixer {
	struct kc_command command;
	struct kc_arena *arena;
	int socket;
	struct kc_fix fix;
	struct kc_store store;
	bool may_change; /* --dry-run was not given */
};

enum {
	KC_FIXER_FD = 3, /* the socket */
};

/* Each returns 0 when k8scheck was told how it went, whatever that is. */
int kc_fixer_repair(struct kc_fixer *fixer, struct kc_err *err);
int kc_fixer_rollback(struct kc_fixer *fixer, struct kc_err *err);
int kc_fixer_list(struct kc_fixer *fixer, struct kc_err *err);
int kc_fixer_forget(struct kc_fixer *fixer, struct kc_err *err);

/* The outcome, to k8scheck. That it has gone meanwhile is no failure. */
int kc_fixer_tell(struct kc_fixer *fixer, const struct kc_fix_outcome *outcome);

/* Waits for a consent. -EPIPE: there will be none. */
int kc_fixer_await(struct kc_fixer *fixer, struct kc_err *err, struct kc_fix_consent *ret_consent);

/* Undoes all of a transaction that is not undone yet, the last first; adds notes to the outcome. */
int kc_fixer_undo_all(struct kc_fixer *fixer, struct kc_transaction *t, unsigned flags,
		      struct kc_fix_outcome *outcome);

/* Completes the sentence on a journal that cannot be read by how to go on; returns -EBADMSG. */
int kc_fixer_damaged(const char *id, struct kc_err *err);

/* Adds a sentence to an outcome's notes. */
void kc_fixer_note(struct kc_fixer *fixer, struct kc_fix_outcome *outcome, const char *fmt, ...)
	kc_printf(3, 4);

/* ---- fixer-guards.c: what a careful operator would not let a tool do ---- */

/*
 * -EBUSY when a root that is taken for an image is that of a system that runs: by its
 * /run/systemd/system (sd_booted(3)), or since it is the root of process 1. None of the guards
 * below is asked for an image.
 */
int kc_fixer_vet_root(struct kc_fixer *fixer, struct kc_err *err);

/*
 * Why nothing at all may be changed here, as a sentence with what to do instead; NULL when it may:
 * systems made of images (ostree, bootc, transactional updates), and a read-only /etc.
 */
const char *kc_fixer_refusal(struct kc_fixer *fixer);

/*
 * Why what runs must be left alone, as a sentence that names the option; NULL when it need not: a
 * node that has joined a cluster, runs pods, or has a runtime that does not say so. With --drained
 * pods of daemon sets and static pods do not count.
 */
const char *kc_fixer_hold(struct kc_fixer *fixer);
