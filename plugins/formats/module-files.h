/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kernel-arguments.h"
#include "module-lines.h"

/*
 * What the files say of kernel modules at the next start: modules-load.d(5) in all its folders and
 * modprobe.d(5), in their order and with their masks, systemd-modules-load.service itself, and the
 * kernel's arguments modules_load=, rd.modules_load=, modprobe.blacklist=, module_blacklist= and
 * systemd.mask=. Nothing is asked of a running kernel, and modules themselves are not looked for:
 * module-index.h does that.
 */
struct kc_module_config {
	struct kc_module_lines load, probe; /* in the order they apply */
	const char *mask; /* the file that masks systemd-modules-load.service; NULL: none does */
	/* Sentences about what could not be read of modules-load.d, and of what may keep a module
	 * from being loaded; NULL: all was read. */
	const char *load_unknown, *probe_unknown;
};

/*
 * Reads all files once; the arena owns what is found. Files that cannot be read are noted, not
 * failures; -ENOMEM.
 */
int kc_module_config_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			  struct kc_module_config *ret_config);

/* What all of it comes to for one module. */
struct kc_module_files {
	const char *loaded_by; /* what loads it at boot: a clause ("/etc/modules-load.d/k8s.conf:1
				  loads it"); NULL: nothing does */
	struct kc_place loaded_at; /* file NULL: an argument of the kernel */
	const char *barred_by; /* what keeps systemd-modules-load from loading it (a blacklist, an
				  install line that loads nothing, an alias that leads elsewhere, a
				  mask of the service): a clause; else NULL */
	struct kc_place barred_at; /* file NULL: an argument of the kernel */
	bool barred_by_blacklist; /* a blacklist line at barred_at */
	const char *refused_by; /* the same, of loading on demand: a mask of the service does not
				   count there */
	struct kc_place refused_at;
	const char *unknown; /* a sentence when something that may decide could not be read or
			     understood (an unreadable file, an install line of unknown effect) */
	bool unknown_bars; /* it may keep the module from being loaded, too */
};

/*
 * Judges one module; "-" and "_" are the same in names. `arguments` may be NULL. All texts live in
 * the arena. A blacklist counts for loading on demand, too, for the kernel asks by an alias
 * ("fs-overlay"), which libkmod holds against it. -ENOMEM.
 */
int kc_module_files_judge(const struct kc_module_config *config, struct kc_arena *arena,
			  const char *module, const struct kc_kernel_argument *arguments,
			  size_t n_arguments, struct kc_module_files *ret_files);

/*
 * The same of a module that another one depends on: only `refused_by` and `unknown` are set, and a
 * blacklist does not count, since libkmod holds it against what is asked for alone.
 */
int kc_module_files_judge_dependency(const struct kc_module_config *config, struct kc_arena *arena,
				     const char *module, const struct kc_kernel_argument *arguments,
				     size_t n_arguments, struct kc_module_files *ret_files);
