/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "layer-syscalls.h"

/*
 * A tool of the build: prints the lists of system calls as filters for seccomp(2), so that a run
 * neither links libseccomp nor makes them anew. What libseccomp or the architecture does not know
 * is left out, and is refused then as all that is not listed.
 */

/* Arguments, and memory and time of the process itself. */
static const char *const harmless[] = {
	"access",
	"arch_prctl",
	"brk",
	"clock_getres",
	"clock_getres_time64",
	"clock_gettime",
	"clock_gettime64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"close",
	"close_range",
	"dup",
	"dup2",
	"dup3",
	"exit",
	"exit_group",
	"faccessat",
	"faccessat2",
	"fgetxattr",
	"flistxattr",
	"fstat",
	"fstat64",
	"fstatat64",
	"fstatfs",
	"fstatfs64",
	"futex",
	"futex_time64",
	"getcpu",
	"getdents",
	"getdents64",
	"getegid",
	"geteuid",
	"getgid",
	"getgroups",
	"getpgid",
	"getpgrp",
	"getpid",
	"getppid",
	"getrandom",
	"getresgid",
	"getresuid",
	"getrlimit",
	"getrusage",
	"getsid",
	"gettid",
	"gettimeofday",
	"getuid",
	"getxattr",
	"lgetxattr",
	"listxattr",
	"llistxattr",
	"lseek",
	"_llseek",
	"lstat",
	"lstat64",
	"madvise",
	"membarrier",
	"mmap",
	"mmap2",
	"mprotect",
	"mremap",
	"munmap",
	"nanosleep",
	"newfstatat",
	"poll",
	"ppoll",
	"ppoll_time64",
	"pread64",
	"preadv",
	"preadv2",
	"pselect6",
	"pselect6_time64",
	"read",
	"readlink",
	"readlinkat",
	"readv",
	"recvfrom",
	"recvmsg",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigpending",
	"rt_sigprocmask",
	"rt_sigreturn",
	"rt_sigsuspend",
	"rt_sigtimedwait",
	"sched_getaffinity",
	"sched_yield",
	"select",
	"set_robust_list",
	"set_tid_address",
	"setrlimit",
	"sigaltstack",
	"sigreturn",
	"stat",
	"stat64",
	"statfs",
	"statfs64",
	"statx",
	"sysinfo",
	"time",
	"times",
	"uname",
	"wait4",
	"waitid",
	"waitpid",
	"write",
	"writev",
};

/* What the zygote does, and a worker before its plugin is loaded. */
static const char *const preparing[] = {
	"capget",    "capset",	    "kill",	 "setgroups",	"setgroups32", "setpgid",
	"setresgid", "setresgid32", "setresuid", "setresuid32", "seccomp",     "tgkill",
};

static const int prctls[] = {
	PR_SET_NAME,	     PR_GET_NAME,     PR_SET_PDEATHSIG, PR_GET_PDEATHSIG,
	PR_SET_DUMPABLE,     PR_GET_DUMPABLE, PR_SET_KEEPCAPS,	PR_SET_NO_NEW_PRIVS,
	PR_GET_NO_NEW_PRIVS, PR_SET_SECCOMP,  PR_GET_SECCOMP,	PR_CAPBSET_READ,
};

/* Not those that make a signal of what happens to a descriptor, nor leases and locks. */
static const int fcntls[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL };

enum {
	/* O_TMPFILE without the O_DIRECTORY that is in it */
	WRITING = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY),
	NAMESPACES = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
		     CLONE_NEWNET | 0x02000000, /* CLONE_NEWCGROUP */
};

#if defined(__s390__) || defined(__s390x__)
#define CLONE_FLAGS SCMP_A1
#else
#define CLONE_FLAGS SCMP_A0
#endif

#define SHARES_MEMORY \
	SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_ANONYMOUS, MAP_SHARED | MAP_ANONYMOUS)

static void fail(const char *what, int code)
{
	(void)fprintf(stderr, "k8scheck-gen-syscalls: %s: %s\n", what, strerror(-code));
	exit(1);
}

/* Names that this libseccomp or architecture lacks are no failure. */
static void add(scmp_filter_ctx ctx, uint32_t action, const char *name, unsigned n,
		const struct scmp_arg_cmp *args)
{
	int number = seccomp_syscall_resolve_name(name), r;

	if (number == __NR_SCMP_ERROR || number < 0)
		return;
	r = seccomp_rule_add_array(ctx, action, number, n, args);
	if (r < 0)
		fail(name, r);
}

static void allow(scmp_filter_ctx ctx, const char *name)
{
	add(ctx, SCMP_ACT_ALLOW, name, 0, NULL);
}

static void allow_if(scmp_filter_ctx ctx, const char *name, struct scmp_arg_cmp arg)
{
	add(ctx, SCMP_ACT_ALLOW, name, 1, &arg);
}

static scmp_filter_ctx start(uint32_t action)
{
	scmp_filter_ctx ctx = seccomp_init(action);
	int r = ctx ? 0 : -ENOMEM;

	/* Of another architecture of the same machine: nothing here makes any. */
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
#if SCMP_VER_MAJOR > 2 || (SCMP_VER_MAJOR == 2 && SCMP_VER_MINOR >= 5)
	/* A tree and not a list: what is asked often would else be compared with all before it. */
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
#endif
	if (r < 0)
		fail("seccomp_init", r);
	return ctx;
}

