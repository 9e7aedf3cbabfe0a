/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/num.h"
#include "mountinfo-line.h"
#include "root-internal.h"

enum {
	MOUNTINFO_MAX = 64 * 1024 * 1024
};

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

/* The value of an option in a list with commas; NULL: it is not there. */
static const char *option(const char *list, size_t len, const char *name, size_t *ret_len)
{
	for (const char *p = list, *end = list + len; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t n = (size_t)((comma ? comma : end) - p), k = strlen(name);

		if (n > k && !memcmp(p, name, k) && p[k] == '=') {
			*ret_len = n - k - 1;
			return p + k + 1;
		}
		p += n + 1;
	}
	return NULL;
}

static bool is_one_of(const char *text, size_t len, const char *const *names)
{
	KC_FOREACH_STR (name, names) {
		if (strlen(name) == len && !memcmp(text, name, len))
			return true;
	}
	return false;
}

static int64_t group_of(const char *options, size_t len)
{
	/* "ptraceable" (4) asks no group. */
	static const char *const hiding[] = { "1", "2", "noaccess", "invisible", NULL };
	size_t n;
	const char *value = option(options, len, "hidepid", &n);
	char number[16];
	uint64_t gid = 0;

	if (!value || !is_one_of(value, n, hiding))
		return -1;
	value = option(options, len, "gid", &n);
	if (!value)
		return 0;
	if (n >= sizeof(number))
		return -1;
	memcpy(number, value, n);
	number[n] = '\0';
	return kc_parse_u64(number, &gid) < 0 || gid > UINT32_MAX ? -1 : (int64_t)gid;
}

int64_t kc_proc_group_parse(char *mountinfo, const char *proc_path)
{
	struct kc_mountinfo_line line;
	int64_t group = -1;
	int r;

	while ((r = kc_mountinfo_next(&mountinfo, &line)) != 0) {
		/* The last of several lies on top. */
		if (r > 0 && kc_streq(line.type, "proc") && kc_streq(line.point, proc_path))
			group = group_of(line.options, strlen(line.options));
	}
	return group;
}

int64_t kc_proc_group(const char *root_path)
{
	kc_cleanup(kc_freep) char *path =
		kc_asprintf("%s/proc", kc_streq(root_path, "/") ? "" : root_path);
	kc_cleanup(kc_closep) int fd = open_procfs("/proc/self/mountinfo");
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	if (fd < 0 || !path || kc_read_all(fd, MOUNTINFO_MAX, &text) < 0 || !text.data)
		return -1;
	return kc_proc_group_parse(text.data, path);
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
