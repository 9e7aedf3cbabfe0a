/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * openat2(2) with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS in user space, for kernels before 5.6
 * and filters that hide the call: component by component, every one opened O_NOFOLLOW below the one
 * before, links expanded here. A folder that is renamed meanwhile leads to another folder below the
 * root, never out.
 */
enum {
	KC_WALK_NOFOLLOW = 1u << 0, /* a link in the last component is itself what is opened */
};

/*
 * Opens `path` below the folder root_fd with O_PATH. `ret_canonical` may be NULL; else the path
 * without links, "." and ".." is appended to it ("/" for the root itself). The errno are those of
 * openat2(2).
 */
int kc_walk(int root_fd, const char *path, unsigned flags, int *ret_fd,
	    struct kc_buf *ret_canonical);
