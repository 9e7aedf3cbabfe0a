/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "sys/doors.h"

#define SECOND 1000000ull

/* "/" for lookups, and a folder of ours for what is read below a root. */
struct roots {
	struct kc_root *system, *fixture;
	char path[64];
	struct kc_arena arena;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int setup(void **state)
{
	struct roots *roots = calloc(1, sizeof(*roots));

	assert_non_null(roots);
	(void)snprintf(roots->path, sizeof(roots->path), "/tmp/k8scheck-doors-XXXXXX");
	assert_non_null(mkdtemp(roots->path));
	assert_int_equal(kc_root_open("/", KC_ROOT_LIVE, NULL, &roots->system), 0);
	assert_int_equal(kc_root_open(roots->path, KC_ROOT_LIVE, NULL, &roots->fixture), 0);
	*state = roots;
	return 0;
}

static int teardown(void **state)
{
	struct roots *roots = *state;

	kc_root_free(roots->system);
	kc_root_free(roots->fixture);
	kc_arena_done(&roots->arena);
	(void)nftw(roots->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(roots);
	return 0;
}

static struct kc_answer ask(struct roots *roots, kc_door *door, const struct kc_root *root,
			    const char *text, int64_t number, uint64_t timeout)
{
	const struct kc_door_host host = { .root = root };
	const struct kc_question question = { .timeout_usec = timeout,
					      .number = number,
					      .strings = { .n = text ? 1 : 0, .item = &text } };
	struct kc_answer answer;
	void *state = NULL;

	door(&host, &state, &question, &roots->arena, &answer);
	assert_null(state);
	assert_true(answer.code == 0 || (answer.why && answer.why[0]));
	return answer;
}

/* ---- lookup
 * -------------------------------------------------------------------------------------- */

/* What a process that looked a name up may still do: as root nothing, else no more than before. */
static void assert_no_rights(void)
{
	kc_cleanup(kc_buf_done) struct kc_buf status = { 0 };
	kc_cleanup(kc_closep) int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	struct rlimit files;

	if (fd < 0 || kc_read_all(fd, 64 * 1024, &status) < 0 ||
	    !strstr(status.data, "CapEff:\t0000000000000000") ||
	    !strstr(status.data, "CapPrm:\t0000000000000000") ||
	    !strstr(status.data, "NoNewPrivs:\t1") || geteuid() == 0 || getegid() == 0 ||
	    getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_max > 64)
		_exit(2);
}

/* In a process of its own, which tells: the code, the sentence, and the addresses, a line each. */
static struct kc_answer look_up_below(struct roots *roots, const struct kc_root *root,
				      const char *name)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	struct kc_answer a = { 0 };
	char *save = NULL, *line;
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		a = ask(roots, kc_door_lookup, root, name, 0, 10 * SECOND);
		kc_buf_addf(&text, "%d\n%s\n", a.code, a.why ? a.why : "-");
		for (size_t i = 0; i < a.n_items; i++)
			kc_buf_addf(&text, "%s\n", a.items[i].data);
		if (kc_write_all(fds[1], text.data, text.len) < 0)
			_exit(1);
		if (a.code == 0)
			assert_no_rights();
		_exit(0);
	}
	(void)close(fds[1]);
	assert_int_equal(kc_read_all(fds[0], 64 * 1024, &text), 0);
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	line = strtok_r(text.data, "\n", &save);
	assert_non_null(line);
	a.code = (int)strtol(line, NULL, 10);
	a.why = kc_arena_strdup(&roots->arena, strtok_r(NULL, "\n", &save));
	while ((line = strtok_r(NULL, "\n", &save)))
		kc_answer_adds(&a, &roots->arena, line);
	return a;
}

static struct kc_answer look_up(struct roots *roots, const char *name)
{
	return look_up_below(roots, roots->system, name);
}

