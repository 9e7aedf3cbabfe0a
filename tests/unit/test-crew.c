/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
