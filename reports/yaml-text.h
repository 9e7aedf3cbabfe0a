/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/* Texts as YAML 1.1 and Ansible read them back, byte for byte. */

/* Whether a scalar can hold the bytes: well-formed UTF-8 without NUL. */
bool kc_yaml_can_hold(const char *s, size_t n);

/*
 * Appends a double-quoted scalar in ASCII. One of several lines has them below each other, each
 * `indent` spaces to the right. Text that a template engine would take for its own is marked
 * !unsafe, which Ansible then leaves as it is. No line begins with what kc_begins_command(), and no
 * mark of a CI command is anywhere. The bytes are such that kc_yaml_can_hold().
 */
void kc_yaml_add_scalar(struct kc_buf *b, const char *s, size_t n, unsigned indent);

/*
 * Appends a comment, "# " in front of each line of the text, `indent` spaces to the right. Bytes
 * that could end a comment, or that a terminal would act upon, are escaped.
 */
void kc_yaml_add_comment(struct kc_buf *b, const char *s, unsigned indent);
