/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "run/broker.h"
#include "run/process.h"

#define SECOND 1000000ull

/* A broker of its own process, asked by frames as k8scheck does. */
struct place {
	char *root; /* made by a test; or NULL */
	struct kc_run_config config;
	struct kc_broker broker;
	struct kc_arena arena;
	uint32_t asked;
};

static int start(void **state, const char *const *door_dirs)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->config = (struct kc_run_config){ .root = "/", .live = true, .door_dirs = door_dirs };
	assert_int_equal(kc_broker_start(&p->config, NULL, &p->broker), 0);
	*state = p;
	return 0;
}

static int setup(void **state)
{
	static const char *const no_dirs[] = { NULL };

	return start(state, no_dirs);
}

/* With the door of tests/support/door for runtimes. */
static int setup_counting(void **state)
{
	static const char *const dirs[] = { COUNTING_DOOR_DIR, NULL };

	return start(state, dirs);
}

static const char *const bus_path[] = { "", "/run", "/run/dbus", "/run/dbus/system_bus_socket" };

/* The same over an empty root. */
static int setup_root(void **state)
{
	static const char *const dirs[] = { COUNTING_DOOR_DIR, NULL };
	struct place *p;

	if (setup_counting(state) < 0)
		return -1;
	p = *state;
	kc_broker_stop(&p->broker);
	p->root = strdup("/tmp/k8scheck-broker-XXXXXX");
	assert_non_null(p->root);
	assert_non_null(mkdtemp(p->root));
	p->config = (struct kc_run_config){ .root = p->root, .live = true, .door_dirs = dirs };
	assert_int_equal(kc_broker_start(&p->config, NULL, &p->broker), 0);
	return 0;
}

/* Over a root with a socket at which nobody listens. */
static int setup_bus(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	kc_cleanup(kc_closep) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct place *p;

	if (setup_root(state) < 0)
		return -1;
	p = *state;
	for (size_t i = 1; i < KC_ARRAY_SIZE(bus_path); i++) {
		(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s%s", p->root,
			       bus_path[i]);
		if (i + 1 < KC_ARRAY_SIZE(bus_path))
			assert_int_equal(mkdir(address.sun_path, 0755), 0);
	}
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	kc_broker_stop(&p->broker);
	kc_arena_done(&p->arena);
	for (size_t i = KC_ARRAY_SIZE(bus_path); p->root && i-- > 0;) {
		kc_cleanup(kc_freep) char *path = kc_asprintf("%s%s", p->root, bus_path[i]);

		(void)remove(path);
	}
	free(p->root);
	free(p);
	return 0;
}

static uint32_t put(struct place *p, uint32_t kind, const char *text, int64_t number,
		    uint64_t timeout)
{
	const char *const strings[] = { text, NULL };
	const struct kc_question question = {
		.kind = kind,
		.timeout_usec = timeout,
		.number = number,
		.strings = { .n = text ? 1 : 0, .item = strings },
	};

	kc_frame_question(&p->broker.channel.out, ++p->asked, &question);
	assert_int_equal(kc_channel_flush(&p->broker.channel), 0);
	return p->asked;
}

static struct kc_answer wait_for(struct place *p, uint32_t *ret_number)
{
	struct kc_answer answer;
	struct kc_frame frame;

	assert_int_equal(kc_channel_wait(&p->broker.channel, kc_now_usec() + 20 * SECOND, &frame),
			 0);
	assert_int_equal(frame.type, KC_FRAME_ANSWER);
	assert_int_equal(kc_read_answer(&frame, &p->arena, &answer), 0);
	*ret_number = frame.rule;
	return answer;
}

static struct kc_answer ask(struct place *p, uint32_t kind, const char *text, int64_t number,
			    uint64_t timeout)
{
	uint32_t asked = put(p, kind, text, number, timeout), answered;
	struct kc_answer answer = wait_for(p, &answered);

	assert_int_equal(asked, answered);
	return answer;
}

