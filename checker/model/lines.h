/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/str.h"

/*
 * Texts line by line, and what differs between two of them. Pure, and bounded in memory and time
 * whatever the texts are.
 */

enum {
	KC_LINES_SIZE_MAX = 1024 * 1024, /* bytes of a text */
};

struct kc_line {
	const char *s; /* in the text that was split */
	uint32_t n; /* bytes, without the newline */
	uint32_t hash; /* of them */
};

struct kc_lines {
	struct kc_line *line;
	size_t n;
	bool open; /* the last line has no newline at its end */
};

/* Splits a text, whose bytes have to stay. -EFBIG, -ENOMEM. */
int kc_lines_split(const char *text, size_t size, struct kc_lines *ret_lines);
void kc_lines_done(struct kc_lines *lines);

/* A run of lines that another takes the place of; either may be empty. */
struct kc_lines_change {
	size_t old_at, old_n, new_at, new_n;
};

/*
 * The changes that make the new text of the old one: in order, with a line between two of them
 * that both texts have. The fewest lines, unless that is more than about a thousand or takes long
 * to find: then one change takes in all between the lines that both begin and end with. With
 * `strict` two last lines differ where one of them has no newline. The caller frees *ret_changes,
 * which is NULL where nothing differs. -ENOMEM.
 *
 * E. W. Myers, An O(ND) Difference Algorithm and Its Variations, Algorithmica 1 (1986).
 */
int kc_lines_compare(const struct kc_lines *old, const struct kc_lines *new, bool strict,
		     struct kc_lines_change **ret_changes, size_t *ret_n);

bool kc_line_equal(const struct kc_line *a, const struct kc_line *b);
