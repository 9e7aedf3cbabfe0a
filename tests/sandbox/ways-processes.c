/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "ways.h"

enum {
	/* linux/ioprio.h, which older headers lack: of a process; the class "idle" */
	OF_PROCESS = 1,
	IDLE = 3 << 13,
};

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

static const char word[] = "changed";

/* ---- others */

/* Another worker's name begins with the letter and says where its word is: bystander.c. */
pid_t find_sibling(uint64_t *ret_mark)
{
	char path[64], list[4096] = "", *save = NULL;
	int fd, n;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)getppid(),
		       (int)getppid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = (int)read(fd, list, sizeof(list) - 1);
	(void)close(fd);
	for (char *p = n > 0 ? strtok_r(list, " ", &save) : NULL; p;
	     p = strtok_r(NULL, " ", &save)) {
		char name[64] = "";

		(void)snprintf(path, sizeof(path), "/proc/%s/comm", p);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : (int)read(fd, name, sizeof(name) - 1);
		if (fd >= 0)
			(void)close(fd);
		if (n > 1 && name[0] == '@') {
			*ret_mark = strtoull(name + 1, NULL, 16);
			return (pid_t)strtol(p, NULL, 10);
		}
	}
	return 0;
}

static int act_kill(pid_t pid, uint64_t mark)
{
	(void)mark;
	return result(kill(pid, SIGTERM));
}

static int act_tgkill(pid_t pid, uint64_t mark)
{
	(void)mark;
	return result(syscall(SYS_tgkill, pid, pid, SIGTERM));
}

static int act_tkill(pid_t pid, uint64_t mark)
{
	(void)mark;
	return result(syscall(SYS_tkill, pid, SIGTERM));
}

static int act_queue(pid_t pid, uint64_t mark)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	(void)mark;
	return result(syscall(SYS_rt_sigqueueinfo, pid, SIGTERM, &info));
}

static int act_tgqueue(pid_t pid, uint64_t mark)
{
	siginfo_t info = { .si_code = SI_QUEUE };

	(void)mark;
	return result(syscall(SYS_rt_tgsigqueueinfo, pid, pid, SIGTERM, &info));
}

static int act_pidfd_signal(pid_t pid, uint64_t mark)
{
	long fd = syscall(NR_PIDFD_OPEN, pid, 0);
	int r;

	(void)mark;
	if (fd < 0)
		return -errno;
	r = result(syscall(NR_PIDFD_SEND_SIGNAL, fd, SIGTERM, NULL, 0));
	(void)close((int)fd);
	return r;
}

