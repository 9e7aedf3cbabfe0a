/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>

#include "base/err.h"
#include "sys/root.h"

/*
 * A name in a folder below the root that may be changed: every folder on the way is open or was
 * looked at through its own descriptor, belongs to root (or to who runs this) and can be written by
 * nobody else, so that nothing is exchanged between the look and the change.
 */
struct kc_fix_place {
	char path[PATH_MAX]; /* as seen from the root, without links on the way */
	size_t name_at; /* where in `path` the name begins */
	int dir; /* the folder, open for reading */
	/* That the folder is in: rename(2) leaves neither. One mount of btrfs has many devices. */
	uint64_t mount, device;
	/* The topmost folder on the way that is in the same: as seen from the root. */
	char top[PATH_MAX];
};

enum {
	KC_PLACE_FOLLOW = 1u << 0, /* where the name is a link, the place that it leads to */
};

/*
 * Finds the place of a path. -ENOENT: a folder on the way is not there; -EPERM: somebody else could
 * change one, or the folder is immutable; -EROFS: it is mounted read-only; -EINVAL: no path of that
 * kind. The sentence names the folder.
 */
int kc_place_open(const struct kc_root *root, const char *path, unsigned flags, struct kc_err *err,
		  struct kc_fix_place *ret_place);
void kc_place_done(struct kc_fix_place *place);

static inline const char *kc_place_name(const struct kc_fix_place *place)
{
	return place->path + place->name_at;
}

/* The path of its folder, in a buffer of PATH_MAX. */
void kc_place_folder(const struct kc_fix_place *place, char ret_folder[PATH_MAX]);

/* Whether the folder is still where the path leads to. -ESTALE, with a sentence, when it is not. */
int kc_place_check(const struct kc_root *root, const struct kc_fix_place *place,
		   struct kc_err *err);

/* A folder by its path, every folder on the way looked at as above. The descriptor is for reading.
 */
int kc_place_open_folder(const struct kc_root *root, const char *path, struct kc_err *err,
			 int *ret_fd);
