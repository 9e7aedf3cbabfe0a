/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * What is known of the kubelet's settings by version: the key in its configuration file, the flag
 * that does the same, and the default. Constant tables; nothing here looks at a host.
 *
 * Sources: k8s.io/kubelet/config/v1beta1/types.go of release-1.13 to release-1.36 (keys and
 * defaults), cmd/kubelet/app/options (flags, and the defaults without a file), and the release
 * notes where a row names them.
 */

/* A release of the kubelet. `minor` counts within 1.x; 0 stands for a version that is not known. */
struct kc_kubelet_release {
	unsigned minor;
	const char *text; /* as it was found, or NULL */
};

/*
 * Reads "v1.18.20", "1.18.20-0", "1:1.28.2-1.1" and the like; keeps `version`, does not copy it.
 * NULL gives the release that is not known. -EINVAL when the text is no version, or not of 1.x.
 */
int kc_kubelet_release_parse(const char *version, struct kc_kubelet_release *ret_release);

/* "kubelet 1.18.20", or "the kubelet" when the version is not known; in the arena, never NULL. */
const char *kc_kubelet_release_name(const struct kc_kubelet_release *release,
				    struct kc_arena *arena);

enum kc_kubelet_type {
	KC_KUBELET_STRING = 1,
	KC_KUBELET_BOOLEAN = 2,
	KC_KUBELET_INTEGER = 3,
	KC_KUBELET_LIST = 4,
	KC_KUBELET_MAP = 5,
	KC_KUBELET_ENDPOINT = 6, /* a string that names a socket */
};

struct kc_kubelet_setting {
	const char *key; /* in the file, levels separated by dots; NULL: a flag only */
	const char *flag; /* without dashes; NULL: in the file only */
	uint8_t type; /* enum kc_kubelet_type */
	uint8_t key_since; /* minor version from which the file is read for it; 0: any */
};

/* NULL for a setting that the tables do not have. Flags are named as kc_kubelet_flag_name() makes
 * them. */
const struct kc_kubelet_setting *kc_kubelet_setting_by_key(const char *key);
const struct kc_kubelet_setting *kc_kubelet_setting_by_flag(const char *flag);

/* All settings; *ret_n of them. */
const struct kc_kubelet_setting *kc_kubelet_settings(size_t *ret_n);

/*
 * The default of a release. `has_file`: a configuration file was given, which changes a few of them
 * (the kubelet applies older, more open ones when it has flags alone). NULL when it depends on a
 * version that is not known, or the tables do not have it; "" where the kubelet has none and wants
 * a value.
 */
const char *kc_kubelet_setting_default(const struct kc_kubelet_setting *setting,
				       const struct kc_kubelet_release *release, bool has_file);

/* A flag's name as the kubelet normalises it: "_" becomes "-". In place. */
void kc_kubelet_flag_name(char *name);

/* True for a flag that takes no value unless written --flag=value. */
bool kc_kubelet_flag_is_boolean(const char *flag);

/* Since when a flag is gone: a kubelet of that release or later does not start with it. */
struct kc_kubelet_removed_flag {
	const char *flag;
	unsigned minor;
	const char *instead; /* what to do, a sentence */
	const char *source;
};

/* NULL for a flag that is not known to be removed in any version. */
const struct kc_kubelet_removed_flag *kc_kubelet_flag_removed(const char *flag);

/*
 * The state of a feature gate when nothing sets it: 1 on, 0 off or not there; -ENODATA when the
 * version is not known. *ret_locked (may be NULL): the gate cannot be set any more. Only gates that
 * this tree asks for are known; -ENOENT for others.
 */
int kc_kubelet_gate_default(const char *gate, const struct kc_kubelet_release *release,
			    bool *ret_locked);

/*
 * A CRI end point in one form for comparison: the path of the socket, without unix://, /var/run
 * written as /run, repeated slashes as one. Another scheme is kept. In the arena; NULL only for
 * want of memory.
 */
const char *kc_endpoint_path(const char *endpoint, struct kc_arena *arena);
