/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kernel-arguments.h"
#include "unit.h"

/*
 * What the files say of a kernel module at the next start: modules-load.d(5) in all its folders and
 * modprobe.d(5), in their order and with their masks, systemd-modules-load.service itself, and the
 * kernel's arguments modules_load=, rd.modules_load=, modprobe.blacklist=, module_blacklist=.
 * Nothing is asked of a running kernel, and modules themselves are not looked for.
 */
struct kc_module_files {
	const char *loaded_by; /* what loads it at boot: a clause ("/etc/modules-load.d/k8s.conf:1
				  loads it"); NULL: nothing does */
	struct kc_place loaded_at; /* file NULL: an argument of the kernel */
	const char *barred_by; /* what keeps it from being loaded at boot (a blacklist that
				  systemd-modules-load honours, an install line that loads nothing,
				  a mask of the service): a clause; else NULL */
	struct kc_place barred_at;
	const char
		*refused_by; /* what keeps it from being loaded on demand as well (an install
				line that loads nothing, module_blacklist=): a clause; else NULL */
	const char
		*unknown; /* a sentence when something that may decide could not be read or
			     understood (an unreadable file, an install line of unknown effect) */
	bool unknown_bars; /* it may keep the module from being loaded, too */
};

/*
 * Reads all of it for one module; "-" and "_" are the same in names. `arguments` may be NULL. All
 * texts live in the arena. Files that cannot be read are `unknown`, not failures; -ENOMEM.
 */
int kc_module_files_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			 const char *module, const struct kc_kernel_argument *arguments,
			 size_t n_arguments, struct kc_module_files *ret_files);

/* Whether a name (n bytes) is the module's. Pure. */
bool kc_module_is(const char *word, size_t n, const char *module);

/*
 * Whether a module is in the text of modules.builtin or modules.dep (a path a line, up to a colon):
 * the path in the arena, or NULL. Pure; files of compressed modules (.ko.xz) count.
 */
const char *kc_module_find_path(const char *text, size_t size, const char *module,
				struct kc_arena *arena);
