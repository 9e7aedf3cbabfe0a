/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * What patch(1) makes of a text by the hunks of a unified diff, appended to *ret. Stricter: every
 * hunk stands at its place, its counts are right, its lines of context are those of the text, and
 * hunks have at most three of them at either end. -EINVAL where one is not so.
 */
int kc_apply_diff(const char *text, size_t size, const char *diff, size_t diff_size,
		  struct kc_buf *ret);
