/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "child.h"
#include "doors.h"
#include "program.h"
#include "supervise.h"
#include "trust.h"

enum {
	MAX_OUTPUT = 64 * 1024,
	MAX_ARGUMENTS = 256,
	MAX_ARGUMENT_BYTES = 64 * 1024,
	INTERPRETER_LINE = 256, /* as much of a script as the kernel looks at */
	GRACE_USEC = 1000 * 1000,
	REAP_USEC = 200 * 1000,
};

/* The path of the interpreter in a script's first line, cut out in place; NULL when it is no
 * script. */
static char *find_interpreter(char *line)
{
	char *p;

	if (line[0] != '#' || line[1] != '!')
		return NULL;
	p = line + 2 + strspn(line + 2, " \t");
	p[strcspn(p, " \t\r\n")] = '\0';
	return p;
}

/* Reads the first line; an unreadable program (mode 0711) is none that the kernel reads as a
 * script. */
static int read_first_line(int path_fd, char line[INTERPRETER_LINE + 1])
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char name[32];
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", path_fd);
	line[0] = '\0';
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ? 0 : -errno;
	n = read(fd, line, INTERPRETER_LINE);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	return 0;
}

static int check_interpreter(int root_fd, const char *path, const char *interpreter,
			     struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char line[INTERPRETER_LINE + 1];
	int r;

	r = kc_trust_open(root_fd, interpreter, 0, err, &fd);
	if (r < 0)
		return kc_err_prefix(err, "%s is a script, and its interpreter", path);
	r = read_first_line(fd, line);
	if (r >= 0 && find_interpreter(line))
		return kc_err_set(
			err, -EPERM,
			"%s is a script whose interpreter %s is a script too, which is not run",
			path, interpreter);
	return r < 0 ? kc_err_set(err, r, "%s: %s", interpreter, kc_strerror(r)) : 0;
}

int kc_program_open(int root_fd, const char *path, struct kc_err *err,
		    struct kc_program_file *ret_file)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char line[INTERPRETER_LINE + 1];
	char *interpreter;
	int r;

	r = kc_trust_open(root_fd, path, 0, err, &fd);
	if (r < 0)
		return r;
	r = read_first_line(fd, line);
	if (r < 0)
		return kc_err_set(err, r, "%s: %s", path, kc_strerror(r));
	interpreter = find_interpreter(line);
	if (interpreter) {
		r = check_interpreter(root_fd, path, interpreter, err);
		if (r < 0)
			return r;
	}
	ret_file->fd = TAKE_FD(fd);
	ret_file->script = interpreter != NULL;
	return 0;
}

/* What comes back from a program that runs: its two outputs and its supervisor's reports. */
struct running {
	const char *path;
	pid_t supervisor;
	int fds[3]; /* out, err, reports; -EBADF at their end */
	struct kc_buf text[2];
	struct kc_report_exec exec_failed, end;
	uint64_t deadline_usec;
};

static void running_done(struct running *p)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(p->fds); i++)
		(void)kc_close(p->fds[i]);
	for (size_t i = 0; i < KC_ARRAY_SIZE(p->text); i++)
		kc_buf_done(&p->text[i]);
}

/* Reads what there is, keeps what fits and drops the rest. False when there is nothing more for
 * now. */
static bool read_output(struct running *p, size_t i)
{
	char chunk[16384];
	ssize_t n = read(p->fds[i], chunk, sizeof(chunk));

	if (n < 0)
		return errno == EINTR;
	if (n == 0) {
		p->fds[i] = kc_close(p->fds[i]);
		return false;
	}
	kc_buf_add(&p->text[i], chunk, KC_MIN((size_t)n, MAX_OUTPUT - p->text[i].len));
	return true;
}

/* Reports are shorter than PIPE_BUF, so each comes whole. */
static void read_report(struct running *p)
{
	struct kc_report_exec report;
	ssize_t n = read(p->fds[2], &report, sizeof(report));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n != (ssize_t)sizeof(report))
		p->fds[2] = kc_close(p->fds[2]);
	else if (report.kind == KC_EXEC_FAILED)
		p->exec_failed = report;
	else
		p->end = report;
}

/* Until the supervisor has said how it ended, is gone, or is late itself. */
static void wait_for_end(struct running *p)
{
	while (p->end.kind == 0 && p->fds[2] >= 0) {
		struct pollfd pfd[3];
		int timeout = kc_child_poll_timeout(p->deadline_usec + GRACE_USEC);

		for (size_t i = 0; i < KC_ARRAY_SIZE(pfd); i++)
			pfd[i] = (struct pollfd){ .fd = p->fds[i], .events = POLLIN };
		if (timeout == 0 || (poll(pfd, KC_ARRAY_SIZE(pfd), timeout) < 0 && errno != EINTR))
			break;
		for (size_t i = 0; i < KC_ARRAY_SIZE(p->text); i++)
			if (pfd[i].revents)
				(void)read_output(p, i);
		if (pfd[2].revents)
			read_report(p);
	}
	/* A pipe holds no more than 1 MiB; whoever still writes is not listened to. */
	for (size_t i = 0; i < KC_ARRAY_SIZE(p->text); i++)
		for (unsigned rounds = 0; rounds < 64 && p->fds[i] >= 0 && read_output(p, i);
		     rounds++)
			;
}

