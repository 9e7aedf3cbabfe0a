/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * A host's bytes on their way into a report, the same for every format: cut where they would flood
 * it, and made harmless. Texts may be NULL, which appends nothing.
 */

/*
 * Appends s, at most max bytes of it, with a note of its full length when it was cut. What no
 * terminal and no XML document may get is escaped as kc_escape() says; and the marks by which CI
 * systems find commands anywhere in a line ("##[", "##vso[", "##teamcity[") are broken by writing
 * the second # as \x23.
 */
void kc_value_add(struct kc_buf *b, const char *s, size_t max);

/*
 * The same for a format that has escapes of its own (JSON): control characters stay, and only what
 * is no UTF-8 becomes \xNN (and DEL, which JSON leaves raw).
 */
void kc_value_add_utf8(struct kc_buf *b, const char *s, size_t max);

/* Length of the mark of a CI command at s ("##", letters, "["), NUL-terminated text; 0 when there
 * is none. */
size_t kc_ci_mark(const char *s);
