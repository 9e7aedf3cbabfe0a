/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "run/crew.h"

/* What a worker writes to its standard error is kept to its end, and read no further. */
static void test_read_log(void **state)
{
	static char text[3 * sizeof(((struct kc_member *)NULL)->log)];
	struct kc_member m = { .log_fd = -EBADF };
	int fds[2];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	m.log_fd = fds[0];
	kc_member_read_log(&m);
	assert_int_equal(m.log_len, 0);
	assert_int_equal(write(fds[1], "hello", 5), 5);
	kc_member_read_log(&m);
	assert_int_equal(m.log_len, 5);
	assert_memory_equal(m.log, "hello", 5);
	assert_int_equal(write(fds[1], text, sizeof(text)), (ssize_t)sizeof(text));
	assert_int_equal(close(fds[1]), 0);
	kc_member_read_log(&m);
	assert_int_equal(m.log_total, 5 + sizeof(text));
	assert_int_equal(m.log_len, sizeof(m.log));
	assert_memory_equal(m.log, text + sizeof(text) - sizeof(m.log), sizeof(m.log));
	assert_true(m.log_fd < 0);
	/* One that is closed is not read: the kernel has nothing to say about it. */
	errno = 0;
	kc_member_read_log(&m);
	assert_int_equal(errno, 0);
	assert_int_equal(m.log_total, 5 + sizeof(text));
}

/* With a running system comes a broker, which ends with the crew; without one there is none. */
static void test_broker(void **state)
{
	static const char *const no_dirs[] = { NULL };
	struct kc_run_config config = { .root = "/", .live = true, .door_dirs = no_dirs };
	struct kc_crew crew;
	pid_t pid;

	assert_int_equal(kc_crew_start(&crew, &config, NULL), 0);
	pid = crew.broker.pid;
	assert_true(pid > 0);
	assert_int_equal(kill(pid, 0), 0);
	kc_crew_done(&crew);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	config.live = false;
	assert_int_equal(kc_crew_start(&crew, &config, NULL), 0);
	assert_int_equal(crew.broker.pid, 0);
	kc_crew_done(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_log),
		cmocka_unit_test(test_broker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
