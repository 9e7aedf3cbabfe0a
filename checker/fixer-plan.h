/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fixer.h"

/* How a repair is planned (fixer-plan.c), for fixer-repair.c, which carries it out. */

/* A step with its rule, and where it stands. */
struct kc_repair_item {
	struct kc_fix_step fix;
	uint32_t rule; /* index into the request */
	bool same; /* a step before comes to the same */
};

/* A repair, from what k8scheck asks for to what was done of it. */
struct kc_repair {
	struct kc_fixer *fixer;
	const struct kc_profile *profile;
	struct kc_fix_request request;
	const struct kc_rule **rules; /* of the request */
	const char **refused; /* by rule: why nothing of it is done; NULL */
	struct kc_repair_item *items; /* in the order in which they are carried out */
	size_t n_items;
	const char *refusal; /* of all */
	const char *transaction;
	const char *hold; /* why what runs is left alone; NULL */
	bool hold_known;
	char hash[KC_DIGEST_TEXT];
};

/*
 * Makes the plan of what was asked for: each step is held against profile, manifest and policy, and
 * then against the host, behind those before it. -EPERM: something was asked for that never is
 * repaired; other errors are of the host. Nothing is changed.
 */
int kc_repair_look(struct kc_repair *r, struct kc_err *err);

/* Looks at one item once more, as when the steps before it are done. */
int kc_repair_look_again(struct kc_repair *r, struct kc_repair_item *item, struct kc_err *err);

/* The plan as it stands, to k8scheck. */
int kc_repair_tell(struct kc_repair *r, struct kc_err *err);

/* The newest transaction that is half done; *ret_id is NULL when none is. */
int kc_repair_unfinished(struct kc_fixer *fixer, const struct kc_store *store, const char **ret_id,
			 enum kc_transaction_state *ret_state, struct kc_err *err);

/* What is to be done about it first, as a sentence. */
const char *kc_repair_why_unfinished(struct kc_fixer *fixer, const char *id,
				     enum kc_transaction_state state);
