/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "ways.h"

struct path path_of(const struct target *t, const char *name)
{
	struct path path;

	(void)snprintf(path.text, sizeof(path.text), "%s/%s", t->at, name);
	return path;
}

/* Where a limit lets no file grow, it can still be cut. */
static int write_fd(int fd, const char *text)
{
	int r = result(write(fd, text, strlen(text)));

	if (r == -EFBIG)
		r = result(ftruncate(fd, 0));
	(void)close(fd);
	return r;
}

int write_into(const char *path, int flags, const char *text)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : write_fd(fd, text);
}

/* For what needs a descriptor: one to write with, or else one to read with. */
static int open_best(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? open(path, O_RDONLY | O_CLOEXEC) : fd;
}

/* ---- opening */

static int open_write(const struct target *t)
{
	return write_into(PATH(t, "f"), O_WRONLY, "x");
}

static int open_read_write(const struct target *t)
{
	return write_into(PATH(t, "f"), O_RDWR, "x");
}

static int open_append(const struct target *t)
{
	return write_into(PATH(t, "f"), O_WRONLY | O_APPEND, "x");
}

static int open_truncate(const struct target *t)
{
	return result_fd(open(PATH(t, "f"), O_RDONLY | O_TRUNC | O_CLOEXEC));
}

static int open_create(const struct target *t)
{
	return result_fd(open(PATH(t, "new"), O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int open_tmpfile(const struct target *t)
{
	int fd = open(PATH(t, "d"), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	char self[64];
	int r;

	if (fd < 0)
		return -errno;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	r = result(linkat(AT_FDCWD, self, AT_FDCWD, PATH(t, "new"), AT_SYMLINK_FOLLOW));
	(void)close(fd);
	return r;
}

static int old_open(const struct target *t)
{
#ifdef SYS_open
	int fd = (int)syscall(SYS_open, PATH(t, "f"), O_WRONLY, 0);

	return fd < 0 ? -errno : write_fd(fd, "x");
#else
	(void)t;
	return -ENOTSUP;
#endif
}

static int old_creat(const struct target *t)
{
#ifdef SYS_creat
	return result_fd(syscall(SYS_creat, PATH(t, "f"), 0600));
#else
	(void)t;
	return -ENOTSUP;
#endif
}

static long openat2_of(const char *path, uint64_t flags)
{
	const struct {
		uint64_t flags, mode, resolve;
	} how = { .flags = flags, .mode = flags & O_CREAT ? 0600 : 0 };

	return syscall(NR_OPENAT2, AT_FDCWD, path, &how, sizeof(how));
}

static int openat2_write(const struct target *t)
{
	long fd = openat2_of(PATH(t, "f"), O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : write_fd((int)fd, "x");
}

static int openat2_truncate(const struct target *t)
{
	return result_fd(openat2_of(PATH(t, "f"), O_RDONLY | O_TRUNC));
}

static int openat2_create(const struct target *t)
{
	return result_fd(openat2_of(PATH(t, "new"), O_RDONLY | O_CREAT));
}

/* A descriptor to read with, opened anew by its link. */
static int reopen(const struct target *t)
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), r;
	char self[64];

	if (fd < 0)
		return -errno;
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	r = write_into(self, O_WRONLY, "x");
	(void)close(fd);
	return r;
}

static int map_shared(const struct target *t)
{
	int fd = open_best(PATH(t, "f")), r = 0;
	char *p;

	if (fd < 0)
		return -errno;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		r = -errno;
	else
		*p = 'x';
	(void)close(fd);
	return r;
}

static int open_fifo(const struct target *t)
{
	return result_fd(open(PATH(t, "fifo"), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

static int open_terminal(const struct target *t)
{
	return result_fd(open(PATH(t, "terminal"), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

static int open_device_read(const struct target *t)
{
	(void)t;
	return result_fd(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static int open_device_write(const struct target *t)
{
	(void)t;
	return result_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static int open_kmsg(const struct target *t)
{
	(void)t;
	return result_fd(open("/dev/kmsg", O_WRONLY | O_CLOEXEC));
}

static int open_sysrq(const struct target *t)
{
	(void)t;
	return result_fd(open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC));
}

/* ---- names */

static int rename_file(const struct target *t)
{
	return result(rename(PATH(t, "f"), PATH(t, "g")));
}

static int rename_exchange(const struct target *t)
{
	return result(syscall(SYS_renameat2, AT_FDCWD, PATH(t, "f"), AT_FDCWD, PATH(t, "f2"), 2u));
}

static int make_link(const struct target *t)
{
	return result(link(PATH(t, "f"), PATH(t, "g")));
}

static int make_symlink(const struct target *t)
{
	return result(symlink("f", PATH(t, "g")));
}

static int remove_file(const struct target *t)
{
	return result(unlink(PATH(t, "f")));
}

static int remove_file_at(const struct target *t)
{
	return result(unlinkat(AT_FDCWD, PATH(t, "f"), 0));
}

static int make_folder(const struct target *t)
{
	return result(mkdir(PATH(t, "g"), 0700));
}

static int remove_folder(const struct target *t)
{
	return result(rmdir(PATH(t, "d")));
}

static int make_fifo(const struct target *t)
{
	return result(mknod(PATH(t, "g"), S_IFIFO | 0600, 0));
}

static int make_device(const struct target *t)
{
	return result(mknod(PATH(t, "g"), S_IFCHR | 0600, makedev(1, 3)));
}

static int make_socket(const struct target *t)
{
	return result(mknod(PATH(t, "g"), S_IFSOCK | 0600, 0));
}

/* ---- what belongs to a file */

static int change_mode(const struct target *t)
{
	return result(syscall(SYS_fchmodat, AT_FDCWD, PATH(t, "f"), 0600));
}

static int change_mode_fd(const struct target *t)
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = result(fchmod(fd, 0600));
	(void)close(fd);
	return r;
}

static int change_mode_2(const struct target *t)
{
	return result(syscall(NR_FCHMODAT2, AT_FDCWD, PATH(t, "f"), 0600, 0));
}

static int change_owner(const struct target *t)
{
	return result(fchownat(AT_FDCWD, PATH(t, "f"), 4242, 4242, AT_SYMLINK_NOFOLLOW));
}

static int change_owner_fd(const struct target *t)
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = result(fchown(fd, 4242, 4242));
	(void)close(fd);
	return r;
}

static int change_times(const struct target *t)
{
	return result(utimensat(AT_FDCWD, PATH(t, "f"), NULL, 0));
}

static int change_times_fd(const struct target *t)
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = result(futimens(fd, NULL));
	(void)close(fd);
	return r;
}

static int set_attribute(const struct target *t)
{
	return result(setxattr(PATH(t, "f"), "user.new", "x", 1, 0));
}

static int set_attribute_fd(const struct target *t)
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = result(fsetxattr(fd, "user.new", "x", 1, 0));
	(void)close(fd);
	return r;
}

static int set_attribute_at(const struct target *t)
{
	static const char value[] = "x";
	const struct {
		uint64_t value;
		uint32_t size, flags;
	} arguments = { .value = (uint64_t)(uintptr_t)value, .size = 1 };

	return result(syscall(NR_SETXATTRAT, AT_FDCWD, PATH(t, "f"), 0, "user.new", &arguments,
			      sizeof(arguments)));
}

static int remove_attribute(const struct target *t)
{
	return result(removexattr(PATH(t, "f"), "user.old"));
}

static int remove_attribute_at(const struct target *t)
{
	return result(syscall(NR_REMOVEXATTRAT, AT_FDCWD, PATH(t, "f"), 0, "user.old"));
}

static int set_flags(const struct target *t)
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), flags = FS_NODUMP_FL, r;

	if (fd < 0)
		return -errno;
	r = result(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	(void)close(fd);
	return r;
}

static int set_flags_x(const struct target *t)
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), r;
	struct fsxattr attributes = { .fsx_xflags = FS_XFLAG_NODUMP };

	if (fd < 0)
		return -errno;
	r = result(ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
	(void)close(fd);
	return r;
}

static int set_flags_at(const struct target *t)
{
	const struct {
		uint64_t xflags;
		uint32_t extent, n_extents, project, cow;
	} attributes = { .xflags = FS_XFLAG_NODUMP };

	return result(syscall(NR_FILE_SETATTR, AT_FDCWD, PATH(t, "f"), &attributes,
			      sizeof(attributes), 0));
}

static int allocate(const struct target *t)
{
	int fd = open_best(PATH(t, "f")), r;

	if (fd < 0)
		return -errno;
	r = result(fallocate(fd, 0, 0, 8192));
	(void)close(fd);
	return r;
}

static int truncate_path(const struct target *t)
{
	return result(truncate(PATH(t, "f"), 1));
}

static int truncate_fd(const struct target *t)
{
	int fd = open_best(PATH(t, "f")), r;

	if (fd < 0)
		return -errno;
	r = result(ftruncate(fd, 1));
	(void)close(fd);
	return r;
}

/* ---- what others wait for, or are told */

static int with_file(const struct target *t, int (*act)(int fd))
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = result(act(fd));
	(void)close(fd);
	return r;
}

static int act_flock(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB);
}

static int lock_whole(const struct target *t)
{
	return with_file(t, act_flock);
}

static int act_record(int fd)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &lock);
}

static int lock_record(const struct target *t)
{
	return with_file(t, act_record);
}

static int act_lease(int fd)
{
	return fcntl(fd, F_SETLEASE, F_RDLCK);
}

static int take_lease(const struct target *t)
{
	return with_file(t, act_lease);
}

static int watch_folder(const struct target *t)
{
	int fd = open(t->at, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = result(fcntl(fd, F_NOTIFY, DN_CREATE));
	(void)close(fd);
	return r;
}

static int watch_inotify(const struct target *t)
{
	(void)t;
	return result_fd(inotify_init1(IN_CLOEXEC));
}

static int watch_fanotify(const struct target *t)
{
	(void)t;
	return result_fd(fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY));
}

/* ---- around paths */

/* The handle, of the size that all file systems of a Linux host get along with. */
struct handle {
	struct file_handle head;
	unsigned char data[128];
};

static int handle_of(const struct target *t, struct handle *ret_handle)
{
	int mount_id;

	*ret_handle = (struct handle){ .head.handle_bytes = sizeof(ret_handle->data) };
	return result(name_to_handle_at(AT_FDCWD, PATH(t, "f"), &ret_handle->head, &mount_id, 0));
}

static int name_handle(const struct target *t)
{
	struct handle handle;

	return handle_of(t, &handle);
}

static int open_handle(const struct target *t)
{
	struct handle handle;
	int r = handle_of(t, &handle), mount, fd;

	if (r < 0)
		return r;
	mount = open(t->at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = mount < 0 ? -1 : open_by_handle_at(mount, &handle.head, O_WRONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : write_fd(fd, "x");
	if (mount >= 0)
		(void)close(mount);
	return r;
}

/* ---- files that are the kernel's */

static int write_hostname(const struct target *t)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "k8scheck-%08x", (unsigned)t->key);
	return write_into("/proc/sys/kernel/hostname", O_WRONLY, text);
}

static int write_net_sysctl(const struct target *t)
{
	(void)t;
	return write_into("/proc/sys/net/ipv4/ip_default_ttl", O_WRONLY, "77");
}

static int write_sysfs(const struct target *t)
{
	return write_into(PATH(t, "sys/class/net/lo/mtu"), O_WRONLY, "1777");
}

static int write_cgroup(const struct target *t)
{
	return write_into(PATH(t, "cgroup/cgroup.max.depth"), O_WRONLY, "7");
}

static int make_cgroup(const struct target *t)
{
	return result(mkdir(PATH(t, "cgroup/new"), 0755));
}

static int write_of_victim(const struct target *t, const char *name, const char *text)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)t->victim, name);
	return write_into(path, O_WRONLY, text);
}

