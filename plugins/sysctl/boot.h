/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/boot-arguments.h"
#include "settings.h"

/*
 * What decides sysctls at the next start, read once per worker: files, the kernel's arguments, and
 * the modules that are loaded by the time systemd-sysctl runs.
 */

/* Whether the module of a key is there by then. */
enum sysctl_module_state {
	SYSCTL_MODULE_READY = 1,
	SYSCTL_MODULE_MISSING = 2,
	SYSCTL_MODULE_UNKNOWN = 3, /* what says so could not be read */
};

struct sysctl_module {
	const char *name;
	enum sysctl_module_state state;
	const char *text; /* why: a clause ("/etc/modules-load.d/k8s.conf:1 loads it") */
};

/* An argument of the kernel that is started next, which sets a key. */
struct sysctl_argument {
	const char *key, *value;
	bool early; /* by a name of its own, as in panic=10; any sysctl.KEY= beats it */
};

struct sysctl_boot {
	struct sysctl_settings settings;
	const char *masked; /* the link that masks systemd-sysctl.service, or NULL */
	const char *mask_why; /* why it cannot be told whether there is one; NULL when it can */
	/* The last file (of those that systemd-sysctl reads) that could not be read; NULL when all
	 * could. */
	const char *unreadable, *unreadable_why;
	size_t n_certain; /* lines from here on stand behind that file */
	const char *sysctl_conf_why; /* why /etc/sysctl.conf could not be read; NULL when it could,
					or is not there */
	struct kc_boot_arguments kernel; /* all arguments of the next start */
	struct sysctl_argument *argument;
	size_t n_arguments;
	const char *cmdline_why; /* why the kernel's arguments could not be read: a sentence */
	struct sysctl_module module[1];
	size_t n_modules;
};

/*
 * Reads all of it; the arena owns what it finds, nothing of the run is kept. Files that cannot be
 * read are noted, not failures; a folder that cannot be listed is one, with kc_why().
 */
int sysctl_boot_load(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     struct sysctl_boot *boot);

/* The module, if it is one of those that keys need. */
const struct sysctl_module *sysctl_boot_module(const struct sysctl_boot *boot, const char *name);

/* The last argument of the kernel that sets the key, or NULL. */
const struct sysctl_argument *sysctl_boot_argument(const struct sysctl_boot *boot, const char *key);

/* For module.c and cmdline.c, which read their parts. */
int sysctl_boot_load_cmdline(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			     struct sysctl_boot *boot);
int sysctl_boot_load_module(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			    const char *name, const struct kc_kernel_argument *arguments,
			    size_t n_arguments, struct sysctl_module *ret_module);