/* A signal that the kernel sends for us, when there is something to read. */
static int act_own_signal(pid_t pid, uint64_t mark)
{
	int pair[2] = { STDERR_FILENO, -1 }, r;

	(void)mark;
	if (pipe(pair) < 0)
		pair[0] = STDERR_FILENO;
	r = result(fcntl(pair[0], F_SETOWN, pid));
	if (r == 0)
		r = result(fcntl(pair[0], F_SETSIG, SIGTERM));
	if (r == 0)
		r = result(fcntl(pair[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	if (r == 0)
		r = result(write(pair[1], "x", 1));
	return r;
}

static int act_trace(pid_t pid, uint64_t mark)
{
	int status, r = result(ptrace(PTRACE_ATTACH, pid, NULL, NULL));

	if (r < 0)
		return r;
	(void)waitpid(pid, &status, __WALL);
	r = result(ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)mark, (void *)0x78L));
	(void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return r;
}

static int act_write_memory(pid_t pid, uint64_t mark)
{
	const struct iovec from = { .iov_base = (void *)(uintptr_t)word, .iov_len = sizeof(word) };
	const struct iovec to = { .iov_base = (void *)(uintptr_t)mark, .iov_len = sizeof(word) };

	return result(process_vm_writev(pid, &from, 1, &to, 1, 0));
}

static int act_memory_file(pid_t pid, uint64_t mark)
{
	char path[64];
	int fd, r;

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = result(pwrite(fd, word, sizeof(word), (off_t)mark));
	(void)close(fd);
	return r;
}

static int act_limit(pid_t pid, uint64_t mark)
{
	const struct rlimit limit = { 7, 7 };

	(void)mark;
	return result(prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
}

static int act_affinity(pid_t pid, uint64_t mark)
{
	cpu_set_t set;

	(void)mark;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	return result(sched_setaffinity(pid, sizeof(set), &set));
}

static int act_priority(pid_t pid, uint64_t mark)
{
	(void)mark;
	return result(setpriority(PRIO_PROCESS, (id_t)pid, 7));
}

static int act_io_priority(pid_t pid, uint64_t mark)
{
	(void)mark;
	return result(syscall(SYS_ioprio_set, OF_PROCESS, pid, IDLE));
}

static int act_scheduler(pid_t pid, uint64_t mark)
{
	const struct sched_param parameters = { 0 };

	(void)mark;
	return result(sched_setscheduler(pid, SCHED_IDLE, &parameters));
}

static int act_get_fd(pid_t pid, uint64_t mark)
{
	long fd = syscall(NR_PIDFD_OPEN, pid, 0);
	int r;

	(void)mark;
	if (fd < 0)
		return -errno;
	r = result_fd(syscall(NR_PIDFD_GETFD, fd, 0, 0));
	(void)close((int)fd);
	return r;
}

/* Through the folder that it sees as its root, which is outside our mounts. */
static int act_root(pid_t pid, uint64_t mark, const struct target *t)
{
	char path[600];

	(void)mark;
	(void)snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, PATH(t, "f"));
	return write_into(path, O_WRONLY, "x");
}

#define OF_VICTIM(name)                                                       \
	static int victim_##name(const struct target *t)                      \
	{                                                                     \
		return t->victim ? act_##name(t->victim, t->mark) : -ENOTSUP; \
	}
#define OF_SIBLING(name)                                     \
	static int sibling_##name(const struct target *t)    \
	{                                                    \
		uint64_t mark = 0;                           \
		pid_t pid = find_sibling(&mark);             \
                                                             \
		(void)t;                                     \
		return pid ? act_##name(pid, mark) : -ESRCH; \
	}

OF_VICTIM(kill)
OF_VICTIM(tgkill)
OF_VICTIM(tkill)
OF_VICTIM(queue)
OF_VICTIM(tgqueue)
OF_VICTIM(pidfd_signal)
OF_VICTIM(own_signal)
OF_VICTIM(trace)
OF_VICTIM(write_memory)
OF_VICTIM(memory_file)
OF_VICTIM(limit)
OF_VICTIM(affinity)
OF_VICTIM(priority)
OF_VICTIM(io_priority)
OF_VICTIM(scheduler)
OF_VICTIM(get_fd)
OF_SIBLING(kill)
OF_SIBLING(own_signal)
OF_SIBLING(trace)
OF_SIBLING(write_memory)
OF_SIBLING(memory_file)
OF_SIBLING(limit)
OF_SIBLING(affinity)
OF_SIBLING(priority)
OF_SIBLING(get_fd)

static int victim_root(const struct target *t)
{
	return t->victim ? act_root(t->victim, 0, t) : -ENOTSUP;
}

static int victim_kill_group(const struct target *t)
{
	return t->victim ? result(kill(-t->victim, SIGTERM)) : -ENOTSUP;
}

static int other_kill(const struct target *t)
{
	return t->other ? act_kill(t->other, 0) : -ENOTSUP;
}

static int other_pidfd_signal(const struct target *t)
{
	return t->other ? act_pidfd_signal(t->other, 0) : -ENOTSUP;
}

static int zygote_kill(const struct target *t)
{
	(void)t;
	return result(kill(getppid(), SIGKILL));
}

/* The parent of the zygote: field 4 of /proc/PID/stat, behind a name in parentheses. */
static int program_kill(const struct target *t)
{
	char path[64], text[512] = "";
	const char *p;
	int fd, parent = 0;

	(void)t;
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)getppid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return -errno;
	(void)close(fd);
	p = strrchr(text, ')');
	if (!p || sscanf(p, ") %*c %d", &parent) != 1 || parent < 2)
		return -ESRCH;
	return result(kill(parent, SIGKILL));
}

/* ---- new processes */

static int ended_well(pid_t pid)
{
	int status;

	if (pid < 0)
		return -errno;
	if (waitpid(pid, &status, __WALL) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

static int fork_child(const struct target *t)
{
	pid_t pid = fork();

	(void)t;
	if (pid == 0)
		_exit(0);
	return ended_well(pid);
}

static int old_fork(const struct target *t)
{
	(void)t;
#ifdef SYS_fork
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (pid == 0)
		_exit(0);
	return ended_well(pid);
#else
	return -ENOTSUP;
#endif
}

static int vfork_child(const struct target *t)
{
	pid_t pid = vfork();

	(void)t;
	if (pid == 0)
		_exit(0);
	return ended_well(pid);
}

/* As fork(2) does it: no stack of its own. */
static int clone_with(unsigned long flags)
{
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0)
		_exit(0);
	return ended_well(pid);
}

static int clone3_with(uint64_t flags)
{
	const uint64_t arguments[8] = { flags, 0, 0, 0, SIGCHLD };
	pid_t pid = (pid_t)syscall(NR_CLONE3, arguments, sizeof(arguments));

	if (pid == 0)
		_exit(0);
	return ended_well(pid);
}

static int spawn_child(const struct target *t)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };
	char *const environment[] = { NULL };
	pid_t pid = 0;
	int r = posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environment);

	(void)t;
	return r ? -r : ended_well(pid);
}

