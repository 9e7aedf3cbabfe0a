/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/k8scheck-plugin.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Files below a root: "/" for the host itself, or a folder that --root names. Whatever path is
 * given, and whatever links stand in the way, nothing outside the root is ever opened: openat2(2)
 * with RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS, or, where the kernel has none (before 5.6, or a
 * filter that hides it), a walk by components in user space with the same answers.
 *
 * Files are opened O_PATH first; only a regular file is then opened for reading, through its own
 * descriptor. FIFOs, devices and sockets are never opened.
 *
 * An offline root (without KC_ROOT_LIVE) never shows the running kernel: a path that comes to lie
 * on procfs, sysfs, cgroupfs, devtmpfs or the like of the machine that looks is -EOPNOTSUPP.
 */
struct kc_root;

enum {
	KC_ROOT_LIVE = 1u << 0, /* the running system is looked at */
	KC_ROOT_NO_OPENAT2 = 1u << 1, /* do not try openat2(2); for tests of the walk */
};

/* Opens the folder. *ret_root is freed by kc_root_free(). */
int kc_root_open(const char *path, unsigned flags, struct kc_err *err, struct kc_root **ret_root);
void kc_root_free(struct kc_root *root);
KC_DEFINE_CLEANUP(struct kc_root *, kc_root_free);

const char *kc_root_path(const struct kc_root *root);
bool kc_root_is_live(const struct kc_root *root);

/* The descriptors that a root keeps, -EBADF for none: a fresh process closes all others. */
enum {
	KC_ROOT_FDS = 4
};
void kc_root_fds(const struct kc_root *root, int ret_fds[KC_ROOT_FDS]);

/*
 * The mounts as the host has them, for who will be in another mount namespace: of /proc/self, or of
 * /proc/1 below a root that is not "/". Opened before that namespace is made; -EBADF where there is
 * no procfs.
 */
int kc_mountinfo_open(const char *root_path);

/*
 * The group that sees the processes of all where procfs below the root hides them (hidepid=1 or 2,
 * gid=; proc(5)); negative where it does not, or lets none.
 */
int64_t kc_proc_group(const char *root_path);

/* The same of a mountinfo's text, which it cuts in place. Pure, for tests. */
int64_t kc_proc_group_parse(char *mountinfo, const char *proc_path);

/* The root takes that descriptor, of any value. */
void kc_root_keep_mountinfo(struct kc_root *root, int fd);

/* All of it. -EOPNOTSUPP: none was kept. */
int kc_root_read_mountinfo(const struct kc_root *root, size_t max, struct kc_err *err,
			   struct kc_buf *b);

/* Sets the sentence for a path that could not be looked at, and returns code. */
int kc_root_explain(struct kc_err *err, int code, const char *path);

/*
 * Every function below: `path` is absolute as seen from the root; `flags` are KC_NOFOLLOW; errors
 * are those of k8scheck-plugin.h with a sentence that begins with the path as seen from the root.
 */

/* A descriptor that can be named and asked (fstat, readlinkat, connect by /proc/self/fd), not read.
 */
int kc_root_path_fd(const struct kc_root *root, const char *path, unsigned flags,
		    struct kc_err *err, int *ret_fd);

/* A regular file, for reading. */
int kc_root_open_file(const struct kc_root *root, const char *path, unsigned flags,
		      struct kc_err *err, int *ret_fd);

/* A whole regular file of at most max bytes, appended to b. -EFBIG, -EISDIR, -EINVAL (not regular).
 */
int kc_root_read(const struct kc_root *root, const char *path, size_t max, struct kc_err *err,
		 struct kc_buf *b);

/* Text of a link, appended to b. -EINVAL when it is none. */
int kc_root_read_link(const struct kc_root *root, const char *path, struct kc_err *err,
		      struct kc_buf *b);

/* Sorted names, without . and .., in the arena. At most 65,536 (-EFBIG). */
int kc_root_list(const struct kc_root *root, const char *path, struct kc_arena *arena,
		 struct kc_err *err, struct kc_strings *ret_names);

int kc_root_stat(const struct kc_root *root, const char *path, unsigned flags, struct kc_err *err,
		 struct kc_stat *ret_stat);

/* The path without links, "." and "..", as seen from the root, appended to b. */
int kc_root_resolve(const struct kc_root *root, const char *path, struct kc_err *err,
		    struct kc_buf *b);

int kc_root_filesystem(const struct kc_root *root, const char *path, struct kc_err *err,
		       struct kc_filesystem *ret_figures);

/* security.selinux, appended to b. -ENODATA when there is none. */
int kc_root_label(const struct kc_root *root, const char *path, struct kc_err *err,
		  struct kc_buf *b);

/*
 * A sysctl of the running kernel, by key or path, its last newline cut, appended to b. The first
 * separator decides: with "." first, "." and "/" are exchanged (sysctl.d(5)). Never follows links,
 * never leaves procfs (no automount). Keys with "..", empty parts or a leading separator: -EINVAL.
 * One read on a real /proc/sys; a plain vetted file in a fixture. -EOPNOTSUPP when offline.
 */
int kc_root_sysctl(const struct kc_root *root, const char *key, struct kc_err *err,
		   struct kc_buf *b);

/* The path below /proc/sys of a key, as above: "net.ipv4.ip_forward" to "net/ipv4/ip_forward". */
int kc_sysctl_path(const char *key, struct kc_buf *b);
