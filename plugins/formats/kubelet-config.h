/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kubelet-file.h"
#include "kubelet-flag.h"

/*
 * The kubelet's effective configuration as the kubelet of its version comes to it: defaults, the
 * file of
 * --config, the drop-in folder of --config-dir, and over all of them the flags, which the unit puts
 * together from its own lines, its drop-ins and the environment files that these name.
 *
 * Of /var/lib/kubelet/instance-config.yaml: the kubelet never reads it. kubeadm from 1.32 on
 * (feature gate NodeLocalCRISocket) merges it into config.yaml whenever it writes that file
 * (cmd/kubeadm/app/phases/kubelet/config.go), so it is what config.yaml will say after the next
 * run.
 */

#define KC_KUBELET_UNIT		   "kubelet.service"
#define KC_KUBELET_CONFIG_FILE	   "/var/lib/kubelet/config.yaml"
#define KC_KUBELET_INSTANCE_CONFIG "/var/lib/kubelet/instance-config.yaml"

enum {
	KC_KUBELET_DROPINS_MAX = 1024, /* files of a drop-in folder */
	KC_KUBELET_DROPIN_DEPTH = 8,
	KC_KUBELET_CMDLINE_MAX = 256 * 1024,
};

enum kc_kubelet_state {
	KC_KUBELET_ABSENT = 1, /* neither unit, nor program, nor configuration file */
	KC_KUBELET_STOPPED = 2, /* no kubelet runs, or, its unit masked, will */
	KC_KUBELET_READ = 3,
};

struct kc_kubelet_config {
	uint32_t state; /* enum kc_kubelet_state */
	struct kc_kubelet_release release;
	const char *start_source; /* the ExecStart= line, or /proc/PID/cmdline; NULL: nothing starts
				     it */
	struct kc_kubelet_flags flags;

	const char *config_path; /* of --config; NULL when there is no such flag */
	const char *config_source; /* where the flag stands */
	bool config_missing; /* that file is not there: the kubelet waits for kubeadm */
	const struct kc_kubelet_file
		*file; /* base file first, if there is one, then drop-ins in order */
	size_t n_files;

	size_t n_unread_files; /* of them, that have `unread` set */
	const char *dropin_dir; /* of --config-dir; NULL when there is no such flag */
	const char *dropin_dir_source;
	bool dropin_dir_missing; /* the kubelet does not start then */

	/* The first reason not to start, of flags or files; NULL: none is known. */
	const char *refusal, *refusal_source;
	bool refusal_of_file; /* it is one of the files, and neither the unit nor the flags */
	/* The first thing that could not be read, so that values behind it are not known; NULL:
	 * none. */
	const char *unread, *unread_source;

	/* A sentence, when a drop-in of the unit hides one that a package brought; else NULL. */
	const char *shadow;

	/* of the running one */
	uint32_t pid;
	int64_t started_usec; /* since 1970; 0 when it cannot be told */
	const char *changed; /* a file that changed after it started, or NULL */
	const char *not_running; /* when STOPPED: what systemd, or its mask, says of the unit; or
				    NULL */
};

/*
 * What the next start will have, from files alone. `version` is the kubelet's, or NULL. Faults of
 * the host are told in the configuration; only -ENOMEM is returned. Everything lives in arena and
 * run.
 */
int kc_kubelet_boot(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		    const char *version, struct kc_kubelet_config *ret_config);

/*
 * What the running kubelet has: its flags from /proc, and the files that they name as these are now
 * (see `changed`). It is systemd's main process of the unit; where
 * systemd cannot be asked, or knows of none, a process of that name, and of several the one that
 * pid 1 started.
 */
int kc_kubelet_now(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		   const char *version, struct kc_kubelet_config *ret_config);

enum kc_kubelet_origin {
	KC_KUBELET_FROM_DEFAULT = 1,
	KC_KUBELET_FROM_FILE = 2,
	KC_KUBELET_FROM_DROPIN = 3,
	KC_KUBELET_FROM_FLAG = 4,
};

struct kc_kubelet_layer {
	const char *value;
	const char *source;
	uint8_t origin; /* enum kc_kubelet_origin */
};

struct kc_kubelet_value {
	const char *value; /* NULL: the default, which is not known */
	const char *source;
	uint8_t origin;
	const struct kc_kubelet_layer
		*beaten; /* what also sets it, weakest first, defaults left out */
	size_t n_beaten;
};

/* Pure, from a configuration that was read. Only -ENOMEM. */
int kc_kubelet_value(const struct kc_kubelet_config *config,
		     const struct kc_kubelet_setting *setting, struct kc_arena *arena,
		     struct kc_kubelet_value *ret_value);

/*
 * What a value beats, and where else the same stands, as sentences: "systemd wins over cgroupfs in
 * FILE:3."; "" when nothing else sets it, NULL for want of memory.
 */
const char *kc_kubelet_beaten_text(const struct kc_kubelet_value *value, struct kc_arena *arena);

/*
 * A feature gate: 1 on, 0 off, -ENODATA when nothing sets it and its default is not known, -ENOMEM.
 * *ret_source says who decided.
 */
int kc_kubelet_gate(const struct kc_kubelet_config *config, const char *gate,
		    struct kc_arena *arena, const char **ret_source);

/* Splits the bytes of /proc/PID/cmdline into arguments, without the program's name. Pure. */
int kc_kubelet_cmdline_parse(const char *source, const char *bytes, size_t size,
			     struct kc_arena *arena, struct kc_kubelet_argument **ret_argument,
			     size_t *ret_n);

/*
 * Of the bytes of /proc/PID/stat: the parent, and the start in clock ticks (1/100 s) after boot.
 * Pure. -EBADMSG when it does not look like one.
 */
int kc_kubelet_stat_parse(const char *text, uint32_t *ret_parent, uint64_t *ret_start_ticks);
