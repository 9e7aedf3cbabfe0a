/* SPDX-License-Identifier: Apache-2.0 */
/*
 * at-syscall [OPTION]… MODE -- COMMAND [ARGUMENT]…: runs COMMAND, numbers the system calls of it
 * and of all that it starts which change something (changing-calls.h has which), and does something
 * at one of them. Modes:
 *
 *   count                nothing; a line for each call
 *   kill N before|after  kills the process with SIGKILL when it stands before its N-th call, which
 *                        is then not carried out; or when that has just been
 *   fail N ERRNO         lets the N-th fail with that (ENOSPC, or a number), not carried out
 *   short N              lets the N-th write half of its bytes, where it is to write two or more
 *
 * A line has the number, the name, the paths and more of what it is called with, with tabs between
 * them. All but `count` print the line of the N-th alone. Options:
 *
 *   --only NAME    count what processes of that name do; or whose executable file has it
 *   --locks        count flock(2) and F_SETLEASE of fcntl(2), too
 *   -o FILE        lines go there instead of standard error
 *
 * Ends when the last process does, with COMMAND's exit code, or 128 and its signal; 99: there was
 * no N-th call; 98: this program could not do its work, and has killed whatever it had started.
 *
 * Nobody has two tracers: leak detection of sanitizers, which is one, is switched off for COMMAND
 * by ASAN_OPTIONS. What a seccomp filter of a process itself refuses is not seen here.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "changing-calls.h"
#include "tracee.h"

enum {
	EXIT_TROUBLE = 98,
	EXIT_NEVER = 99
};

enum mode {
	MODE_COUNT,
	MODE_KILL_BEFORE,
	MODE_KILL_AFTER,
	MODE_FAIL,
	MODE_SHORT
};

/* What is to be put right when the N-th call returns. */
struct in_call {
	pid_t pid; /* 0: it has not come, or has returned */
	bool restore_arg;
	unsigned arg;
	uint64_t arg_value;
	uint64_t word_address; /* 0: none */
	uint64_t word;
};

struct tracer {
	enum mode mode;
	uint64_t at;
	int error;
	const char *only;
	bool locks;
	FILE *out;
	char **command;

	pid_t child;
	int child_status;
	uint64_t seen;
	struct in_call in;
};

static const struct {
	const char *name;
	int value;
} errors[] = {
	{ "EACCES", EACCES },	      { "EBADF", EBADF },   { "EBUSY", EBUSY },
	{ "EDQUOT", EDQUOT },	      { "EEXIST", EEXIST }, { "EFBIG", EFBIG },
	{ "EINTR", EINTR },	      { "EINVAL", EINVAL }, { "EIO", EIO },
	{ "ELOOP", ELOOP },	      { "EMFILE", EMFILE }, { "EMLINK", EMLINK },
	{ "ENFILE", ENFILE },	      { "ENOENT", ENOENT }, { "ENOMEM", ENOMEM },
	{ "ENOSPC", ENOSPC },	      { "ENOSYS", ENOSYS }, { "ENOTEMPTY", ENOTEMPTY },
	{ "EOPNOTSUPP", EOPNOTSUPP }, { "EPERM", EPERM },   { "EROFS", EROFS },
	{ "ESTALE", ESTALE },	      { "EXDEV", EXDEV },
};

/* ---- the command line */

static int parse_error(const char *text, int *ret_error)
{
	uint64_t number;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (!strcmp(errors[i].name, text)) {
			*ret_error = errors[i].value;
			return 0;
		}
	}
	/* The kernel takes what is beyond for no error. */
	if (kc_parse_u64(text, &number) < 0 || !number || number > 4095)
		return -EINVAL;
	*ret_error = (int)number;
	return 0;
}

