/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"
#include "search-path.h"

/*
 * The configuration that CRI-O comes up with: built-in defaults of its version, the file of
 * --config, every file below the folder of --config-dir, CONTAINER_* variables, flags. Rules as in
 * pkg/config/config.go and internal/criocli/criocli.go of CRI-O 1.18 to 1.37.
 *
 * A version is the minor number of CRI-O 1.x, 0 when it is not known.
 */
enum {
	KC_CRIO_NEWEST = 37, /* the newest version whose keys and defaults are known here */
	KC_CRIO_MONITOR_SINCE = 24, /* handlers have monitor_path and monitor_cgroup */
	KC_CRIO_FILES_MAX = 1024,
};

#define KC_CRIO_CONFIG	   "/etc/crio/crio.conf"
#define KC_CRIO_CONFIG_DIR "/etc/crio/crio.conf.d"
#define KC_CRIO_SOCKET	   "/var/run/crio/crio.sock"
#define KC_CRIO_UNIT	   "crio.service"

/* A value and who set it. */
struct kc_crio_value {
	const char *text; /* items of a list with ", " between them; NULL: not known here */
	const char
		*source; /* "FILE:LINE", "FILE:LINE (--flag)", "built-in default of CRI-O 1.18" */
	struct kc_place place; /* file is NULL for a default */
};

/* A handler, [crio.runtime.runtimes.NAME]. */
struct kc_crio_handler {
	const char *name;
	const char *source; /* of its table */
	struct kc_crio_value runtime_path, runtime_type, monitor_path, monitor_cgroup;
};

enum kc_crio_fault_kind {
	KC_CRIO_REFUSED = 1, /* CRI-O does not start with it */
	KC_CRIO_UNSEEN = 2, /* could not be read here, so that nothing is certain */
	KC_CRIO_IGNORED = 3, /* a key that this CRI-O does not know: it says nothing and goes on */
	KC_CRIO_UNJUDGED = 4, /* a key that is not known here, of a CRI-O newer than known here */
	KC_CRIO_REPLACED = 5, /* a handler's table whose keys are lost to a later table */
	KC_CRIO_STRAY = 6, /* looks like a backup, and is parsed like any other file */
};

struct kc_crio_fault {
	uint32_t kind; /* enum kc_crio_fault_kind */
	const char *subject; /* the file, the key, or the flag */
	const char *source;
	const char *text; /* what is wrong, without the place */
};

struct kc_crio_config {
	bool installed; /* a unit, a configuration, or the program is there */
	unsigned version;
	struct kc_crio_value conmon, conmon_cgroup, cgroup_manager, listen, default_runtime,
		selinux, pids_limit, network_dir, plugin_dirs;
	struct kc_search_path search_path; /* of the service; the merge alone knows none */
	const struct kc_crio_handler *handler; /* in the order they came up */
	size_t n_handlers;
	const char *const *files; /* those that were read, in their order; NULL-terminated */
	const char *dir; /* the drop-in folder */
	const struct kc_crio_fault *fault; /* in the order CRI-O would meet them */
	size_t n_faults;
	const struct kc_crio_fault *refused; /* the first of its kind, or NULL */
	const struct kc_crio_fault *unseen; /* the first of its kind, or NULL */
};

/* ---- the pure core ---- */

/* One file: its text, or why there is none. */
struct kc_crio_file {
	const char *path;
	const char *text;
	size_t size;
	const struct kc_place *asked; /* who named it, when it is not a default; or NULL */
	bool dropin;
	int code; /* 0, or a negative errno of reading it */
	const char *why; /* with a code: a sentence */
};

/* A flag or variable that is set. */
struct kc_crio_option {
	const char *name; /* of the flag, without hyphens */
	const char *value;
	const char *source; /* "FILE:LINE (--conmon)", "FILE:LINE (CONTAINER_CONMON)" */
	struct kc_place place;
};

struct kc_crio_options {
	const struct kc_crio_option *option; /* variables first, then flags in their order */
	size_t n;
	const struct kc_crio_fault *refused; /* a flag that crio does not accept; or NULL */
};

struct kc_crio_input {
	unsigned version;
	bool complete; /* the daemon's own answer: everything is in it, and nobody wrote it by hand
			*/
	const struct kc_crio_file *file; /* in the order CRI-O reads them */
	size_t n_files;
	const struct kc_crio_options *options; /* or NULL */
};

/*
 * What crio makes of its environment and command line (the program itself is word 0). As its flag
 * parser does: --flag value, --flag=value, one hyphen or two; ends at the first word that is no
 * flag. -ENOMEM.
 */
int kc_crio_options_parse(const struct kc_service_command *service, struct kc_arena *arena,
			  struct kc_crio_options *ret_options);

/* The last value of a flag or its variable, or NULL. */
const struct kc_crio_option *kc_crio_option(const struct kc_crio_options *options,
					    const char *name);

/*
 * Merges. Everything of *ret_config lives in the arena or in the input. Faults of the input are in
 * the result; -ENOMEM is the only error.
 */
int kc_crio_config_merge(const struct kc_crio_input *input, struct kc_arena *arena,
			 struct kc_crio_config **ret_config);

/* True for handlers that are watched by conmon: types "" and "oci". */
bool kc_crio_handler_has_conmon(const struct kc_crio_handler *handler);

/*
 * The setting that names a handler's conmon: `conmon` over the handler's monitor_path; `handler`
 * may be NULL for `conmon` alone. NULL: none does, and crio searches its PATH.
 */
const struct kc_crio_value *kc_crio_conmon(const struct kc_crio_config *config,
					   const struct kc_crio_handler *handler);

/* ---- with a host ---- */

/*
 * The configuration of the next start of crio.service below the root. -ENOMEM, or a negative errno
 * with kc_why() when the unit cannot be read; every other fault is in the result. Not installed is
 * a result.
 */
int kc_crio_config_load(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			unsigned version, struct kc_crio_config **ret_config);

/* The minor number of a version text "1.18.6", "v1.24.0-rc1"; 0 when it is none of CRI-O 1.x. */
unsigned kc_crio_version(const char *text);
