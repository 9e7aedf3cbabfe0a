/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "model/plan.h"

/* Plans made up for tests: nothing of the machine is in them. Memory is the arena's; NULL: none. */

/* Every kind of step, every state that a plan has, files of all kinds that a change can make. */
struct kc_plan *kc_make_plan(struct kc_arena *arena);

/* The same as it was carried out: one step failed, and what was before it was taken back. */
struct kc_plan *kc_make_outcome(struct kc_arena *arena);

/* The same with `text` in every place where a host's or a plugin's bytes may stand. */
struct kc_plan *kc_make_plan_of(struct kc_arena *arena, const char *text);

/* No rule failed. */
struct kc_plan *kc_make_empty_plan(struct kc_arena *arena);

/* What a writer writes, NUL-terminated, in the arena; NULL when it fails. */
char *kc_write_plan(struct kc_arena *arena, kc_plan_writer *writer, const struct kc_plan *plan,
		    const struct kc_report_style *style, size_t *ret_size);
