/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layers.h"
#include "remount.h"

/* By number, for headers that are older than the kernel. */
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

enum {
	RECURSIVE = 0x8000, /* AT_RECURSIVE */
};

int kc_layer_mounts(struct kc_err *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return kc_err_set(err, -errno, "no mount namespace can be made: %s",
				  kc_strerror(errno));
	if (mount("none", "/", "none", MS_REC | MS_SLAVE, NULL) < 0)
		return kc_err_set(err, -errno, "/ cannot be made a slave mount: %s",
				  errno == EINVAL ? "it is no mount point (a chroot?)"
						  : kc_strerror(errno));
	return 0;
}

int kc_layer_read_only(bool no_devices, uint64_t patience_usec, struct kc_buf *left,
		       unsigned *ret_left, struct kc_err *err)
{
	/* struct mount_attr: attr_set, of MOUNT_ATTR_RDONLY and MOUNT_ATTR_NODEV */
	const struct {
		uint64_t set, clear, propagation, userns_fd;
	} attributes = { .set = no_devices ? 1 | 4 : 1 };

	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", RECURSIVE, &attributes, sizeof(attributes)) ==
	    0) {
		*ret_left = 0;
		return 0;
	}
	if (errno == EPERM)
		return kc_err_set(err, -errno, "mounts cannot be made read-only: %s",
				  kc_strerror(errno));
	return kc_remount_all(MS_RDONLY | (no_devices ? MS_NODEV : 0), patience_usec, left,
			      ret_left, err);
}
