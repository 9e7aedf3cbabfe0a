/* SPDX-License-Identifier: Apache-2.0 */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include "tracee.h"

/* struct ptrace_syscall_info of linux/ptrace.h, which older headers lack and newer ones have twice.
 */
#define GET_SYSCALL_INFO 0x420e
#define INFO_SECCOMP	 3
struct syscall_info {
	uint8_t op;
	uint8_t pad[3];
	uint32_t arch;
	uint64_t instruction_pointer;
	uint64_t stack_pointer;
	struct {
		uint64_t nr;
		uint64_t args[6];
		uint32_t ret_data;
	} seccomp;
};

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

/* Room for a path below /proc. */
#define PROC_PATH 64

bool tracee_call(pid_t pid, uint64_t *ret_nr, uint64_t args[6])
{
	struct syscall_info info = { 0 };

	if (ptrace((enum __ptrace_request)GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != INFO_SECCOMP)
		return false;
	*ret_nr = info.seccomp.nr;
	memcpy(args, info.seccomp.args, sizeof(info.seccomp.args));
	return true;
}

static bool get_registers(pid_t pid, struct user_regs_struct *r)
{
	struct iovec v = { .iov_base = r, .iov_len = sizeof(*r) };

	return ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v) == 0;
}

static bool set_registers(pid_t pid, struct user_regs_struct *r)
{
	struct iovec v = { .iov_base = r, .iov_len = sizeof(*r) };

	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v) == 0;
}

#if defined(__x86_64__)

bool tracee_skip_call(pid_t pid)
{
	struct user_regs_struct r;

	if (!get_registers(pid, &r))
		return false;
	r.orig_rax = (unsigned long long)-1;
	return set_registers(pid, &r);
}

bool tracee_set_arg(pid_t pid, unsigned number, uint64_t value)
{
	struct user_regs_struct r;
	unsigned long long *const args[] = { &r.rdi, &r.rsi, &r.rdx, &r.r10, &r.r8, &r.r9 };

	if (!get_registers(pid, &r))
		return false;
	*args[number] = value;
	return set_registers(pid, &r);
}

bool tracee_set_result(pid_t pid, long value)
{
	struct user_regs_struct r;

	if (!get_registers(pid, &r))
		return false;
	r.rax = (unsigned long long)value;
	return set_registers(pid, &r);
}

#elif defined(__aarch64__)

bool tracee_skip_call(pid_t pid)
{
	int none = -1;
	struct iovec v = { .iov_base = &none, .iov_len = sizeof(none) };

	return ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &v) == 0;
}

bool tracee_set_arg(pid_t pid, unsigned number, uint64_t value)
{
	struct user_regs_struct r;

	if (!get_registers(pid, &r))
		return false;
	r.regs[number] = value;
	return set_registers(pid, &r);
}

bool tracee_set_result(pid_t pid, long value)
{
	return tracee_set_arg(pid, 0, (uint64_t)value);
}

#endif

bool tracee_read(pid_t pid, uint64_t address, void *data, size_t len)
{
	struct iovec here = { .iov_base = data, .iov_len = len };
	struct iovec there = { .iov_base = (void *)(uintptr_t)address, .iov_len = len };

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)len;
}

bool tracee_write_word(pid_t pid, uint64_t address, uint64_t value)
{
	return ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)address, (void *)(uintptr_t)value) ==
	       0;
}

/* Up to where the text ends, or memory does. False: there is nothing. */
static bool read_text(pid_t pid, uint64_t address, char *text, size_t size)
{
	size_t have = 0;

	text[0] = '\0';
	while (address && have < size - 1) {
		/* Never over the end of a page, behind which there may be none. */
		size_t part = 4096 - (address + have) % 4096;

		if (part > size - 1 - have)
			part = size - 1 - have;
		if (!tracee_read(pid, address + have, text + have, part))
			break;
		have += part;
		text[have] = '\0';
		if (strlen(text) < have)
			break;
	}
	return have;
}

/* A link below /proc/PID. */
static bool read_link(pid_t pid, const char *name, char *target, size_t size)
{
	char path[2 * PROC_PATH];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	n = readlink(path, target, size - 1);
	target[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool fd_link(pid_t pid, int fd, char *target, size_t size)
{
	char name[PROC_PATH];

	(void)snprintf(name, sizeof(name), "fd/%d", fd);
	return read_link(pid, name, target, size);
}

bool tracee_fd_is_file(pid_t pid, int fd)
{
	char path[PROC_PATH], target[PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	if (stat(path, &st) < 0)
		return false;
	if (S_ISBLK(st.st_mode))
		return true;
	return S_ISREG(st.st_mode) &&
	       !(fd_link(pid, fd, target, sizeof(target)) && !strncmp(target, "/memfd:", 7));
}

pid_t tracee_process(pid_t pid)
{
	char path[PROC_PATH], line[256];
	int process = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Tgid: %d", &process) == 1)
			break;
	}
	if (f)
		(void)fclose(f);
	return process > 0 ? process : pid;
}

static bool has_comm(pid_t pid, const char *name)
{
	char path[PROC_PATH], comm[64] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	f = fopen(path, "re");
	if (f) {
		if (fgets(comm, sizeof(comm), f))
			comm[strcspn(comm, "\n")] = '\0';
		(void)fclose(f);
	}
	return comm[0] && !strncmp(comm, name, 15);
}

bool tracee_is(pid_t pid, const char *name)
{
	char exe[PATH_MAX];
	const char *slash;
	size_t len = strlen(name);

	if (has_comm(pid, name) || has_comm(tracee_process(pid), name))
		return true;
	if (!read_link(pid, "exe", exe, sizeof(exe)))
		return false;
	slash = strrchr(exe, '/');
	return slash && !strncmp(slash + 1, name, len) &&
	       (!slash[1 + len] || !strcmp(slash + 1 + len, " (deleted)"));
}

static void put_escaped(FILE *f, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f || c == '\\')
			fprintf(f, "\\x%02x", c);
		else
			(void)fputc(c, f);
	}
}

void tracee_put_fd(FILE *f, pid_t pid, int fd)
{
	char target[PATH_MAX];

	if (fd == AT_FDCWD ? read_link(pid, "cwd", target, sizeof(target))
			   : fd_link(pid, fd, target, sizeof(target)))
		put_escaped(f, target);
	else
		fprintf(f, "descriptor %d", fd);
}

void tracee_put_text(FILE *f, pid_t pid, uint64_t address)
{
	char text[PATH_MAX];

	if (read_text(pid, address, text, sizeof(text)))
		put_escaped(f, text);
}

void tracee_put_path(FILE *f, pid_t pid, int dir_fd, uint64_t address)
{
	char text[PATH_MAX];

	if (read_text(pid, address, text, sizeof(text)) && text[0] == '/') {
		put_escaped(f, text);
		return;
	}
	tracee_put_fd(f, pid, dir_fd);
	if (text[0]) {
		(void)fputc('/', f);
		put_escaped(f, text);
	}
}
