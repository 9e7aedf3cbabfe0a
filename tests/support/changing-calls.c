/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "changing-calls.h"
#include "tracee.h"

#if defined(__x86_64__)
#define ARCH	AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

/* Later than the oldest headers that this is built with; the same on every architecture. */
#define NR_IO_URING_ENTER 426
#define NR_MOVE_MOUNT	  429
#define NR_FSCONFIG	  431
#define NR_FSMOUNT	  432
#define NR_OPENAT2	  437
#define NR_MOUNT_SETATTR  442
#define NR_FCHMODAT2	  452
#define NR_SETXATTRAT	  463
#define NR_REMOVEXATTRAT  466
#define NR_FILE_SETATTR	  469

/* O_TMPFILE without O_DIRECTORY, which it has in it. */
#define CREATING_FLAGS ((uint32_t)(O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY)))

static const struct changing_call calls[] = {
/* What only older architectures have. */
#ifdef SYS_open
	{ SYS_open, "open", CALL_CREATES, 1, "p0" },
	{ SYS_creat, "creat", CALL_ALWAYS, 0, "p0" },
	{ SYS_rename, "rename", CALL_ALWAYS, 0, "p0p1" },
	{ SYS_link, "link", CALL_ALWAYS, 0, "p0p1" },
	{ SYS_symlink, "symlink", CALL_ALWAYS, 0, "p1t0" },
	{ SYS_unlink, "unlink", CALL_ALWAYS, 0, "p0" },
	{ SYS_rmdir, "rmdir", CALL_ALWAYS, 0, "p0" },
	{ SYS_mkdir, "mkdir", CALL_ALWAYS, 0, "p0" },
	{ SYS_mknod, "mknod", CALL_ALWAYS, 0, "p0" },
	{ SYS_chmod, "chmod", CALL_ALWAYS, 0, "p0" },
	{ SYS_chown, "chown", CALL_ALWAYS, 0, "p0" },
	{ SYS_lchown, "lchown", CALL_ALWAYS, 0, "p0" },
	{ SYS_utime, "utime", CALL_ALWAYS, 0, "p0" },
	{ SYS_utimes, "utimes", CALL_ALWAYS, 0, "p0" },
	{ SYS_futimesat, "futimesat", CALL_ALWAYS, 0, "a0" },
#endif
	{ SYS_openat, "openat", CALL_CREATES, 2, "a0" },
	{ NR_OPENAT2, "openat2", CALL_CREATES_HOW, 2, "a0" },
	{ SYS_renameat, "renameat", CALL_ALWAYS, 0, "a0a2" },
	{ SYS_renameat2, "renameat2", CALL_ALWAYS, 0, "a0a2" },
	{ SYS_linkat, "linkat", CALL_ALWAYS, 0, "a0a2" },
	{ SYS_symlinkat, "symlinkat", CALL_ALWAYS, 0, "a1t0" },
	{ SYS_unlinkat, "unlinkat", CALL_ALWAYS, 0, "a0" },
	{ SYS_mkdirat, "mkdirat", CALL_ALWAYS, 0, "a0" },
	{ SYS_mknodat, "mknodat", CALL_ALWAYS, 0, "a0" },
	{ SYS_bind, "bind", CALL_BINDS_PATH, 1, "" },

	{ SYS_write, "write", CALL_INTO_FILE, 0, "f0", BYTES_COUNT, 2 },
	{ SYS_pwrite64, "pwrite64", CALL_INTO_FILE, 0, "f0", BYTES_COUNT, 2 },
	{ SYS_writev, "writev", CALL_INTO_FILE, 0, "f0", BYTES_VECTOR, 1 },
	{ SYS_pwritev, "pwritev", CALL_INTO_FILE, 0, "f0", BYTES_VECTOR, 1 },
	{ SYS_pwritev2, "pwritev2", CALL_INTO_FILE, 0, "f0", BYTES_VECTOR, 1 },
	{ SYS_sendfile, "sendfile", CALL_INTO_FILE, 0, "f0", BYTES_COUNT, 3 },
	{ SYS_copy_file_range, "copy_file_range", CALL_INTO_FILE, 2, "f2", BYTES_COUNT, 4 },
	{ SYS_splice, "splice", CALL_INTO_FILE, 2, "f2", BYTES_COUNT, 4 },
	{ SYS_truncate, "truncate", CALL_ALWAYS, 0, "p0" },
	{ SYS_ftruncate, "ftruncate", CALL_INTO_FILE, 0, "f0" },
	{ SYS_fallocate, "fallocate", CALL_INTO_FILE, 0, "f0" },
	{ SYS_mmap, "mmap", CALL_MAPS_FILE, 4, "f4" },
	{ NR_IO_URING_ENTER, "io_uring_enter", CALL_ALWAYS, 0, "f0" },

	{ SYS_fchmod, "fchmod", CALL_ALWAYS, 0, "f0" },
	{ SYS_fchmodat, "fchmodat", CALL_ALWAYS, 0, "a0" },
	{ NR_FCHMODAT2, "fchmodat2", CALL_ALWAYS, 0, "a0" },
	{ SYS_fchown, "fchown", CALL_ALWAYS, 0, "f0" },
	{ SYS_fchownat, "fchownat", CALL_ALWAYS, 0, "a0" },
	{ SYS_utimensat, "utimensat", CALL_ALWAYS, 0, "a0" },
	{ SYS_setxattr, "setxattr", CALL_ALWAYS, 0, "p0t1" },
	{ SYS_lsetxattr, "lsetxattr", CALL_ALWAYS, 0, "p0t1" },
	{ SYS_fsetxattr, "fsetxattr", CALL_ALWAYS, 0, "f0t1" },
	{ NR_SETXATTRAT, "setxattrat", CALL_ALWAYS, 0, "a0t3" },
	{ SYS_removexattr, "removexattr", CALL_ALWAYS, 0, "p0t1" },
	{ SYS_lremovexattr, "lremovexattr", CALL_ALWAYS, 0, "p0t1" },
	{ SYS_fremovexattr, "fremovexattr", CALL_ALWAYS, 0, "f0t1" },
	{ NR_REMOVEXATTRAT, "removexattrat", CALL_ALWAYS, 0, "a0t3" },
	{ SYS_ioctl, "ioctl", CALL_SETS_FLAGS, 1, "f0" },
	{ NR_FILE_SETATTR, "file_setattr", CALL_ALWAYS, 0, "a0" },

	{ SYS_fsync, "fsync", CALL_ALWAYS, 0, "f0" },
	{ SYS_fdatasync, "fdatasync", CALL_ALWAYS, 0, "f0" },
	{ SYS_sync_file_range, "sync_file_range", CALL_ALWAYS, 0, "f0" },
	{ SYS_syncfs, "syncfs", CALL_ALWAYS, 0, "f0" },
	{ SYS_sync, "sync", CALL_ALWAYS, 0, "" },

	{ SYS_swapon, "swapon", CALL_ALWAYS, 0, "p0" },
	{ SYS_swapoff, "swapoff", CALL_ALWAYS, 0, "p0" },
	{ SYS_mount, "mount", CALL_ALWAYS, 0, "p1t0" },
	{ SYS_umount2, "umount2", CALL_ALWAYS, 0, "p0" },
	{ SYS_pivot_root, "pivot_root", CALL_ALWAYS, 0, "p0p1" },
	{ NR_MOVE_MOUNT, "move_mount", CALL_ALWAYS, 0, "a0a2" },
	{ NR_FSCONFIG, "fsconfig", CALL_ALWAYS, 0, "f0t2" },
	{ NR_FSMOUNT, "fsmount", CALL_ALWAYS, 0, "f0" },
	{ NR_MOUNT_SETATTR, "mount_setattr", CALL_ALWAYS, 0, "a0" },
	{ SYS_quotactl, "quotactl", CALL_ALWAYS, 0, "p1" },
	{ SYS_acct, "acct", CALL_ALWAYS, 0, "p0" },

	{ SYS_init_module, "init_module", CALL_ALWAYS, 0, "t2" },
	{ SYS_finit_module, "finit_module", CALL_ALWAYS, 0, "f0t1" },
	{ SYS_delete_module, "delete_module", CALL_ALWAYS, 0, "t0" },
	{ SYS_sethostname, "sethostname", CALL_ALWAYS, 0, "" },
	{ SYS_setdomainname, "setdomainname", CALL_ALWAYS, 0, "" },
	{ SYS_settimeofday, "settimeofday", CALL_ALWAYS, 0, "" },
	{ SYS_clock_settime, "clock_settime", CALL_ALWAYS, 0, "" },
	{ SYS_reboot, "reboot", CALL_ALWAYS, 0, "" },
	{ SYS_kexec_load, "kexec_load", CALL_ALWAYS, 0, "" },
#ifdef SYS_kexec_file_load
	{ SYS_kexec_file_load, "kexec_file_load", CALL_ALWAYS, 0, "f0" },
#endif

	{ SYS_flock, "flock", CALL_LOCKS, 0, "f0" },
	{ SYS_fcntl, "fcntl", CALL_LEASES, 1, "f0" },
};

