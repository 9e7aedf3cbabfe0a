/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sysctl-file.h"

/* A value that a file of sysctl.d(5) shall give a key. */
struct sysctl_edit {
	const char *key; /* as a path below /proc/sys */
	const char *alias; /* the same value under another name; NULL: there is none */
	const char *name; /* as it is to be written */
	const char *value;
};

/*
 * The file's new text. The last line that sets a key, or its alias, becomes a comment with KC_MARK,
 * so that the old value can still be seen, and the new line stands behind it; a key that no line
 * sets comes last. All else stays as it is. Pure. -ENOTSUP: the text has lines that end in a
 * carriage return alone, or NUL bytes; -ENOMEM.
 */
int sysctl_edit_text(const char *text, size_t size, const struct sysctl_edit *edits, size_t n,
		     struct kc_buf *out);
