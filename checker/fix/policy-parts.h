/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/*
 * What the parts of the policy have of each other, and nobody else uses.
 */

enum {
	KC_POLICY_NAME_MAX = 255, /* of a component, a unit, a module */
	KC_POLICY_CONTENT_MAX = 1024 * 1024, /* of a file, in bytes */
};

/* ---- paths ---- */

/*
 * Lists of paths: "*" and "?" stand for something within one component (fnmatch(3)); an entry
 * stands for all that is below it, too. NULL-terminated lists of NULL-terminated lists.
 */
extern const char *const *const kc_policy_sealed[];

/* Whether a path is one of a list's, or below one. True without memory: all is refused then. */
bool kc_policy_is_listed(const char *const *list, const char *path);

/* Absolute, without "." and "..", without empty parts and control characters, and not too long. */
bool kc_policy_is_plain_path(const char *path);

/* Letters, digits and the characters of `more`, and neither "-" nor "." at the beginning. */
bool kc_policy_is_name(const char *name, const char *more);

/* A unit's name with its type: crio.service, a@b.mount. */
bool kc_policy_is_unit_name(const char *name);

/* ---- sysctls ---- */

/*
 * Whether a sysctl may have a value. `path` is below /proc/sys, as kc_sysctl_path() has it; `now`:
 * in the running kernel, where it has to be possible to take it back. NULL: it may; else why not.
 */
const char *kc_policy_sysctl_fault(const char *path, const char *value, bool now);

/* Whether a file guards less with a step's text; `path` is what the step's target comes to. */
struct kc_step;
bool kc_policy_is_content_weaker(const struct kc_step *step, const char *path);

/* ---- lines ---- */

/*
 * Lines that a file must not gain: each is given without its end, and has no control character but
 * tabs. True as well for one whose meaning is not sure. By the file that it stands in:
 */
typedef bool kc_policy_line(const char *line);

kc_policy_line kc_policy_sysctl_line; /* sysctl.d(5): sets what no repair may set */
kc_policy_line kc_policy_selinux_line; /* selinux_config(5): no longer enforcing */
kc_policy_line kc_policy_zram_line; /* zram-generator.conf(5): runs a program, mounts something */

/*
 * crio.conf(5), containerd's config.toml(5), containers-storage.conf(5): names a program out of
 * another place than /usr and /opt.
 */
kc_policy_line kc_policy_runtime_line;

/* dnf.conf(5), yum.conf(5): says where packages come from, or does not ask for signatures. */
kc_policy_line kc_policy_package_line;
/* One that asks for signatures, which the file must not lose. */
kc_policy_line kc_policy_package_guard;

/* KubeletConfiguration (v1beta1): lets others in, or names static pods and programs. */
kc_policy_line kc_policy_kubelet_config_line;
/* An environment file of the kubelet (systemd.exec(5)): another variable than KUBELET_…. */
kc_policy_line kc_policy_kubelet_line;

/*
 * What these say, a fact a line, where lines of the file itself do not tell enough. Appended to
 * `out`, for the lines below.
 */
typedef void kc_policy_spread(const char *text, size_t size, struct kc_buf *out);

kc_policy_spread kc_policy_modprobe_lines; /* modprobe.d(5): lines as libkmod joins them */
kc_policy_line kc_policy_modprobe_line; /* one that runs a command */

kc_policy_spread kc_policy_kubelet_words; /* every word, without quotes */
kc_policy_line kc_policy_kubelet_word; /* a flag that lets others in, … */

kc_policy_spread kc_policy_cni_types; /* every "type" of a network's JSON; and "?": not sure */
kc_policy_line kc_policy_cni_type; /* one that is a path */

kc_policy_spread kc_policy_mounts; /* fstab(5): "mount WHAT WHERE TYPE", "option WHERE OPTION" */
kc_policy_line kc_policy_mount; /* another mount, or an option that lets more happen */
kc_policy_line kc_policy_mount_guard; /* nosuid, nodev, noexec, ro */
