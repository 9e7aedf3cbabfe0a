/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* A mount, for people: texts are in the arena, without the escapes of mountinfo. */
struct host_mount {
	const char *point; /* "/var" */
	const char *type; /* "xfs" */
	const char *source; /* "/dev/mapper/cl-var", or what a file system without device names */
};

/*
 * The mount that a path lies on, by the text of /proc/PID/mountinfo (proc(5)). The path is one
 * without links, "." and "..". Follows the mounts from the root down by their parents, as the
 * kernel's path walk does: a later mount of /a hides an earlier one of /a/b. Pure. -ENOENT: no line
 * tells; -ELOOP: the parents lead nowhere; -ENOMEM.
 */
int host_mount_find(const char *mountinfo, size_t size, const char *path, struct kc_arena *arena,
		    struct host_mount *ret_mount);