static void answer_end(const struct running *p, uint64_t timeout_usec, struct kc_arena *arena,
		       struct kc_answer *answer)
{
	int error = p->exec_failed.value;

	if (p->exec_failed.kind == KC_EXEC_FAILED) {
		/* What ENOENT means here is that something else is missing: the file itself is
		 * open. */
		kc_answer_fail(answer, arena, -error, "%s cannot be run: %s%s", p->path,
			       kc_strerror(error),
			       error == ENOENT ? " (its interpreter or dynamic loader is missing)"
					       : "");
		return;
	}
	switch (p->end.kind) {
	case KC_EXEC_EXITED:
		answer->numbers[0] = p->end.value;
		break;
	case KC_EXEC_SIGNALLED:
		answer->numbers[0] = -1;
		answer->numbers[1] = p->end.value;
		break;
	case KC_EXEC_FORK_FAILED:
		kc_answer_fail(answer, arena, -p->end.value,
			       "%s cannot be run: no process can be made for it: %s", p->path,
			       kc_strerror(p->end.value));
		return;
	case KC_EXEC_LATE:
		kc_answer_fail(answer, arena, -ETIMEDOUT,
			       "%s did not end within %llu ms and was killed", p->path,
			       (unsigned long long)(timeout_usec / 1000));
		return;
	default:
		kc_answer_fail(
			answer, arena, kc_now_usec() > p->deadline_usec ? -ETIMEDOUT : -ECONNRESET,
			"%s was lost: the process that watched over it ended early", p->path);
		return;
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(p->text); i++)
		kc_answer_add(answer, arena, p->text[i].data ? p->text[i].data : "",
			      p->text[i].len);
}

/* Pipes from the program, at numbers that leave 0 to 2 free for it in the child. */
static int open_pipes(struct running *p, int ret_writers[3])
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(p->fds); i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return -errno;
		p->fds[i] = fcntl(ends[0], F_DUPFD_CLOEXEC, 10);
		ret_writers[i] = fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
		(void)kc_close(ends[0]);
		(void)kc_close(ends[1]);
		if (p->fds[i] < 0 || ret_writers[i] < 0 ||
		    fcntl(p->fds[i], F_SETFL, O_NONBLOCK) < 0)
			return -errno;
	}
	return 0;
}

void kc_program_run(const struct kc_program_file *file, const char *path, char *const *argv,
		    uint64_t timeout_usec, struct kc_arena *arena, struct kc_answer *answer)
{
	kc_cleanup(running_done) struct running p = {
		.path = path,
		.fds = { -EBADF, -EBADF, -EBADF },
		.deadline_usec = kc_now_usec() + timeout_usec,
	};
	int writers[3] = { -EBADF, -EBADF, -EBADF };
	int r;

	r = open_pipes(&p, writers);
	if (r >= 0) {
		const struct kc_supervised job = {
			.fd = file->fd,
			.keep_fd = file->script,
			.argv = argv,
			.out = writers[0],
			.err = writers[1],
			.reports = writers[2],
			.deadline_usec = p.deadline_usec,
		};

		r = p.supervisor = kc_supervise(&job);
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(writers); i++)
		(void)kc_close(writers[i]);
	if (r < 0) {
		kc_answer_fail(answer, arena, r, "%s cannot be run: %s", path, kc_strerror(r));
		return;
	}
	wait_for_end(&p);
	(void)kc_child_reap(p.supervisor, REAP_USEC);
	answer_end(&p, timeout_usec, arena, answer);
}

static int check_question(const struct kc_door_host *host, const struct kc_question *question,
			  struct kc_err *err)
{
	const struct kc_strings *strings = &question->strings;
	size_t bytes = 0;

	if (strings->n < 2)
		return kc_err_set(err, -EINVAL, "a program is named by its path and its arguments");
	if (!kc_streq(kc_root_path(host->root), "/"))
		return kc_err_set(err, -EOPNOTSUPP,
				  "%s is not run: it belongs to the root %s, and is no "
				  "program of this system",
				  strings->item[0], kc_root_path(host->root));
	for (size_t i = 0; i < strings->n; i++)
		bytes += strlen(strings->item[i]) + 1;
	if (strings->n > MAX_ARGUMENTS || bytes > MAX_ARGUMENT_BYTES)
		return kc_err_set(err, -EFBIG,
				  "%s is not run: it was given more than %d arguments or %d "
				  "bytes of them",
				  strings->item[0], MAX_ARGUMENTS, MAX_ARGUMENT_BYTES);
	return 0;
}

void kc_door_program(const struct kc_door_host *host, void **state,
		     const struct kc_question *question, struct kc_arena *arena,
		     struct kc_answer *ret_answer)
{
	struct kc_program_file file = { .fd = -EBADF };
	const char *path;
	struct kc_err err;
	int r;

	*ret_answer = (struct kc_answer){ 0 };
	r = check_question(host, question, &err);
	if (r >= 0)
		r = kc_program_open(AT_FDCWD, question->strings.item[0], &err, &file);
	if (r < 0) {
		kc_answer_err(ret_answer, arena, &err);
		return;
	}
	path = question->strings.item[0];
	kc_program_run(&file, path, (char *const *)(question->strings.item + 1),
		       question->timeout_usec, arena, ret_answer);
	(void)kc_close(file.fd);
}
