/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/stat.h>

#include "root.h"

/* What root.c and sysctl.c share of a root. */
struct kc_root {
	char *path;
	int fd; /* O_PATH */
	bool live;
	bool has_openat2;
	bool knows_dev; /* `dev` is the device number of this machine's devtmpfs */
	uint64_t dev;
	int proc_fd; /* /proc below the root, where that is procfs; else -EBADF */
	int proc_sys_fd; /* /proc/sys below the root, where that is procfs; else -EBADF */
	int mountinfo_fd; /* kc_root_keep_mountinfo(); else -EBADF */
};

/* struct open_how of linux/openat2.h, which headers before 5.6 lack. */
struct kc_open_how {
	uint64_t flags, mode, resolve;
};

/* RESOLVE_*; the kernel's interface fixes the values. */
enum {
	KC_RESOLVE_NO_XDEV = 0x01,
	KC_RESOLVE_NO_MAGICLINKS = 0x02,
	KC_RESOLVE_NO_SYMLINKS = 0x04,
	KC_RESOLVE_BENEATH = 0x08,
	KC_RESOLVE_IN_ROOT = 0x10,
};

/* The system call. A descriptor, or negative errno; -EAGAIN, and -ELOOP where links are followed,
 * are tried again a few times: both can come of a rename or mount meanwhile. */
int kc_openat2(int at, const char *path, uint64_t flags, uint64_t resolve);

/* True for what openat2(2) answers where it is not there, or a filter hides it. */
static inline bool kc_openat2_missing(int code)
{
	return code == -ENOSYS || code == -EPERM;
}

/* Opens for reading what an O_PATH descriptor names. `path` is for the sentence. */
int kc_root_reopen(int path_fd, const char *path, int flags, struct kc_err *err, int *ret_fd);

/* What a plugin sees of a file; ret_stat->size_of stays. */
void kc_root_describe(const struct stat *st, struct kc_stat *ret_stat);

/* Appends what readlinkat(2) put into `target`, of PATH_MAX bytes; n: what it returned, or negative
 * errno. */
int kc_root_keep_link(ssize_t n, const char *target, const char *path, struct kc_err *err,
		      struct kc_buf *b);

/*
 * True for a file system that shows the running kernel (procfs, sysfs, cgroups, …) by its magic
 * number. devtmpfs is not among them: it says that it is tmpfs.
 */
bool kc_is_kernel_fs(uint64_t magic);
