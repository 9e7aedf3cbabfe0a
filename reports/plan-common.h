/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"
#include "model/plan.h"

/* What formats say about a plan alike. Texts that are appended are raw: each format escapes them.
 */

/* A plan in figures. */
struct kc_plan_figures {
	uint32_t states[KC_STATE_MAX]; /* steps by state */
	uint32_t changed_rules; /* with a step that is to be carried out, or was */
	uint32_t person_rules; /* that a person has to do something for: by hand, held, refused */
	uint32_t weakens, disturbs, restarts, reboots; /* of those steps */
};

void kc_plan_figures(const struct kc_plan *plan, struct kc_plan_figures *ret_figures);

/* What the step does: "edit /etc/fstab", "set net.ipv4.ip_forward to 1". Secrets are masked. */
void kc_plan_step_title(struct kc_buf *b, const struct kc_plan_step *step);

/* A text with its secrets masked. NULL appends nothing. */
void kc_plan_masked(struct kc_buf *b, const char *text);

/*
 * True where the change is one of a file's content that may be shown: neither secret, nor of
 * something else than files, nor without text.
 */
bool kc_plan_has_text(const struct kc_plan_change *change);

/* True where a file's content is not what it was, whether it may be shown or not. */
bool kc_plan_text_differs(const struct kc_plan_change *change);

/*
 * The SHA-256 of one end of a change, where it may be shown: NULL for a secret file, and for one of
 * which something is masked, since who knows the rest could guess that by its digest.
 */
const char *kc_plan_digest(const struct kc_plan_change *change, const struct kc_plan_node *node);

/*
 * Appends a unified diff of a change that kc_plan_has_text(), of the texts with their secrets
 * masked; with lines that name the files. *ret_masked: something was. Nothing is appended where the
 * texts are the same once they are masked. -EFBIG, -ENOMEM.
 */
int kc_plan_diff(struct kc_buf *b, const struct kc_plan_change *change, bool *ret_masked);