static int write_oom_score(const struct target *t)
{
	return write_of_victim(t, "oom_score_adj", "777");
}

static int write_timer_slack(const struct target *t)
{
	return write_of_victim(t, "timerslack_ns", "777777");
}

static int write_core_filter(const struct target *t)
{
	return write_of_victim(t, "coredump_filter", "0x7f");
}

const struct way ways_of_files[] = {
	{ "open-write", open_write },
	{ "open-read-write", open_read_write },
	{ "open-append", open_append },
	{ "open-truncate", open_truncate },
	{ "open-create", open_create },
	{ "open-tmpfile", open_tmpfile },
	{ "old-open", old_open },
	{ "creat", old_creat },
	{ "openat2-write", openat2_write },
	{ "openat2-truncate", openat2_truncate },
	{ "openat2-create", openat2_create },
	{ "reopen", reopen },
	{ "map-shared", map_shared },
	{ "open-fifo", open_fifo },
	{ "open-terminal", open_terminal },
	{ "open-device-read", open_device_read },
	{ "open-device-write", open_device_write },
	{ "open-kmsg", open_kmsg },
	{ "open-sysrq", open_sysrq },
	{ "rename", rename_file },
	{ "rename-exchange", rename_exchange },
	{ "link", make_link },
	{ "symlink", make_symlink },
	{ "unlink", remove_file },
	{ "unlinkat", remove_file_at },
	{ "mkdir", make_folder },
	{ "rmdir", remove_folder },
	{ "mknod-fifo", make_fifo },
	{ "mknod-device", make_device },
	{ "mknod-socket", make_socket },
	{ "chmod", change_mode },
	{ "fchmod", change_mode_fd },
	{ "fchmodat2", change_mode_2 },
	{ "chown", change_owner },
	{ "fchown", change_owner_fd },
	{ "utimens", change_times },
	{ "futimens", change_times_fd },
	{ "setxattr", set_attribute },
	{ "fsetxattr", set_attribute_fd },
	{ "setxattrat", set_attribute_at },
	{ "removexattr", remove_attribute },
	{ "removexattrat", remove_attribute_at },
	{ "setflags", set_flags },
	{ "fssetxattr", set_flags_x },
	{ "file-setattr", set_flags_at },
	{ "fallocate", allocate },
	{ "truncate", truncate_path },
	{ "ftruncate", truncate_fd },
	{ "flock", lock_whole },
	{ "lock-record", lock_record },
	{ "lease", take_lease },
	{ "dnotify", watch_folder },
	{ "inotify", watch_inotify },
	{ "fanotify", watch_fanotify },
	{ "name-to-handle", name_handle },
	{ "open-by-handle", open_handle },
	{ "proc-sys", write_hostname },
	{ "proc-sys-net", write_net_sysctl },
	{ "sysfs", write_sysfs },
	{ "cgroup-write", write_cgroup },
	{ "cgroup-mkdir", make_cgroup },
	{ "proc-oom-score", write_oom_score },
	{ "proc-timer-slack", write_timer_slack },
	{ "proc-core-filter", write_core_filter },
	{ NULL, NULL },
};