#define N_CALLS (sizeof(calls) / sizeof(calls[0]))

static bool needs_locks(const struct changing_call *c)
{
	return c->when == CALL_LOCKS || c->when == CALL_LEASES;
}

struct program {
	struct sock_filter *code;
	size_t len;
};

static void add(struct program *p, uint16_t code, uint8_t yes, uint8_t no, uint32_t k)
{
	p->code[p->len++] = (struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

static void add_load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void add_return(struct program *p, uint32_t action)
{
	add(p, BPF_RET | BPF_K, 0, 0, action);
}

/* Every open(2) of a file that is read is spared; the rest is the tracer's to look at. */
static void add_call(struct program *p, const struct changing_call *c)
{
	if (c->when != CALL_CREATES) {
		add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (uint32_t)c->nr);
		add_return(p, SECCOMP_RET_TRACE | TOLD_CALL);
		return;
	}
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, (uint32_t)c->nr);
	/* The lower half, on the two architectures that there are here. */
	add_load(p, offsetof(struct seccomp_data, args) + 8u * c->when_arg);
	add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, CREATING_FLAGS);
	add_return(p, SECCOMP_RET_TRACE | TOLD_CALL);
	add_return(p, SECCOMP_RET_ALLOW);
}

size_t changing_calls_filter(bool locks, struct sock_filter *filter)
{
	struct program p = { .code = filter };

	add_load(&p, offsetof(struct seccomp_data, arch));
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
	add_return(&p, SECCOMP_RET_TRACE | TOLD_FOREIGN);
	add_load(&p, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
	add(&p, BPF_JMP | BPF_JSET | BPF_K, 0, 1, X32_BIT);
	add_return(&p, SECCOMP_RET_TRACE | TOLD_FOREIGN);
#endif
	for (size_t i = 0; i < N_CALLS; i++) {
		if (locks || !needs_locks(calls + i))
			add_call(&p, calls + i);
	}
	add_return(&p, SECCOMP_RET_ALLOW);
	return p.len;
}

const struct changing_call *changing_call_find(uint64_t nr)
{
	for (size_t i = 0; i < N_CALLS; i++) {
		if ((uint64_t)calls[i].nr == nr)
			return calls + i;
	}
	return NULL;
}

static bool creates(uint64_t flags)
{
	return flags & CREATING_FLAGS;
}

static bool creates_how(pid_t pid, uint64_t how)
{
	uint64_t flags;

	return tracee_read(pid, how, &flags, sizeof(flags)) && creates(flags);
}

static bool sets_flags(uint64_t request)
{
	return request == FS_IOC_SETFLAGS || request == FS_IOC_FSSETXATTR || request == FICLONE ||
	       request == FICLONERANGE;
}

static bool binds_path(pid_t pid, uint64_t address, uint64_t len)
{
	struct {
		sa_family_t family;
		char first;
	} a;

	return len > sizeof(a.family) && tracee_read(pid, address, &a, sizeof(a)) &&
	       a.family == AF_UNIX && a.first;
}

bool changing_call_counts(const struct changing_call *c, pid_t pid, const uint64_t *args,
			  bool locks)
{
	uint64_t arg = args[c->when_arg];

	switch (c->when) {
	case CALL_ALWAYS:
		return true;
	case CALL_CREATES:
		return creates(arg);
	case CALL_CREATES_HOW:
		return creates_how(pid, arg);
	case CALL_INTO_FILE:
		return tracee_fd_is_file(pid, (int)arg);
	case CALL_MAPS_FILE:
		/* The bit is in MAP_SHARED_VALIDATE as well, and not in MAP_PRIVATE. */
		return (args[2] & PROT_WRITE) && (args[3] & MAP_SHARED) &&
		       !(args[3] & MAP_ANONYMOUS) && tracee_fd_is_file(pid, (int)arg);
	case CALL_SETS_FLAGS:
		/* The kernel looks at 32 bits alone. */
		return sets_flags((uint32_t)arg);
	case CALL_BINDS_PATH:
		return binds_path(pid, arg, args[2]);
	case CALL_LOCKS:
		return locks;
	case CALL_LEASES:
		return locks && (uint32_t)arg == F_SETLEASE;
	}
	return false;
}
