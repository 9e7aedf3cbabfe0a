/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fdio.h"
#include "commands.h"
#include "reports/value.h"
#include "terminal.h"

static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool kc_terminal_there(void)
{
	kc_cleanup(kc_closep) int fd = open_terminal();

	return fd >= 0;
}

bool kc_terminal_ask(const char *fmt, ...)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 }, safe = { 0 };
	kc_cleanup(kc_closep) int fd = open_terminal();
	char answer[64];
	size_t n = 0;
	va_list ap;

	va_start(ap, fmt);
	kc_buf_addv(&text, fmt, ap);
	va_end(ap);
	if (fd < 0 || kc_buf_error(&text) < 0)
		return false;
	/* What stands on standard output has to be seen before it is agreed to. */
	(void)fflush(stdout);
	kc_value_add(&safe, text.data, KC_MESSAGE_MAX);
	kc_buf_adds(&safe, " [y/N] ");
	if (kc_buf_error(&safe) < 0 || kc_write_all(fd, safe.data, safe.len) < 0)
		return false;
	for (;;) {
		char c;
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		if (c == '\n')
			break;
		if (n < sizeof(answer) - 1)
			answer[n++] = c;
	}
	answer[n] = '\0';
	return kc_streq(answer, "y") || kc_streq(answer, "Y") || kc_streq(answer, "yes");
}