static void test_lookup(void **state)
{
	struct kc_answer a;
	bool loopback = false;

	a = look_up(*state, "localhost");
	assert_int_equal(a.code, 0);
	assert_true(a.n_items > 0);
	for (size_t i = 0; i < a.n_items; i++) {
		loopback |=
			kc_streq(a.items[i].data, "127.0.0.1") || kc_streq(a.items[i].data, "::1");
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(a.items[i].data, a.items[j].data);
	}
	assert_true(loopback);
	a = look_up(*state, "192.0.2.7");
	assert_int_equal(a.n_items, 1);
	assert_string_equal(a.items[0].data, "192.0.2.7");
	assert_int_equal(look_up(*state, "").code, -EINVAL);
	assert_int_equal(look_up(*state, "two words").code, -EINVAL);
	assert_int_equal(look_up(*state, "escape\033[0m").code, -EINVAL);
	assert_int_equal(look_up_below(*state, ((struct roots *)*state)->fixture, "localhost").code,
			 -EOPNOTSUPP);
}

static void test_lookup_late(void **state)
{
	const char *names[] = { "node1", "escape\033[0m" };
	struct kc_question question = { .timeout_usec = 2500000, .strings = { 1, names } };
	struct roots *roots = *state;

	assert_string_equal(kc_lookup_late(&question, &roots->arena),
			    "node1 could not be looked up within 2500 ms");
	question.strings.item = names + 1;
	assert_string_equal(kc_lookup_late(&question, &roots->arena),
			    "the name could not be looked up within 2500 ms");
}

/* ---- port
 * ---------------------------------------------------------------------------------------- */

static int listen_on_loopback(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

static struct kc_answer try_port(struct roots *roots, const char *address, int64_t port,
				 uint64_t timeout)
{
	return ask(roots, kc_door_port, roots->system, address, port, timeout);
}

static void test_port(void **state)
{
	uint16_t port;
	int fd = listen_on_loopback(&port);
	struct kc_answer a;

	/* Bound, and not listened on. */
	a = try_port(*state, "127.0.0.1", port, 5 * SECOND);
	assert_int_equal(a.code, -ECONNREFUSED);
	assert_non_null(strstr(a.why, "nothing listens"));
	assert_int_equal(listen(fd, 4), 0);
	a = try_port(*state, "127.0.0.1", port, 5 * SECOND);
	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items, 0);
	(void)close(fd);
	assert_int_equal(try_port(*state, "localhost", port, SECOND).code, -EINVAL);
	assert_int_equal(try_port(*state, "", port, SECOND).code, -EINVAL);
	assert_int_equal(try_port(*state, "127.0.0.1", 0, SECOND).code, -EINVAL);
	assert_int_equal(try_port(*state, "127.0.0.1", 65536, SECOND).code, -EINVAL);
}

/* A full queue drops what comes next, as a firewall does. */
static void test_port_silent(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int others[8];
	uint16_t port;
	int fd = listen_on_loopback(&port);
	uint64_t begin;

	assert_int_equal(listen(fd, 0), 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(port);
	for (size_t i = 0; i < KC_ARRAY_SIZE(others); i++) {
		others[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(others[i], (struct sockaddr *)&address, sizeof(address));
	}
	begin = kc_now_usec();
	assert_int_equal(try_port(*state, "127.0.0.1", port, SECOND / 5).code, -ETIMEDOUT);
	assert_in_range(kc_now_usec() - begin, SECOND / 6, 2 * SECOND);
	for (size_t i = 0; i < KC_ARRAY_SIZE(others); i++)
		(void)close(others[i]);
	(void)close(fd);
}

/* ---- process and sysctl
 * -------------------------------------------------------------------------- */

static void make(const struct roots *roots, const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", roots->path, path);
	assert_int_equal(mkdir(full, 0755), 0);
}

static void link_to(const struct roots *roots, const char *target, const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", roots->path, path);
	assert_int_equal(symlink(target, full), 0);
}

static void write_file(const struct roots *roots, const char *path, const char *text)
{
	char full[256];
	int fd;

	(void)snprintf(full, sizeof(full), "%s%s", roots->path, path);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, strlen(text)), 0);
	(void)close(fd);
}

static struct kc_answer process_link(struct roots *roots, int64_t pid, const char *name)
{
	return ask(roots, kc_door_process, roots->fixture, name, pid, SECOND);
}

