/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lines.h"

/*
 * Appends the hunks of a unified diff, as diff(1) -u writes them, without the two lines that name
 * the files: "@@ -1,3 +1,4 @@", lines behind " ", "-" and "+" with up to three of context around
 * them, and "\ No newline at end of file". Nothing where the texts are the same. The bytes of the
 * texts are not escaped. Texts that differ in more than kc_lines_compare() finds come out as one
 * hunk of the old lines and the new ones. -EFBIG: a text of more than KC_LINES_SIZE_MAX bytes;
 * -ENOMEM. On an error nothing is appended.
 */
int kc_diff(const char *old, size_t old_size, const char *new, size_t new_size, struct kc_buf *ret);
