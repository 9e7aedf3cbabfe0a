/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "profile.h"

/* Where names become files: DIR/NAME.yaml, the first folder that has one. */

enum {
	KC_PROFILE_SIZE_MAX = 16 * 1024 * 1024,
	KC_MANIFEST_SIZE_MAX = 1024 * 1024
};

/*
 * Opens DIR/NAME.yaml by kc_profile_open(), in the first of the folders that has it. *ret_path is
 * in the arena. -ENOENT with a sentence that says where it was looked for, and the nearest name;
 * `what` is "profile" or "plugin".
 */
int kc_search_open(const char *const *dirs, const char *what, const char *name,
		   struct kc_trust_folder *folder, struct kc_arena *arena, struct kc_err *err,
		   int *ret_fd, const char **ret_path, struct kc_err *ret_distrust);

/*
 * All manifests of the folders, as kc_manifest_load() reads them. Those that are broken are left
 * out; err says of the last of them why, and is left alone when there is none.
 */
int kc_manifest_load_all(const char *const *plugin_dirs, struct kc_manifest_cache *cache,
			 struct kc_arena *arena, struct kc_err *err);

/* Those of them that may list facts; those that cannot be read are left out. -ENOMEM. */
int kc_manifest_load_gatherers(const char *const *plugin_dirs, struct kc_manifest_cache *cache,
			       struct kc_arena *arena);
