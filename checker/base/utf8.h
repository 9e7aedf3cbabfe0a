/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "str.h"

/* Length of the well-formed UTF-8 sequence (RFC 3629) at s, at most n bytes; 0 when there is none.
 */
size_t kc_utf8_sequence(const char *s, size_t n, uint32_t *ret_code_point);

/*
 * Appends bytes of a host for a person's or a program's eyes: what is well-formed UTF-8 and
 * printable stays; control characters, broken UTF-8, and marks that turn the direction of text or
 * cannot be seen become \n, \t, \xNN or \u{NNNN}. A backslash stays as it is. NUL bytes come out as
 * \x00.
 */
void kc_escape(struct kc_buf *b, const char *s, size_t n);

/* Columns that a terminal needs for a string of kc_escape(), counting code points but wide ones
 * twice. */
size_t kc_columns(const char *s);
