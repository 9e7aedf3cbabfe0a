/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* A text file by its lines, without white space at their ends. */
struct file_line {
	const char *text; /* not terminated */
	size_t length;
	unsigned number; /* from 1 */
};

/*
 * The next line that counts: not empty, and not one that begins with `comment` (behind white space;
 * "": all count). False at the end. *at, *left and *number (0 at first) go on behind it.
 */
bool file_line_next(const char **at, size_t *left, unsigned *number, const char *comment,
		    struct file_line *ret_line);

/* The line of the first NUL byte, from 1; 0 when there is none: then it is text. */
unsigned file_line_of_nul(const char *text, size_t size);

/* Whether a line is the same as a text, whose white space at the ends does not count either. */
bool file_line_equals(const struct file_line *line, const char *text);
