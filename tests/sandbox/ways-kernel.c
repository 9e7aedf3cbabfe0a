/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/swap.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#if defined(__x86_64__)
#include <sys/io.h>
#endif

#include "ways.h"

/*
 * Calls that would change the whole host have an argument that the kernel looks at only once it has
 * allowed the call, and that it cannot take: the answer tells whether it was allowed.
 */

/* ---- mounts */

static int mount_tmpfs(const struct target *t)
{
	return result(mount("none", PATH(t, "d"), "tmpfs", 0, NULL));
}

static int mount_bind(const struct target *t)
{
	return result(mount(PATH(t, "f"), PATH(t, "f2"), NULL, MS_BIND, NULL));
}

/* Undoes read-only mounts, and then writes. */
static int mount_writable(const struct target *t)
{
	int r = result(mount(NULL, PATH(t, "m"), NULL, MS_REMOUNT | MS_BIND, NULL));

	return r < 0 ? r : write_into(PATH(t, "m/f"), O_WRONLY, "x");
}

static int mount_writable_attr(const struct target *t)
{
	const struct {
		uint64_t set, clear, propagation, userns_fd;
	} attributes = { .clear = 1 };
	int r = result(syscall(NR_MOUNT_SETATTR, AT_FDCWD, PATH(t, "m"), 0, &attributes,
			       sizeof(attributes)));

	return r < 0 ? r : write_into(PATH(t, "m/f"), O_WRONLY, "x");
}

static int unmount(const struct target *t)
{
	return result(umount2(PATH(t, "m"), MNT_DETACH));
}

static int pivot(const struct target *t)
{
	int r = result(syscall(SYS_pivot_root, PATH(t, "none"), PATH(t, "none")));

	return r == -ENOENT ? 0 : r;
}

static int open_fs(const struct target *t)
{
	(void)t;
	return result_fd(syscall(NR_FSOPEN, "tmpfs", 0));
}

static int clone_tree(const struct target *t)
{
	return result_fd(syscall(NR_OPEN_TREE, AT_FDCWD, t->at, 1u /* OPEN_TREE_CLONE */));
}

static int move_tree(const struct target *t)
{
	return result(syscall(NR_MOVE_MOUNT, AT_FDCWD, PATH(t, "m"), AT_FDCWD, PATH(t, "d"), 0));
}

/* ---- the host as a whole */

static int set_hostname(const struct target *t)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "k8scheck-%08x", (unsigned)t->key);

	return result(sethostname(text, (size_t)n));
}

static int set_domain(const struct target *t)
{
	(void)t;
	return result(setdomainname("k8scheck.test", 13));
}

static int set_time(const struct target *t)
{
	(void)t;
	return result(syscall(SYS_settimeofday, NULL, NULL));
}

/* Sets what is set already. */
static int adjust_time(const struct target *t)
{
	struct timex now = { 0 };

	(void)t;
	if (adjtimex(&now) < 0)
		return -errno;
	now.modes = ADJ_TICK;
	return result(adjtimex(&now));
}

static int adjust_clock(const struct target *t)
{
	struct timex now = { 0 };

	(void)t;
	if (clock_adjtime(CLOCK_REALTIME, &now) < 0)
		return -errno;
	now.modes = ADJ_TICK;
	return result(clock_adjtime(CLOCK_REALTIME, &now));
}

static int restart(const struct target *t)
{
	int r = result(syscall(SYS_reboot, 0, 0, 0, NULL));

	(void)t;
	return r == -EINVAL ? 0 : r;
}

static int swap_on(const struct target *t)
{
	int r = result(swapon(PATH(t, "f"), 0));

	return r == -EINVAL ? 0 : r;
}

static int swap_off(const struct target *t)
{
	int r = result(swapoff(PATH(t, "f")));

	return r == -EINVAL ? 0 : r;
}

static int load_module(const struct target *t)
{
	int r = result(syscall(SYS_init_module, "no module at all", 16, ""));

	(void)t;
	return r == -ENOEXEC ? 0 : r;
}

static int load_module_file(const struct target *t)
{
	int fd = open(PATH(t, "f"), O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -errno;
	r = result(syscall(SYS_finit_module, fd, "", 0));
	(void)close(fd);
	return r == -ENOEXEC ? 0 : r;
}

static int remove_module(const struct target *t)
{
	int r = result(syscall(SYS_delete_module, "k8scheck_none", O_NONBLOCK));

	(void)t;
	return r == -ENOENT ? 0 : r;
}

static int load_kernel(const struct target *t)
{
	int r = result(syscall(SYS_kexec_load, 0L, 0L, NULL, 0x12340000UL));

	(void)t;
	return r == -EINVAL ? 0 : r;
}

static int load_kernel_file(const struct target *t)
{
#ifdef SYS_kexec_file_load
	int r = result(syscall(SYS_kexec_file_load, -1, -1, 0L, NULL, 0x12340000UL));

	(void)t;
	return r == -EINVAL ? 0 : r;
#else
	(void)t;
	return -ENOTSUP;
#endif
}

static int load_bpf(const struct target *t)
{
	union bpf_attr attributes = { 0 };

	(void)t;
	attributes.map_type = BPF_MAP_TYPE_ARRAY;
	attributes.key_size = attributes.value_size = 4;
	attributes.max_entries = 1;
	return result_fd(syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof(attributes)));
}