static int run_program(const struct target *t)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };
	char *const environment[] = { NULL };

	(void)t;
	return result(execve("/bin/true", argv, environment));
}

static int run_memory(const struct target *t)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };
	char *const environment[] = { NULL };
	long fd = syscall(SYS_memfd_create, "true", 0);
	int from = open("/bin/true", O_RDONLY | O_CLOEXEC);
	char piece[4096];
	ssize_t n;

	(void)t;
	if (fd < 0)
		fd = from;
	while (fd != from && (n = read(from, piece, sizeof(piece))) > 0) {
		/* Where a limit lets no file grow. */
		if (write((int)fd, piece, (size_t)n) != n)
			fd = from;
	}
	return result(syscall(SYS_execveat, (int)fd, "", argv, environment, AT_EMPTY_PATH));
}

#define NAMESPACE(name, flag)                                   \
	static int unshare_##name(const struct target *t)       \
	{                                                       \
		(void)t;                                        \
		return result(unshare((int)(flag) | CLONE_FS)); \
	}                                                       \
	static int clone_##name(const struct target *t)         \
	{                                                       \
		(void)t;                                        \
		return clone_with(flag);                        \
	}                                                       \
	static int clone3_##name(const struct target *t)        \
	{                                                       \
		(void)t;                                        \
		return clone3_with(flag);                       \
	}

NAMESPACE(mount, CLONE_NEWNS)
NAMESPACE(uts, CLONE_NEWUTS)
NAMESPACE(ipc, CLONE_NEWIPC)
NAMESPACE(user, CLONE_NEWUSER)
NAMESPACE(pid, CLONE_NEWPID)
NAMESPACE(net, CLONE_NEWNET)
NAMESPACE(cgroup, 0x02000000)

/* Its flag lies among those of clone(2)'s signal. */
static int unshare_time(const struct target *t)
{
	(void)t;
	return result(unshare(CLONE_NEWTIME));
}

static int clone_plain(const struct target *t)
{
	(void)t;
	return clone_with(CLONE_FILES | CLONE_FS);
}

static int clone3_plain(const struct target *t)
{
	(void)t;
	return clone3_with(0);
}

static int enter_namespace(const struct target *t)
{
	int fd, r;

	(void)t;
	fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = result(setns(fd, CLONE_NEWUTS));
	(void)close(fd);
	return r;
}

static int change_root(const struct target *t)
{
	return result(chroot(t->at));
}

/* ---- itself */

static int become_root(const struct target *t)
{
	(void)t;
	return result(setuid(0));
}

static int become_root_saved(const struct target *t)
{
	(void)t;
	return result(syscall(SYS_setresuid, 0, 0, 0));
}

static int become_root_group(const struct target *t)
{
	(void)t;
	return result(syscall(SYS_setresgid, 0, 0, 0));
}

static int join_groups(const struct target *t)
{
	const gid_t groups[] = { 0 };

	(void)t;
	return result(setgroups(1, groups));
}

/* Says nothing of failure; so it is asked once more. */
static int become_for_files(const struct target *t)
{
	(void)t;
	errno = EPERM;
	if (syscall(SYS_setfsuid, 0) < 0)
		return -errno;
	return syscall(SYS_setfsuid, -1) == 0 ? 0 : -EPERM;
}

