/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/result.h"
#include "world.h"

/* What a whole profile came to on a fixture host, held against its `expect`. */

/*
 * Every rule of the profile must be expected, and nothing else may be; each with its verdicts, and
 * where the host says so with parts of the evidence. What differs is complained of.
 */
void verdicts_compare(struct world *w, const struct kc_profile *profile,
		      const struct kc_result *results);

/* Writes what came, as `expect` has it. */
void verdicts_write(struct kc_buf *b, const struct kc_profile *profile,
		    const struct kc_result *results);
