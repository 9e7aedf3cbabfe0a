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
 * The same for a text that begins a line, perhaps behind white space: one that kc_begins_command()
 * has its first character written as \xNN.
 */
void kc_value_add_line(struct kc_buf *b, const char *s, size_t max);

/*
 * True when something that reads logs would obey a line of this text: workflow commands of GitHub
 * ("::"), groups of Buildkite ("---", "+++", "~~~", "^^^"), sections of GitLab and folds of Travis,
 * the Test Anything Protocol ("ok", "not ok", "1..", "Bail out!"), and a priority of the journal
 * ("<3>", sd-daemon(3)). White space before it does not count. Marks that may stand anywhere in a
 * line are kc_value_add()'s.
 */
bool kc_begins_command(const char *s);

/*
 * kc_value_add() for a format that has escapes of its own (JSON): control characters stay, and only
 * what is no UTF-8 becomes \xNN (and DEL, which JSON leaves raw).
 */
void kc_value_add_utf8(struct kc_buf *b, const char *s, size_t max);

/* Length of the mark of a CI command at s ("##", letters, "["), NUL-terminated text; 0 when there
 * is none. */
size_t kc_ci_mark(const char *s);