static int take_capabilities(const struct target *t)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 1u << CAP_SYS_ADMIN, 1u << CAP_SYS_ADMIN, 0 } };

	(void)t;
	return result(syscall(SYS_capset, &header, data));
}

static int change_personality(const struct target *t)
{
	(void)t;
	return result(personality(ADDR_NO_RANDOMIZE));
}

static int leave_session(const struct target *t)
{
	(void)t;
	return result(setsid());
}

static int leave_group(const struct target *t)
{
	(void)t;
	return result(setpgid(0, getppid()));
}

static int outlive_parent(const struct target *t)
{
	(void)t;
	return result(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0));
}

static int be_dumpable(const struct target *t)
{
	(void)t;
	return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int let_trace(const struct target *t)
{
	(void)t;
	return result(prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0));
}

const struct way ways_of_processes[] = {
	{ "kill", victim_kill },
	{ "kill-group", victim_kill_group },
	{ "kill-other-user", other_kill },
	{ "tgkill", victim_tgkill },
	{ "tkill", victim_tkill },
	{ "sigqueue", victim_queue },
	{ "tgsigqueue", victim_tgqueue },
	{ "pidfd-signal", victim_pidfd_signal },
	{ "pidfd-signal-other-user", other_pidfd_signal },
	{ "setown-signal", victim_own_signal },
	{ "kill-zygote", zygote_kill },
	{ "kill-k8scheck", program_kill },
	{ "ptrace", victim_trace },
	{ "vm-write", victim_write_memory },
	{ "proc-mem", victim_memory_file },
	{ "proc-root", victim_root },
	{ "prlimit", victim_limit },
	{ "affinity", victim_affinity },
	{ "priority", victim_priority },
	{ "io-priority", victim_io_priority },
	{ "scheduler", victim_scheduler },
	{ "pidfd-getfd", victim_get_fd },
	{ "sibling-kill", sibling_kill },
	{ "sibling-setown-signal", sibling_own_signal },
	{ "sibling-ptrace", sibling_trace },
	{ "sibling-vm-write", sibling_write_memory },
	{ "sibling-proc-mem", sibling_memory_file },
	{ "sibling-prlimit", sibling_limit },
	{ "sibling-affinity", sibling_affinity },
	{ "sibling-priority", sibling_priority },
	{ "sibling-pidfd-getfd", sibling_get_fd },
	{ "fork", fork_child },
	{ "old-fork", old_fork },
	{ "vfork", vfork_child },
	{ "clone", clone_plain },
	{ "clone3", clone3_plain },
	{ "posix-spawn", spawn_child },
	{ "execve", run_program },
	{ "execveat", run_memory },
	{ "unshare-mount", unshare_mount },
	{ "unshare-uts", unshare_uts },
	{ "unshare-ipc", unshare_ipc },
	{ "unshare-user", unshare_user },
	{ "unshare-pid", unshare_pid },
	{ "unshare-net", unshare_net },
	{ "unshare-cgroup", unshare_cgroup },
	{ "unshare-time", unshare_time },
	{ "clone-mount", clone_mount },
	{ "clone-uts", clone_uts },
	{ "clone-ipc", clone_ipc },
	{ "clone-user", clone_user },
	{ "clone-pid", clone_pid },
	{ "clone-net", clone_net },
	{ "clone-cgroup", clone_cgroup },
	{ "clone3-mount", clone3_mount },
	{ "clone3-uts", clone3_uts },
	{ "clone3-ipc", clone3_ipc },
	{ "clone3-user", clone3_user },
	{ "clone3-pid", clone3_pid },
	{ "clone3-net", clone3_net },
	{ "clone3-cgroup", clone3_cgroup },
	{ "setns", enter_namespace },
	{ "chroot", change_root },
	{ "setuid", become_root },
	{ "setresuid", become_root_saved },
	{ "setresgid", become_root_group },
	{ "setgroups", join_groups },
	{ "setfsuid", become_for_files },
	{ "capset", take_capabilities },
	{ "personality", change_personality },
	{ "setsid", leave_session },
	{ "setpgid", leave_group },
	{ "pdeathsig", outlive_parent },
	{ "dumpable", be_dumpable },
	{ "set-ptracer", let_trace },
	{ NULL, NULL },
};