static void test_lookup(void **state)
{
	struct place *p = *state;
	struct kc_answer a = ask(p, KC_ASK_LOOKUP, "192.0.2.7", 0, 10 * SECOND);
	uint64_t began;

	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items, 1);
	assert_string_equal(a.items[0].data, "192.0.2.7");
	/* In no time at all not even a process is started; who asks next is answered. */
	began = kc_now_usec();
	a = ask(p, KC_ASK_LOOKUP, "localhost", 0, 1);
	assert_int_equal(a.code, -ETIMEDOUT);
	assert_string_equal(a.why, "localhost could not be looked up within 0 ms");
	assert_true(kc_now_usec() - began < 5 * SECOND);
	a = ask(p, KC_ASK_LOOKUP, "localhost", 0, 10 * SECOND);
	assert_int_equal(a.code, 0);
	assert_true(a.n_items > 0);
}

/* One that takes its time holds up nobody. */
static void test_several(void **state)
{
	struct place *p = *state;
	uint32_t first = put(p, KC_ASK_LOOKUP, "localhost", 0, 10 * SECOND);
	uint32_t second = put(p, KC_ASK_SYSCTL, "kernel/osrelease", 0, 10 * SECOND);
	uint32_t third = put(p, KC_ASK_LOOKUP, "two words", 0, 10 * SECOND);
	unsigned seen = 0;

	for (unsigned i = 0; i < 3; i++) {
		uint32_t number;
		struct kc_answer a = wait_for(p, &number);

		seen |= 1u << number;
		assert_int_equal(a.code, number == third ? -EINVAL : 0);
	}
	assert_int_equal(seen, 1u << first | 1u << second | 1u << third);
}

/* Answered without a door. */
static void test_kernel(void **state)
{
	struct place *p = *state;
	struct kc_answer a = ask(p, KC_ASK_ADDRESSES, NULL, 0, SECOND);

	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items % 2, 0);
	assert_int_equal(ask(p, KC_ASK_SOCKETS, NULL, 1, SECOND).code, -EINVAL);
	a = ask(p, KC_ASK_RUNTIME, "/run/k8scheck-test-none/none.sock", KC_RUNTIME_VERSION, SECOND);
	assert_int_equal(a.code, -ENOENT);
	/* No module of it is in the folders of this test, and the question needs one. */
	a = ask(p, KC_ASK_RUNTIME, "/k8scheck-test-none.sock", KC_RUNTIME_VERSION, SECOND);
	assert_int_equal(a.code, -ENOSYS);
}

static const char *count(struct place *p, const char *endpoint, int64_t number, uint64_t timeout)
{
	struct kc_answer a = ask(p, KC_ASK_RUNTIME, endpoint, number, timeout);

	assert_int_equal(a.code, 0);
	assert_int_equal(a.n_items, 1);
	return a.items[0].data;
}

/* Who asks what was answered already is told the same, and the runtime hears nothing of it. */
static void test_asked_again(void **state)
{
	static const char one[] = "/k8scheck-test-one.sock", other[] = "/k8scheck-test-other.sock";
	struct place *p = *state;

	assert_string_equal(count(p, one, KC_RUNTIME_VERSION, 10 * SECOND), "1");
	assert_string_equal(count(p, one, KC_RUNTIME_VERSION, 20 * SECOND), "1");
	assert_string_equal(count(p, one, KC_RUNTIME_CONFIG, 10 * SECOND), "2");
	assert_string_equal(count(p, one, KC_RUNTIME_VERSION, 10 * SECOND), "1");
	assert_string_equal(count(p, other, KC_RUNTIME_VERSION, 10 * SECOND), "1");
}

/* Both are on their way before the first is answered. */
static void test_asked_at_once(void **state)
{
	struct place *p = *state;

	for (unsigned i = 0; i < 2; i++)
		(void)put(p, KC_ASK_RUNTIME, "/k8scheck-test-one.sock", KC_RUNTIME_VERSION,
			  10 * SECOND);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t number;
		struct kc_answer a = wait_for(p, &number);

		assert_int_equal(a.code, 0);
		assert_string_equal(a.items[0].data, "1");
	}
}

static void test_failure_is_asked_again(void **state)
{
	static const char endpoint[] = "/k8scheck-test-one.sock";
	struct place *p = *state;

	assert_int_equal(ask(p, KC_ASK_RUNTIME, endpoint, KC_RUNTIME_STATUS, 10 * SECOND).code,
			 -ETIMEDOUT);
	assert_string_equal(count(p, endpoint, KC_RUNTIME_STATUS, 10 * SECOND), "2");
	assert_string_equal(count(p, endpoint, KC_RUNTIME_STATUS, 10 * SECOND), "2");
}