static int parse_mode(struct tracer *t, int n, char **words)
{
	if (n == 1 && !strcmp(words[0], "count")) {
		t->mode = MODE_COUNT;
		return 0;
	}
	if (n < 2 || kc_parse_u64(words[1], &t->at) < 0 || !t->at)
		return -EINVAL;
	if (n == 2 && !strcmp(words[0], "short")) {
		t->mode = MODE_SHORT;
		return 0;
	}
	if (n == 3 && !strcmp(words[0], "fail")) {
		t->mode = MODE_FAIL;
		return parse_error(words[2], &t->error);
	}
	if (n != 3 || strcmp(words[0], "kill"))
		return -EINVAL;
	t->mode = strcmp(words[2], "before") ? MODE_KILL_AFTER : MODE_KILL_BEFORE;
	return t->mode == MODE_KILL_BEFORE || !strcmp(words[2], "after") ? 0 : -EINVAL;
}

/* Options stand before or behind the words of the mode, all of them before "--". */
static int parse_arguments(struct tracer *t, char **argv)
{
	char *words[3];
	int n = 0;

	for (argv++; *argv && strcmp(*argv, "--"); argv++) {
		if (!strcmp(*argv, "--locks")) {
			t->locks = true;
		} else if (!strcmp(*argv, "--only") && argv[1]) {
			t->only = *++argv;
		} else if (!strcmp(*argv, "-o") && argv[1]) {
			t->out = fopen(*++argv, "we");
			if (!t->out)
				return -errno;
		} else if (**argv == '-' || n == 3) {
			return -EINVAL;
		} else {
			words[n++] = *argv;
		}
	}
	if (!*argv || !argv[1])
		return -EINVAL;
	t->command = argv + 1;
	return parse_mode(t, n, words);
}

/* ---- the command */

static bool install_filter(const struct sock_fprog *program)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0)
		return true;
	/* Without privileges, it is had for what they could be gained by. */
	return errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0;
}

static void switch_leak_detection_off(void)
{
	const char *before = getenv("ASAN_OPTIONS");
	char *options;

	if (asprintf(&options, "%s%sdetect_leaks=0", before ? before : "",
		     before && *before ? ":" : "") >= 0)
		(void)setenv("ASAN_OPTIONS", options, true);
}

/* In the new process: waits until it is traced, then becomes the command. */
static _Noreturn void run_command(struct tracer *t, int traced)
{
	struct sock_filter code[CHANGING_FILTER_MAX];
	struct sock_fprog program = {
		.len = (unsigned short)changing_calls_filter(t->locks, code),
		.filter = code,
	};
	char byte;

	switch_leak_detection_off();
	if (read(traced, &byte, 1) != 1)
		_exit(EXIT_TROUBLE);
	if (!install_filter(&program)) {
		fprintf(stderr, "at-syscall: no filter could be installed: %m\n");
		_exit(EXIT_TROUBLE);
	}
	execvp(t->command[0], t->command);
	fprintf(stderr, "at-syscall: %s: %m\n", t->command[0]);
	_exit(127);
}

static int start_command(struct tracer *t)
{
	const long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD;
	int traced[2], r = 0;

	if (pipe2(traced, O_CLOEXEC) < 0)
		return -errno;
	t->child = fork();
	if (t->child == 0) {
		(void)close(traced[1]);
		run_command(t, traced[0]);
	}
	(void)close(traced[0]);
	if (t->child < 0 || ptrace(PTRACE_SEIZE, t->child, NULL, (void *)options) < 0 ||
	    write(traced[1], "", 1) != 1)
		r = -errno;
	/* Where it has not read a byte, this ends it. */
	(void)close(traced[1]);
	return r;
}

/* ---- what is printed of a call */

static uint64_t vector_bytes(pid_t pid, uint64_t address, uint64_t n)
{
	uint64_t sum = 0;
	struct iovec v;

	for (uint64_t i = 0; i < n && i < IOV_MAX; i++) {
		if (!tracee_read(pid, address + i * sizeof(v), &v, sizeof(v)))
			break;
		sum += v.iov_len;
	}
	return sum;
}

