/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "world.h"

/* The file of a folder like the world's own, parsed; one that cannot be read breaks the case. */
const struct kc_yaml_node *world_read_yaml(struct world *w, const char *dir);

/*
 * Makes the tree: root/ as it is, or a copy of it with what `make` says; where there is a `base`,
 * that of the base, made the same way, with the own one laid over it.
 */
void world_make_root(struct world *w);
void world_remove_root(struct world *w);

/* The negative errno of that name; a name that is not known breaks the case. */
int world_errno(struct world *w, const char *name);

/* Answers a query of rpm's from the packages that the world lists. False when it is none of these.
 */
bool world_ask_rpm(struct world *w, const struct kc_question *question, struct kc_arena *arena,
		   struct kc_answer *answer);
