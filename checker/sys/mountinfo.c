/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fdio.h"
#include "root-internal.h"

static int open_procfs(const char *path)
{
	struct statfs fs;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);

	if (fd >= 0 && (fstatfs(fd, &fs) < 0 || (uint64_t)fs.f_type != PROC_SUPER_MAGIC))
		fd = kc_close(fd);
	return fd < 0 ? -EBADF : fd;
}

int kc_mountinfo_open(const char *root_path)
{
	bool here = kc_streq(root_path, "/");
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/proc/1/mountinfo", here ? "" : root_path);
	int fd = here ? open_procfs("/proc/self/mountinfo") : -EBADF;

	return fd < 0 && path ? open_procfs(path) : fd;
}

void kc_root_keep_mountinfo(struct kc_root *root, int fd)
{
	(void)kc_close(root->mountinfo_fd);
	root->mountinfo_fd = fd < 0 ? -EBADF : fd;
}

int kc_root_read_mountinfo(const struct kc_root *root, size_t max, struct kc_err *err,
			   struct kc_buf *b)
{
	int r;

	if (root->mountinfo_fd < 0)
		return kc_err_set(err, -EOPNOTSUPP, "mountinfo: it was not kept");
	/* From its beginning to its end, by which the kernel goes from mount to mount, whatever is
	 * unmounted meanwhile. */
	if (lseek(root->mountinfo_fd, 0, SEEK_SET) < 0)
		return kc_err_set(err, -errno, "mountinfo: %s", kc_strerror(errno));
	r = kc_read_all(root->mountinfo_fd, max, b);
	return r < 0 ? kc_err_set(err, r, "mountinfo: %s", kc_strerror(r)) : 0;
}
