/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "options.h"

/*
 * Where the program's own files are. They are found from where the program itself lies (so that a
 * tree installed below DESTDIR works in place), and by the paths it was configured with where it
 * lies elsewhere. No environment variable is asked. All lists are NULL-terminated and of absolute
 * paths.
 */
struct kc_paths {
	const char *const *plugins;
	const char *const *profiles;
	const char *const *reports;
	const char *const *doors;
	const char *fixer; /* the program that repairs */
};

int kc_paths_find(const struct kc_options *options, struct kc_arena *arena, struct kc_err *err,
		  struct kc_paths *ret_paths);