static void test_process(void **state)
{
	struct roots *roots = *state;
	struct kc_answer a;

	make(roots, "/proc");
	make(roots, "/proc/42");
	make(roots, "/proc/42/fd");
	link_to(roots, "/usr/bin/kubelet (deleted)", "/proc/42/exe");
	link_to(roots, "socket:[7]", "/proc/42/fd/3");
	link_to(roots, "elsewhere", "/proc/42/secret");
	a = process_link(roots, 42, "exe");
	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items, 1);
	assert_string_equal(a.items[0].data, "/usr/bin/kubelet (deleted)");
	a = process_link(roots, 42, "fd/3");
	assert_string_equal(a.items[0].data, "socket:[7]");
	assert_int_equal(process_link(roots, 42, "cwd").code, -ENOENT);
	assert_int_equal(process_link(roots, 43, "exe").code, -ENOENT);
	assert_int_equal(process_link(roots, 42, "secret").code, -EINVAL);
	assert_int_equal(process_link(roots, 42, "fd/../secret").code, -EINVAL);
	assert_int_equal(process_link(roots, 42, "fd/").code, -EINVAL);
	assert_int_equal(process_link(roots, 0, "exe").code, -EINVAL);
	assert_int_equal(process_link(roots, -1, "exe").code, -EINVAL);
}

static void test_socket_holder(void **state)
{
	struct roots *roots = *state;
	struct kc_answer a;

	make(roots, "/proc");
	make(roots, "/proc/self"); /* no process by number */
	make(roots, "/proc/10");
	make(roots, "/proc/10/fd");
	make(roots, "/proc/9");
	make(roots, "/proc/9/fd");
	make(roots, "/proc/8"); /* it has ended */
	link_to(roots, "socket:[77]", "/proc/10/fd/0");
	link_to(roots, "socket:[770]", "/proc/9/fd/3");
	link_to(roots, "socket:[77]", "/proc/9/fd/12");
	a = ask(roots, kc_door_socket_holder, roots->fixture, NULL, 77, SECOND);
	assert_int_equal(a.code, 0);
	assert_int_equal(a.numbers[0], 9);
	assert_int_equal(a.n_items, 1);
	assert_string_equal(a.items[0].data, ""); /* it has ended before its name was read */
	write_file(roots, "/proc/9/comm", "kube-apiserver\n");
	a = ask(roots, kc_door_socket_holder, roots->fixture, NULL, 77, SECOND);
	assert_string_equal(a.items[0].data, "kube-apiserver");
	a = ask(roots, kc_door_socket_holder, roots->fixture, NULL, 7, SECOND);
	assert_int_equal(a.code, -EACCES); /* not even process 1 is listed */
	make(roots, "/proc/1");
	a = ask(roots, kc_door_socket_holder, roots->fixture, NULL, 7, SECOND);
	assert_int_equal(a.code, -ENOENT);
	assert_non_null(strstr(a.why, "socket:[7]"));
	a = ask(roots, kc_door_socket_holder, roots->fixture, NULL, 0, SECOND);
	assert_int_equal(a.code, -EINVAL);
	a = ask(roots, kc_door_socket_holder, roots->fixture, "9", 77, SECOND);
	assert_int_equal(a.code, -EINVAL);
}

static void test_process_live(void **state)
{
	struct roots *roots = *state;
	struct kc_answer a;
	char exe[4096] = "";

	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	a = ask(roots, kc_door_process, roots->system, "exe", getpid(), SECOND);
	assert_int_equal(a.code, 0);
	assert_string_equal(a.items[0].data, exe);
}

static void test_sysctl(void **state)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct roots *roots = *state;
	struct kc_answer a;
	char full[256];

	make(roots, "/proc");
	make(roots, "/proc/sys");
	make(roots, "/proc/sys/vm");
	(void)snprintf(full, sizeof(full), "%s/proc/sys/vm/swappiness", roots->path);
	fd = open(full, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, "60\n", 3), 0);
	a = ask(roots, kc_door_sysctl, roots->fixture, "vm/swappiness", 0, SECOND);
	assert_int_equal(a.code, 0);
	assert_string_equal(a.items[0].data, "60");
	a = ask(roots, kc_door_sysctl, roots->fixture, "vm/none", 0, SECOND);
	assert_int_equal(a.code, -ENOENT);
	a = ask(roots, kc_door_sysctl, roots->fixture, "../sys/vm/swappiness", 0, SECOND);
	assert_int_equal(a.code, -EINVAL);
}

int main(void)
{
#define door_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		door_test(test_lookup),	      door_test(test_lookup_late),
		door_test(test_port),	      door_test(test_port_silent),
		door_test(test_process),      door_test(test_socket_holder),
		door_test(test_process_live), door_test(test_sysctl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