static uint64_t bytes_of(const struct changing_call *c, pid_t pid, const uint64_t *args)
{
	if (c->bytes == BYTES_COUNT)
		return args[c->bytes_arg];
	return vector_bytes(pid, args[c->bytes_arg], args[c->bytes_arg + 1]);
}

static void print_call(struct tracer *t, const struct changing_call *c, pid_t pid,
		       const uint64_t *args)
{
	const char *between = "\t";
	FILE *f = t->out;

	fprintf(f, "%llu\t%s", (unsigned long long)t->seen, c->name);
	for (const char *s = c->shows; s[0]; s += 2) {
		unsigned arg = (unsigned)(s[1] - '0');

		/* Texts come last. */
		fputs(s[0] == 't' ? "\t" : between, f);
		between = " -> ";
		if (s[0] == 't')
			tracee_put_text(f, pid, args[arg]);
		else if (s[0] == 'f')
			tracee_put_fd(f, pid, (int)args[arg]);
		else if (s[0] == 'p')
			tracee_put_path(f, pid, AT_FDCWD, args[arg]);
		else
			tracee_put_path(f, pid, (int)args[arg], args[arg + 1]);
	}
	if (c->bytes != BYTES_NONE)
		fprintf(f, "\t%llu", (unsigned long long)bytes_of(c, pid, args));
	(void)fputc('\n', f);
}

/* ---- what is done at a call */

/* Takes a word's place in memory; it is put back when the call returns. */
static void shorten_vector(struct tracer *t, const struct changing_call *c, pid_t pid,
			   const uint64_t *args, uint64_t half)
{
	uint64_t address = args[c->bytes_arg];
	struct iovec v;

	for (uint64_t i = 0;; i++, address += sizeof(v)) {
		if (!tracee_read(pid, address, &v, sizeof(v)))
			return;
		if (v.iov_len < half) {
			half -= v.iov_len;
			continue;
		}
		t->in.restore_arg = true;
		t->in.arg = c->bytes_arg + 1u;
		t->in.arg_value = args[t->in.arg];
		t->in.word_address = address + offsetof(struct iovec, iov_len);
		t->in.word = v.iov_len;
		(void)tracee_write_word(pid, t->in.word_address, half);
		(void)tracee_set_arg(pid, t->in.arg, i + 1);
		return;
	}
}

static void shorten(struct tracer *t, const struct changing_call *c, pid_t pid,
		    const uint64_t *args)
{
	uint64_t bytes = c->bytes != BYTES_NONE ? bytes_of(c, pid, args) : 0;

	if (bytes < 2)
		return;
	if (c->bytes == BYTES_VECTOR) {
		shorten_vector(t, c, pid, args, bytes / 2);
		return;
	}
	t->in.restore_arg = true;
	t->in.arg = c->bytes_arg;
	t->in.arg_value = bytes;
	(void)tracee_set_arg(pid, t->in.arg, bytes / 2);
}

/* The N-th call. How its process is to go on. */
static enum __ptrace_request meet(struct tracer *t, const struct changing_call *c, pid_t pid,
				  const uint64_t *args)
{
	t->in = (struct in_call){ .pid = pid };
	switch (t->mode) {
	case MODE_COUNT:
		break;
	case MODE_KILL_BEFORE:
		/* The kernel skips a call that a dying process stands before. */
		(void)kill(tracee_process(pid), SIGKILL);
		t->in.pid = 0;
		break;
	case MODE_KILL_AFTER:
		break;
	case MODE_FAIL:
		(void)tracee_skip_call(pid);
		break;
	case MODE_SHORT:
		shorten(t, c, pid, args);
		break;
	}
	return PTRACE_SYSCALL;
}