/* The children of the broker; "" for none. */
static void list_doors(const struct place *p, char *text, size_t size)
{
	kc_cleanup(kc_freep) char *path =
		kc_asprintf("/proc/%d/task/%d/children", (int)p->broker.pid, (int)p->broker.pid);
	kc_cleanup(kc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	/* CONFIG_PROC_CHILDREN */
	if (fd < 0)
		skip();
	n = read(fd, text, size - 1);
	assert_true(n >= 0);
	text[n] = '\0';
}

/* What is expected gets ready before it is asked, and answers like any other. */
static void test_expected(void **state)
{
	struct place *p = *state;
	uint64_t until = kc_now_usec() + 10 * SECOND;
	char before[64], after[64];
	struct kc_answer a;

	for (unsigned i = 0; i < 3; i++)
		kc_broker_expect_bus(&p->broker);
	do
		list_doors(p, before, sizeof(before));
	while (!*before && kc_now_usec() < until);
	assert_non_null(strchr(before, ' '));
	a = ask(p, KC_ASK_UNIT, "demo.service", 0, 10 * SECOND);
	assert_int_equal(a.code, 0);
	assert_string_equal(a.items[0].data, "1");
	list_doors(p, after, sizeof(after));
	assert_string_equal(after, before);
}

/* Nobody gets ready for a bus that is not there. */
static void test_expected_in_vain(void **state)
{
	struct place *p = *state;
	char doors[64];

	kc_broker_expect_bus(&p->broker);
	/* Answered behind it, and by no door. */
	assert_int_equal(ask(p, KC_ASK_SOCKETS, NULL, 1, SECOND).code, -EINVAL);
	list_doors(p, doors, sizeof(doors));
	assert_string_equal(doors, "");
	assert_int_equal(ask(p, KC_ASK_UNIT, "demo.service", 0, SECOND).code, -ENOTCONN);
}

/* One that was never asked ends at once, and is waited for. */
static void test_idle(void **state)
{
	struct place *p = *state;
	pid_t pid = p->broker.pid;
	uint64_t began = kc_now_usec();

	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), 0);
	kc_broker_stop(&p->broker);
	assert_int_equal(p->broker.pid, 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_true(kc_now_usec() - began < SECOND / 2);
}

/* Another process starts a broker, asks it or does not, and is gone without a word. */
static pid_t orphan(const struct kc_run_config *config, bool asks)
{
	struct place p = { .config = *config };
	pid_t pid, broker = 0;
	int fds[2], status;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (kc_broker_start(&p.config, NULL, &p.broker) < 0)
			_exit(1);
		if (asks)
			(void)ask(&p, KC_ASK_LOOKUP, "localhost", 0, 10 * SECOND);
		if (write(fds[1], &p.broker.pid, sizeof(pid_t)) != sizeof(pid_t))
			_exit(1);
		_exit(0);
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &broker, sizeof(broker)), sizeof(broker));
	(void)close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return broker;
}

static void test_orphans(void **state)
{
	struct place *p = *state;

	/* So that it can be seen to end. */
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (unsigned asks = 0; asks < 2; asks++) {
		pid_t broker = orphan(&p->config, asks);
		int status;

		assert_true(broker > 0);
		assert_int_equal(kc_wait_until(broker, kc_now_usec() + 10 * SECOND, &status), 1);
	}
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

int main(void)
{
#define counting_test(f) cmocka_unit_test_setup_teardown(f, setup_counting, teardown)
#define broker_test(f)	 cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		broker_test(test_idle),
		broker_test(test_orphans),
		broker_test(test_lookup),
		broker_test(test_several),
		broker_test(test_kernel),
		counting_test(test_asked_again),
		counting_test(test_asked_at_once),
		counting_test(test_failure_is_asked_again),
		cmocka_unit_test_setup_teardown(test_expected, setup_bus, teardown),
		cmocka_unit_test_setup_teardown(test_expected_in_vain, setup_root, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
