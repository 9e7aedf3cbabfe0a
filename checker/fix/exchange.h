/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "node.h"
#include "place.h"

/*
 * The moment at which a name gets another object: one rename(2) between the place and a staging
 * folder in the same mount, so that there is always one whole file at the name. Whoever else
 * changes the name or the file meanwhile loses nothing: their file, not ours, is at the name then,
 * and -EBUSY says so. In the folder `stage`, `slot` names our side.
 */
struct kc_exchange {
	const struct kc_root *root;
	const struct kc_fix_place *place;
	int stage;
	const char *slot;
	/* What is at the name, as it was read; of a file `expected_fd` is open for reading. */
	const struct kc_node *expected;
	int expected_fd;
};

/*
 * Puts what is staged at the name. What was there, if anything, is in the slot then. -EBUSY: it was
 * not what is expected any more, or somebody is about to write to it: nothing is changed;
 * -EOPNOTSUPP: the file system cannot exchange names.
 */
int kc_exchange_put(const struct kc_exchange *x, struct kc_err *err);

/* Takes what is at the name away, into the slot, which has to be free. Errors as above. */
int kc_exchange_take(const struct kc_exchange *x, struct kc_err *err);
