/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * Which modules the installed kernels have, from the text indexes below /lib/modules/RELEASE:
 * modules.builtin, which a kernel's package brings, and modules.dep, which depmod(8) makes.
 */
struct kc_module_kernel {
	const char *release;
	/* What was read of the two; NULL: not yet, or there is none, or it could not be read. */
	const char *builtin, *dep;
	size_t builtin_size, dep_size;
	bool read;
	const char *unknown; /* a sentence when one of them could not be read */
};

struct kc_module_kernels {
	struct kc_module_kernel *item; /* the oldest first, by strverscmp(3) */
	size_t n;
};

/*
 * Lists the kernels whose folder has one of the two indexes: what else lies in /lib/modules is left
 * over from a kernel that is gone. No folder /lib/modules is no kernel. A negative errno with
 * kc_why() when the folder cannot be listed. All lives in the arena.
 */
int kc_module_kernels_list(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			   struct kc_module_kernels *ret_kernels);

/* The kernel of a release, or NULL. */
struct kc_module_kernel *kc_module_kernels_find(const struct kc_module_kernels *kernels,
						const char *release);

enum kc_module_state {
	KC_MODULE_ABSENT = 1, /* in neither index */
	KC_MODULE_BUILTIN = 2,
	KC_MODULE_THERE = 3, /* in modules.dep, and its file is there */
	KC_MODULE_FILE_GONE = 4, /* in modules.dep, and its file is not there */
	KC_MODULE_UNKNOWN = 5, /* an index or the file cannot be looked at */
};

struct kc_module_found {
	uint32_t state; /* enum kc_module_state */
	const char *path; /* of THERE and FILE_GONE: the module's file */
	const char *dependencies; /* of THERE: paths as modules.dep has them, parted by blanks */
	const char *unknown; /* of UNKNOWN: a sentence */
};

/*
 * Looks a module up for one kernel, whose indexes are read when the first one is. "-" and "_" are
 * the same; compressed files (.ko.xz) count. Aliases are not resolved. -ENOMEM.
 */
int kc_module_kernel_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			  struct kc_module_kernel *kernel, const char *module,
			  struct kc_module_found *ret_found);

/*
 * Finds a module in the text of modules.builtin or modules.dep (a path a line, in modules.dep up to
 * a colon); pure. True when it is there: its path in the text, and what stands behind the colon up
 * to the line's end.
 */
bool kc_module_find_line(const char *text, size_t size, const char *module, const char **ret_path,
			 size_t *ret_path_size, const char **ret_rest, size_t *ret_rest_size);

/* The module's name of a path ("kernel/net/bridge/br_netfilter.ko.xz"): where it starts, and its
 * size; 0 when the path is none of a module. Pure. */
size_t kc_module_name_of_path(const char *path, size_t size, const char **ret_name);