static scmp_filter_ctx zygote_list(bool openat2)
{
	scmp_filter_ctx ctx = start(SCMP_ACT_ERRNO(ENOSYS));

	for (size_t i = 0; i < sizeof(harmless) / sizeof(*harmless); i++)
		allow(ctx, harmless[i]);
	for (size_t i = 0; i < sizeof(preparing) / sizeof(*preparing); i++)
		allow(ctx, preparing[i]);
#ifdef KC_SANITIZED
	/* By which the sanitizer for undefined behaviour sees whether memory can be read. */
	allow(ctx, "pipe");
	allow(ctx, "pipe2");
#endif
	for (size_t i = 0; i < sizeof(prctls) / sizeof(*prctls); i++)
		allow_if(ctx, "prctl", SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)prctls[i]));
	for (size_t i = 0; i < sizeof(fcntls) / sizeof(*fcntls); i++) {
		allow_if(ctx, "fcntl", SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntls[i]));
		allow_if(ctx, "fcntl64", SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntls[i]));
	}
	allow_if(ctx, "open", SCMP_A1(SCMP_CMP_MASKED_EQ, WRITING, O_RDONLY));
	allow_if(ctx, "openat", SCMP_A2(SCMP_CMP_MASKED_EQ, WRITING, O_RDONLY));
	if (openat2)
		allow(ctx, "openat2");
	/* clone3(2) has its flags behind a pointer; glibc does with clone(2). */
	allow_if(ctx, "clone", CLONE_FLAGS(SCMP_CMP_MASKED_EQ, NAMESPACES, 0));
	/* To nobody but whom the socket is connected to, which is k8scheck. */
	allow_if(ctx, "sendto", SCMP_A4(SCMP_CMP_EQ, 0));
	allow_if(ctx, "prlimit64", SCMP_A0(SCMP_CMP_EQ, 0));
	return ctx;
}

static void refuse_if(scmp_filter_ctx ctx, const char *name, struct scmp_arg_cmp arg)
{
	add(ctx, SCMP_ACT_ERRNO(ENOSYS), name, 1, &arg);
}

static scmp_filter_ctx worker_list(void)
{
	scmp_filter_ctx ctx = start(SCMP_ACT_ALLOW);

	for (size_t i = 0; i < sizeof(preparing) / sizeof(*preparing); i++) {
		if (strcmp(preparing[i], "tgkill") != 0)
			add(ctx, SCMP_ACT_ERRNO(ENOSYS), preparing[i], 0, NULL);
	}
	/* abort(3) and raise(3) signal the process itself. */
	refuse_if(ctx, "tgkill", SCMP_A0(SCMP_CMP_NE, KC_OWN_PID));
	/* Threads, and no processes: who tries has broken the contract, and is not left to say that
	 * all was well. Without this list, the worker sees it when the child is there. */
	add(ctx, SCMP_ACT_KILL_PROCESS, "clone", 1,
	    &CLONE_FLAGS(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	add(ctx, SCMP_ACT_KILL_PROCESS, "fork", 0, NULL);
	add(ctx, SCMP_ACT_KILL_PROCESS, "vfork", 0, NULL);
#if !defined(__s390__) && !defined(__s390x__) /* which have the arguments behind a pointer */
	/* No limit on data counts it, and nobody is left to share it with. */
	refuse_if(ctx, "mmap", SHARES_MEMORY);
	refuse_if(ctx, "mmap2", SHARES_MEMORY);
#endif
	for (size_t i = 0; i < sizeof(prctls) / sizeof(*prctls); i++) {
		if (prctls[i] != PR_SET_NAME && prctls[i] != PR_GET_NAME)
			refuse_if(ctx, "prctl", SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)prctls[i]));
	}
	return ctx;
}

static void print(FILE *out, const char *name, scmp_filter_ctx ctx)
{
	FILE *raw = tmpfile();
	struct sock_filter one;
	int r = raw ? seccomp_export_bpf(ctx, fileno(raw)) : -errno;

	if (r < 0)
		fail(name, r);
	rewind(raw);
	(void)fprintf(out, "static const struct sock_filter %s[] = {\n", name);
	while (fread(&one, sizeof(one), 1, raw) == 1)
		(void)fprintf(out, "\t{ 0x%04x, %u, %u, 0x%08x },\n", one.code, one.jt, one.jf,
			      one.k);
	(void)fprintf(out, "};\n\n");
	(void)fclose(raw);
	seccomp_release(ctx);
}

int main(int argc, char **argv)
{
	FILE *out = argc == 2 ? fopen(argv[1], "we") : NULL;

	if (!out) {
		(void)fprintf(stderr, "usage: k8scheck-gen-syscalls FILE\n");
		return 2;
	}
	(void)fprintf(out, "/* Made by k8scheck-gen-syscalls. */\n");
	print(out, "zygote_filter", zygote_list(true));
	print(out, "zygote_filter_no_openat2", zygote_list(false));
	print(out, "worker_filter", worker_list());
	return ferror(out) || fclose(out) != 0;
}