/* Behind the N-th call. */
static void leave(struct tracer *t, pid_t pid)
{
	struct in_call in = t->in;

	t->in = (struct in_call){ 0 };
	if (t->mode == MODE_KILL_AFTER)
		(void)kill(tracee_process(pid), SIGKILL);
	if (t->mode == MODE_FAIL)
		(void)tracee_set_result(pid, -t->error);
	if (in.restore_arg)
		(void)tracee_set_arg(pid, in.arg, in.arg_value);
	if (in.word_address)
		(void)tracee_write_word(pid, in.word_address, in.word);
}

/* ---- what happens to processes */

/* A thread stands before a call that the filter told of. How it goes on, or -errno. */
static int on_call(struct tracer *t, pid_t pid, enum __ptrace_request *ret_how)
{
	const struct changing_call *c;
	unsigned long told = 0;
	uint64_t nr, args[6];

	*ret_how = PTRACE_CONT;
	/* One that has been killed has nothing to say. */
	if (ptrace(PTRACE_GETEVENTMSG, pid, NULL, &told) < 0)
		return 0;
	if (t->only && !tracee_is(pid, t->only))
		return 0;
	if (told == TOLD_FOREIGN) {
		fprintf(stderr, "at-syscall: a call of another architecture, by process %d\n",
			(int)pid);
		return -EOPNOTSUPP;
	}
	if (!tracee_call(pid, &nr, args))
		return errno == ESRCH ? 0 : -errno;
	c = changing_call_find(nr);
	if (!c || !changing_call_counts(c, pid, args, t->locks))
		return 0;
	t->seen++;
	if (t->mode == MODE_COUNT || t->seen == t->at)
		print_call(t, c, pid, args);
	if (t->seen == t->at)
		*ret_how = meet(t, c, pid, args);
	return 0;
}

static bool is_stop_signal(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

/* A thread has stopped: lets it go on as it would without a tracer. */
static int on_stop(struct tracer *t, pid_t pid, int status)
{
	enum __ptrace_request how = PTRACE_CONT;
	int sig = WSTOPSIG(status), event = status >> 16, r = 0;
	long deliver = 0;

	if (event == PTRACE_EVENT_SECCOMP) {
		r = on_call(t, pid, &how);
	} else if (event == PTRACE_EVENT_STOP) {
		if (is_stop_signal(sig))
			how = PTRACE_LISTEN;
	} else if (event == 0 && sig == (SIGTRAP | 0x80)) {
		if (pid == t->in.pid)
			leave(t, pid);
	} else if (event == 0) {
		deliver = sig;
	}
	if (r == 0 && ptrace(how, pid, NULL, (void *)deliver) < 0 && errno != ESRCH)
		r = -errno;
	return r;
}

static int trace(struct tracer *t)
{
	for (;;) {
		int status, r;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return errno == ECHILD ? 0 : -errno;
		if (!WIFSTOPPED(status)) {
			if (pid == t->child)
				t->child_status = status;
			continue;
		}
		r = on_stop(t, pid, status);
		if (r < 0)
			return r;
	}
}

int main(int argc, char **argv)
{
	struct tracer t = { .out = stderr };
	int r = argc > 0 ? parse_arguments(&t, argv) : -EINVAL;

	if (r == -EINVAL) {
		fputs("usage: at-syscall [--only NAME] [--locks] [-o FILE] "
		      "count | kill N before|after | fail N ERRNO | short N -- COMMAND…\n",
		      stderr);
		return EXIT_TROUBLE;
	}
	if (r == 0)
		r = start_command(&t);
	if (r == 0)
		r = trace(&t);
	if (fflush(t.out) != 0 && r == 0)
		r = -errno;
	if (r < 0) {
		fprintf(stderr, "at-syscall: %s\n", strerror(-r));
		return EXIT_TROUBLE;
	}
	if (t.mode != MODE_COUNT && t.seen < t.at)
		return EXIT_NEVER;
	return WIFSIGNALED(t.child_status) ? 128 + WTERMSIG(t.child_status)
					   : WEXITSTATUS(t.child_status);
}
