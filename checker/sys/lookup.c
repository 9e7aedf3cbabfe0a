/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/num.h"
#include "child.h"
#include "doors.h"

enum {
	MAX_NAME = 253,
	MAX_ADDRESSES = 64,
	MAX_ANSWER = 8 * 1024,
	MAX_DATA_MIB = 256,
	MAX_FILES = 64,
	REAP_USEC = 200 * 1000,
};

#if defined(__SANITIZE_ADDRESS__)
#define LIMIT_DATA 0 /* the sanitizer's shadow memory is data of terabytes */
#else
#define LIMIT_DATA 1
#endif

/* Printable ASCII without spaces: wide enough for any name of /etc/hosts, and safe in any message.
 */
static bool name_is_valid(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f)
			return false;
	return n > 0 && n <= MAX_NAME;
}

/* What the child writes: the result of getaddrinfo() and, for EAI_SYSTEM, errno; then addresses; a
 * line each. */
static void kc_noreturn resolve(const char *name, int out)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	struct kc_buf text = { 0 };
	unsigned n = 0;
	int r;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (dup2(out, 0) < 0 || kc_child_close_from(1) < 0 || kc_child_drop_privileges() < 0 ||
	    kc_child_limit(RLIMIT_CORE, 1) < 0 || kc_child_limit(RLIMIT_FSIZE, 0) < 0 ||
	    kc_child_limit(RLIMIT_NOFILE, MAX_FILES) < 0 ||
	    (LIMIT_DATA && kc_child_limit(RLIMIT_DATA, (uint64_t)MAX_DATA_MIB << 20) < 0))
		_exit(1);
	r = getaddrinfo(name, NULL, &hints, &list);
	kc_buf_addf(&text, "%d\n%d\n", r, r == EAI_SYSTEM ? errno : 0);
	for (const struct addrinfo *a = list; r == 0 && a && n < MAX_ADDRESSES; a = a->ai_next) {
		char address[NI_MAXHOST];

		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address), NULL, 0,
				NI_NUMERICHOST) != 0)
			continue;
		kc_buf_addf(&text, "%s\n", address);
		n++;
	}
	_exit(kc_buf_error(&text) < 0 || kc_write_all(0, text.data, text.len) < 0);
}

/* Reads to the end of the child's answer. */
static int read_answer(int fd, uint64_t deadline_usec, struct kc_buf *b)
{
	char chunk[1024];

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int r = poll(&pfd, 1, kc_child_poll_timeout(deadline_usec));
		ssize_t n;

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			return -ETIMEDOUT;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0)
			return -errno;
		if (n == 0)
			return kc_buf_error(b);
		kc_buf_add(b, chunk, (size_t)n);
		if (b->len > MAX_ANSWER)
			return -EFBIG;
	}
}

static int ask_child(const char *name, uint64_t deadline_usec, struct kc_buf *b)
{
	kc_cleanup(kc_closep) int in = -EBADF;
	int pipe_fds[2], r;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	in = pipe_fds[0];
	pid = fork();
	if (pid == 0)
		resolve(name, pipe_fds[1]);
	r = pid < 0 ? -errno : 0;
	(void)kc_close(pipe_fds[1]);
	if (r < 0)
		return r;
	r = read_answer(in, deadline_usec, b);
	(void)kc_child_reap(pid, REAP_USEC);
	return r;
}

static bool answer_has(const struct kc_answer *answer, const char *text)
{
	for (size_t i = 0; i < answer->n_items; i++)
		if (kc_streq(answer->items[i].data, text))
			return true;
	return false;
}

static void fail(struct kc_answer *answer, struct kc_arena *arena, const char *name, int error,
		 int system)
{
	int code;

	switch (error) {
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		code = -ENOENT;
		break;
	case EAI_AGAIN:
		code = -ETIMEDOUT;
		break;
	case EAI_MEMORY:
		code = -ENOMEM;
		break;
	case EAI_SYSTEM:
		code = system > 0 ? -system : -EPROTO;
		break;
	default:
		code = -EPROTO;
	}
	kc_answer_fail(answer, arena, code, "%s cannot be looked up: %s", name,
		       error == EAI_SYSTEM ? kc_strerror(system) : gai_strerror(error));
}

/* Turns the child's lines into the answer. They are ours, but of a process that read foreign bytes.
 */
static void read_lines(const char *name, char *text, struct kc_arena *arena,
		       struct kc_answer *answer)
{
	char *save = NULL, *line = strtok_r(text, "\n", &save);
	char *second = line ? strtok_r(NULL, "\n", &save) : NULL;
	int64_t error, system;

	if (!second || kc_parse_i64(line, &error) < 0 || kc_parse_i64(second, &system) < 0) {
		kc_answer_fail(answer, arena, -ECONNRESET,
			       "%s cannot be looked up: the resolver's process died", name);
		return;
	}
	if (error != 0) {
		fail(answer, arena, name, (int)error, (int)system);
		return;
	}
	while ((line = strtok_r(NULL, "\n", &save)))
		if (!answer_has(answer, line))
			kc_answer_adds(answer, arena, line);
	if (answer->code == 0 && answer->n_items == 0)
		fail(answer, arena, name, EAI_NODATA, 0);
}

void kc_door_lookup(const struct kc_door_host *host, void **state,
		    const struct kc_question *question, struct kc_arena *arena,
		    struct kc_answer *ret_answer)
{
	uint64_t deadline = kc_now_usec() + question->timeout_usec;
	struct kc_buf text = { 0 };
	const char *name;
	int r;

	*ret_answer = (struct kc_answer){ 0 };
	name = question->strings.n == 1 ? question->strings.item[0] : "";
	if (!name_is_valid(name)) {
		kc_answer_fail(ret_answer, arena, -EINVAL,
			       "a name to look up has 1 to %d printable characters without spaces",
			       MAX_NAME);
		return;
	}
	if (!kc_streq(kc_root_path(host->root), "/")) {
		kc_answer_fail(
			ret_answer, arena, -EOPNOTSUPP,
			"%s is not looked up: the resolver of the root %s cannot be used from here",
			name, kc_root_path(host->root));
		return;
	}
	r = ask_child(name, deadline, &text);
	if (r == -ETIMEDOUT)
		kc_answer_fail(ret_answer, arena, r, "%s could not be looked up within %llu ms",
			       name, (unsigned long long)(question->timeout_usec / 1000));
	else if (r < 0)
		kc_answer_fail(ret_answer, arena, r, "%s cannot be looked up: %s", name,
			       kc_strerror(r));
	else
		read_lines(name, text.data ? text.data : (char[]){ "" }, arena, ret_answer);
	kc_buf_done(&text);
}