static int open_events(const struct target *t)
{
	struct perf_event_attr attributes = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attributes),
		.config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
	};

	(void)t;
	return result_fd(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

static int set_quota(const struct target *t)
{
	int r = result(syscall(SYS_quotactl, 0x800002u << 8, "/dev/null", 0, NULL));

	(void)t;
	return r == -ENOTBLK ? 0 : r;
}

static int set_quota_fd(const struct target *t)
{
	int r = result(syscall(NR_QUOTACTL_FD, -1, 0x800002u << 8, 0, NULL));

	(void)t;
	return r == -EBADF ? 0 : r;
}

static int keep_accounts(const struct target *t)
{
	int r = result(syscall(SYS_acct, PATH(t, "none")));

	return r == -ENOENT ? 0 : r;
}

static int use_ports(const struct target *t)
{
	(void)t;
#if defined(__x86_64__)
	return result(iopl(3));
#else
	return -ENOTSUP;
#endif
}

static int use_port(const struct target *t)
{
	(void)t;
#if defined(__x86_64__)
	return result(ioperm(0x80, 1, 1));
#else
	return -ENOTSUP;
#endif
}

static int hang_up(const struct target *t)
{
	(void)t;
	return result(syscall(SYS_vhangup));
}

/* How much the kernel's log holds: the call is the one that clears it. */
static int use_log(const struct target *t)
{
	(void)t;
	return result(syscall(SYS_syslog, 10, NULL, 0));
}

/* ---- what outlives its maker */

static int make_shared_memory(const struct target *t)
{
	return result(shmget((key_t)t->key, 4096, IPC_CREAT | 0600));
}

static int make_messages(const struct target *t)
{
	return result(msgget((key_t)t->key, IPC_CREAT | 0600));
}

static int make_semaphores(const struct target *t)
{
	return result(semget((key_t)t->key, 1, IPC_CREAT | 0600));
}

static int make_queue(const struct target *t)
{
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 16 };
	char name[32];

	(void)snprintf(name, sizeof(name), "k8scheck-%08x", (unsigned)t->key);
	return result_fd(syscall(SYS_mq_open, name, O_RDWR | O_CREAT, 0600, &attributes));
}

static int make_key(const struct target *t)
{
	(void)t;
	return result(syscall(SYS_add_key, "user", "k8scheck", "x", 1L, -2 /* the process's */));
}

static int use_keys(const struct target *t)
{
	(void)t;
	return result(syscall(SYS_keyctl, 0 /* KEYCTL_GET_KEYRING_ID */, -2, 1, 0, 0));
}

static int map_anonymous(const struct target *t)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	(void)t;
	if (memory == MAP_FAILED)
		return -errno;
	(void)munmap(memory, 4096);
	return 0;
}

static int make_memory_file(const struct target *t)
{
	(void)t;
	return result_fd(syscall(SYS_memfd_create, "k8scheck", 0u));
}

static int make_secret_memory(const struct target *t)
{
	(void)t;
	return result_fd(syscall(NR_MEMFD_SECRET, 0u));
}

static int make_ring(const struct target *t)
{
	uint32_t parameters[30] = { 0 };

	(void)t;
	return result_fd(syscall(NR_IO_URING_SETUP, 1u, parameters));
}

static int handle_faults(const struct target *t)
{
	(void)t;
	return result_fd(syscall(SYS_userfaultfd, O_CLOEXEC));
}

/* ---- the other doors of the same kernel */

#if defined(__x86_64__)
/* A path that the 32-bit interface can name: mkdir is 39 there. */
static int mkdir_32(const struct target *t)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long r;

	if (low == MAP_FAILED)
		return -errno;
	(void)snprintf(low, 4096, "%s", PATH(t, "g"));
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(39L), "b"(low), "c"(0700L) : "memory");
	return r < 0 ? (int)r : 0;
}

static int mkdir_x32(const struct target *t)
{
	return result(syscall(0x40000000L | SYS_mkdir, PATH(t, "g"), 0700));
}
#else
static int mkdir_32(const struct target *t)
{
	(void)t;
	return -ENOTSUP;
}

static int mkdir_x32(const struct target *t)
{
	(void)t;
	return -ENOTSUP;
}
#endif

