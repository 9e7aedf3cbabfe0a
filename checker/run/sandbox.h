/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "model/report.h"
#include "proto.h"
#include "sys/layers.h"

/*
 * The sandbox of the workers: which layers (sys/layers.h), in which order, and what came of each.
 * The zygote takes all that can be taken once; a worker takes the rest before it loads its plugin.
 */
struct kc_sandbox {
	enum kc_sandbox_policy policy;
	uint32_t in_force; /* a bit for each of enum kc_layer */
	unsigned landlock_abi;
	struct kc_err missing[KC_LAYER_MAX]; /* why a layer is not in force */
	unsigned n_left; /* mounts that could not be made read-only */
	struct kc_buf left; /* their paths */
	int64_t group; /* of kc_proc_group(), negative for none: workers belong to it */
};

void kc_sandbox_done(struct kc_sandbox *sandbox);

/* In the zygote, before the root is opened, which a descriptor from before would lead around. */
void kc_sandbox_begin(struct kc_sandbox *sandbox);

/*
 * Whether openat2(2), whose flags no filter sees, would be a way to write: some mount is left
 * writable, and there is no Landlock.
 */
bool kc_sandbox_hides_openat2(const struct kc_sandbox *sandbox);

/* In the zygote, once it has all that it needs: from here on it can do what it must do, and no
 * more. */
void kc_sandbox_complete(struct kc_sandbox *sandbox);

/* With KC_SANDBOX_REQUIRE: -EPERM with a sentence that names what is missing, and why. */
int kc_sandbox_insist(const struct kc_sandbox *sandbox, struct kc_err *err);

/* In a worker, before it loads its plugin. A layer that the zygote promised and that cannot be had
 * is an error: nothing is loaded without it. */
int kc_sandbox_worker(const struct kc_sandbox *sandbox, struct kc_err *err);

/*
 * The broker, and with it what it starts, is held to looking as well, as far as that goes with
 * asking: read-only mounts in a namespace of its own.
 */
void kc_sandbox_broker(enum kc_sandbox_policy policy);

/* A door of the broker's that runs no program: no file can be written, by Landlock, and it keeps
 * these capabilities at most (bits of linux/capability.h). Landlock also hides what lies in
 * /proc/PID of processes outside, so that who looks there goes without. */
void kc_sandbox_door(enum kc_sandbox_policy policy, uint32_t keep, bool looks_at_processes);

/* What the zygote tells of it, as fields of its first frame. */
void kc_sandbox_put(struct kc_buf *b, const struct kc_sandbox *sandbox);

/* What a report says; lists are NULL-terminated. */
struct kc_sandbox_told {
	const char *const *layers; /* in force */
	const char *const *missing; /* those that are not, each with why; empty when it is off */
};

/* Reads that; everything lives in the arena. -EBADMSG, -ENOMEM. */
int kc_sandbox_get(struct kc_reader *r, struct kc_arena *arena, struct kc_sandbox_told *ret_told);
