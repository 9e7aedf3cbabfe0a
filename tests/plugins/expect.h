/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/result.h"
#include "world.h"

/* What came of a case, held against its `expect`. What differs is complained of. */

/* Findings and verdict of one horizon ("now", "boot"). */
void expect_judgement(struct world *w, const char *horizon, const struct kc_judgement *got);

/*
 * The steps of a plan, in their order. Whatever a case expects, each target must be one that the
 * check's `touches` names, and an edit must carry the bytes that are there.
 */
void expect_steps(struct world *w, const struct kc_step *const *got, size_t n);

/*
 * Carries the steps for the next start out in the case's own copy of its tree. False when there are
 * none, or some that a tree of files cannot show or a person has to do; what cannot be carried out
 * is complained of.
 */
bool expect_apply(struct world *w, const struct kc_step *const *steps, size_t n);

/* Facts, by name; those that `want` does not name are not looked at. */
void expect_facts(struct world *w, const struct kc_yaml_node *want,
		  const struct kc_fact_value *const *got, size_t n);

/*
 * Whether a text is what a mapping says by KEY (that text, or null for none) and by KEY~ (a part of
 * it); true where it says nothing.
 */
bool expect_match(struct world *w, const struct kc_yaml_node *want, const char *key,
		  const char *got);

/* For messages: "(none)" in place of NULL. */
const char *expect_shown(const char *text);