/* What workers may call: the test's own list, which gen-syscalls.c is held to. */
static const short may[] = {
#ifdef __x86_64__
	/* uretprobe and uprobe: the kernel asks no filter, and ends who calls them itself. */
	335,
	336,
	SYS_access,
	SYS_arch_prctl,
	SYS_dup2,
	SYS_getdents,
	SYS_getpgrp,
	SYS_lstat,
	SYS_open,
	SYS_poll,
	SYS_readlink,
	SYS_select,
	SYS_stat,
	SYS_time,
	SYS_fork,
	SYS_vfork,
#endif
	SYS_brk,
	SYS_clock_getres,
	SYS_clock_gettime,
	SYS_clock_nanosleep,
	SYS_clone,
	SYS_close,
	436 /* close_range */,
	SYS_dup,
	SYS_dup3,
	SYS_exit,
	SYS_exit_group,
	SYS_faccessat,
	439 /* faccessat2 */,
	SYS_fcntl,
	SYS_fgetxattr,
	SYS_flistxattr,
	SYS_fstat,
	SYS_fstatfs,
	SYS_futex,
	SYS_getcpu,
	SYS_getdents64,
	SYS_getegid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getgroups,
	SYS_getpgid,
	SYS_getpid,
	SYS_getppid,
	SYS_getrandom,
	SYS_getresgid,
	SYS_getresuid,
	SYS_getrlimit,
	SYS_getrusage,
	SYS_getsid,
	SYS_gettid,
	SYS_gettimeofday,
	SYS_getuid,
	SYS_getxattr,
	SYS_lgetxattr,
	SYS_listxattr,
	SYS_llistxattr,
	SYS_lseek,
	SYS_madvise,
	SYS_membarrier,
	SYS_mmap,
	SYS_mprotect,
	SYS_mremap,
	SYS_munmap,
	SYS_nanosleep,
	SYS_newfstatat,
	SYS_openat,
	NR_OPENAT2,
	SYS_ppoll,
	SYS_prctl,
	SYS_pread64,
	SYS_preadv,
	SYS_preadv2,
	SYS_prlimit64,
	SYS_pselect6,
	SYS_read,
	SYS_readlinkat,
	SYS_readv,
	SYS_recvfrom,
	SYS_recvmsg,
	SYS_restart_syscall,
	334 /* rseq */,
	293 /* the same of other architectures */,
	SYS_rt_sigaction,
	SYS_rt_sigpending,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_rt_sigsuspend,
	SYS_rt_sigtimedwait,
	SYS_sched_getaffinity,
	SYS_sched_yield,
	SYS_sendto,
	SYS_set_robust_list,
	SYS_set_tid_address,
	SYS_setrlimit,
	SYS_sigaltstack,
	SYS_statfs,
	SYS_statx,
	SYS_sysinfo,
	SYS_tgkill,
	SYS_times,
	SYS_uname,
	SYS_wait4,
	SYS_waitid,
	SYS_write,
	SYS_writev,
};

static int may_call(long number)
{
	for (size_t i = 0; i < sizeof(may) / sizeof(*may); i++) {
		if (may[i] == number)
			return 1;
	}
	return 0;
}

/* Every number that is on no list, of calls that there are and of those that there will be. */
static int any_number(const struct target *t)
{
	(void)t;
	for (long number = 0; number <= 600; number++) {
		if (may_call(number))
			continue;
		if (syscall(number, -1L, -1L, -1L, -1L, -1L, -1L) != -1 || errno != ENOSYS)
			return -(int)number - 10000;
	}
	return -ENOSYS;
}

const struct way ways_of_kernel[] = {
	{ "mount", mount_tmpfs },
	{ "mount-bind", mount_bind },
	{ "mount-writable", mount_writable },
	{ "mount-setattr", mount_writable_attr },
	{ "umount", unmount },
	{ "pivot-root", pivot },
	{ "fsopen", open_fs },
	{ "open-tree", clone_tree },
	{ "move-mount", move_tree },
	{ "sethostname", set_hostname },
	{ "setdomainname", set_domain },
	{ "settimeofday", set_time },
	{ "adjtimex", adjust_time },
	{ "clock-adjtime", adjust_clock },
	{ "reboot", restart },
	{ "swapon", swap_on },
	{ "swapoff", swap_off },
	{ "init-module", load_module },
	{ "finit-module", load_module_file },
	{ "delete-module", remove_module },
	{ "kexec-load", load_kernel },
	{ "kexec-file-load", load_kernel_file },
	{ "bpf", load_bpf },
	{ "perf-event-open", open_events },
	{ "quotactl", set_quota },
	{ "quotactl-fd", set_quota_fd },
	{ "acct", keep_accounts },
	{ "iopl", use_ports },
	{ "ioperm", use_port },
	{ "vhangup", hang_up },
	{ "syslog", use_log },
	{ "shmget", make_shared_memory },
	{ "msgget", make_messages },
	{ "semget", make_semaphores },
	{ "mq-open", make_queue },
	{ "add-key", make_key },
	{ "keyctl", use_keys },
	{ "map-anonymous", map_anonymous },
	{ "memfd", make_memory_file },
	{ "memfd-secret", make_secret_memory },
	{ "io-uring", make_ring },
	{ "userfaultfd", handle_faults },
	{ "int-0x80", mkdir_32 },
	{ "x32", mkdir_x32 },
	{ "any-number", any_number },
	{ NULL, NULL },
};
