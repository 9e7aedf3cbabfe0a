/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/rule.h"
#include "proto.h"

/*
 * What a worker is told after it was started: what the manifest says of its plugin, as far as the
 * plugin is held to that, and the rules it is to judge. Workers descend from a process that was
 * forked before the profile was read, so that they know nothing of other plugins' rules.
 */

struct kc_assignment {
	struct kc_manifest manifest; /* without prose: see model/manifest-fields.h */
	struct kc_rule *rules; /* in the order of their index: it, id, check and params alone */
	uint32_t n_rules;
	size_t rules_size;
};

/* Appends the frame MANIFEST. */
void kc_frame_manifest(struct kc_buf *b, const struct kc_manifest *manifest);

/*
 * Appends one frame RULE: a rule of a plugin whose manifest went before it. One that is larger than
 * a frame may be arrives without its check, and cannot be judged.
 */
void kc_frame_rule(struct kc_buf *b, const struct kc_rule *rule);

/*
 * Reads a frame of either kind into the assignment; all of it lives in the arena, but for the list
 * of rules, which kc_assignment_done() frees. -EBADMSG, -ENOMEM.
 */
int kc_read_manifest(const struct kc_frame *frame, struct kc_arena *arena,
		     struct kc_assignment *assignment);
int kc_read_rule(const struct kc_frame *frame, struct kc_arena *arena,
		 struct kc_assignment *assignment);

/* The rule of that index, or NULL. */
const struct kc_rule *kc_assignment_rule(const struct kc_assignment *assignment, uint32_t index);

void kc_assignment_done(struct kc_assignment *assignment);
