/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * Gives every mount of this namespace the flags `wanted` (MS_RDONLY and the like) besides those it
 * has, one after another; for kernels without mount_setattr(2).
 *
 * A mount is known by its number, not by its path: below a folder that something else was mounted
 * on, and beneath another mount at the same place, no path leads to it, and the path that
 * mountinfo gives is another mount's. Such a mount is left as it is. Nothing mounts by being
 * looked for (autofs).
 *
 * A mount of a network's file system or of a process's, and those below, may answer as late as
 * another machine likes, or never: each is asked for in a process of its own and is given up after
 * `patience_usec`, 0 for at once; after a few that did not answer, so are all that are left. A
 * process that waits for one that never answers cannot be ended, and goes on as a child of who
 * adopts orphans: the caller had better not be that.
 *
 * *ret_left counts the mounts that lack a flag at the end; `left` (may be NULL) names the first of
 * them, with commas between.
 */
int kc_remount_all(unsigned long wanted, uint64_t patience_usec, struct kc_buf *left,
		   unsigned *ret_left, struct kc_err *err);
