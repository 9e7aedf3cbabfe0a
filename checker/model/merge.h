/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lines.h"

/*
 * A three-way merge, line by line: what a and b each made of base, both together, appended to
 * *ret.
 *
 * Changes that do not overlap are both taken, also side by side. A change that both make is made
 * once. Where both insert at the same place, a's lines come first, then those of b that a does not
 * insert as well. Lines that both delete are deleted once, also where one deletes more than the
 * other. Anything else that overlaps is a conflict: -EBUSY. Whether the last line has a newline is
 * merged by itself, so that two who append to a text that ends without one do not collide.
 *
 * -EFBIG: a text of more than KC_LINES_SIZE_MAX bytes; -ENOMEM. On an error nothing is appended.
 */
int kc_merge3(const char *base, size_t base_size, const char *a, size_t a_size, const char *b,
	      size_t b_size, struct kc_buf *ret);
