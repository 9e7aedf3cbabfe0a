/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "unit.h"

/* os-release(5). A field that is not there, or is empty, has text NULL; those with a default do
 * not. */
struct kc_os_field {
	const char *text;
	struct kc_place place; /* line 0: the default */
};

struct kc_os_release {
	struct kc_os_field id; /* ID, "linux" by default */
	struct kc_os_field like; /* ID_LIKE: ids separated by spaces, the nearest first */
	struct kc_os_field version; /* VERSION_ID; rolling distributions have none */
	struct kc_os_field name; /* PRETTY_NAME, else NAME and VERSION, "Linux" by default */
};

/*
 * Parses the text of `file`; pure. Its syntax is that of environment files, and its errors are
 * those of kc_environment_file_parse(). Texts live in the arena.
 */
int kc_os_release_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
			struct kc_os_release *ret_os);
