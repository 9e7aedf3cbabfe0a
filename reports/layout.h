/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>

#include "base/str.h"

/* Lines of a text report: indented, aligned, wrapped at the width of a terminal, perhaps in colour.
 */

enum kc_ink {
	KC_INK_NONE,
	KC_INK_BOLD,
	KC_INK_DIM,
	KC_INK_RED,
	KC_INK_GREEN,
	KC_INK_YELLOW,
	KC_INK_CYAN,
};

struct kc_layout {
	FILE *out;
	unsigned columns; /* 0: no limit */
	bool color;
	unsigned hang; /* further lines of the next text begin so much to the right of its first */
	struct kc_buf word; /* scratch; freed by the owner */
};

/*
 * A line: `indent` spaces, the lead in its ink, padded to `width` columns and two spaces (0: as
 * wide as it is, and one space), then the text. Further lines begin below the text's first word, or
 * a little to the right of a lead that is long. The texts are already escaped; either may be empty.
 * No further line begins with what kc_begins_command().
 */
void kc_layout_line(struct kc_layout *l, unsigned indent, enum kc_ink ink, const char *lead,
		    unsigned width, const char *text);
