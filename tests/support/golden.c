/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/fdio.h"
#include "golden.h"

enum {
	GOLDEN_MAX = 1024 * 1024
};

static void update(const char *path, const char *text, size_t size)
{
	kc_cleanup(kc_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(kc_write_all(fd, text, size), 0);
}

static void fail_at(const char *name, const char *text, const char *golden)
{
	unsigned line = 1;
	size_t start = 0, i = 0;

	for (; text[i] && text[i] == golden[i]; i++) {
		if (text[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	fail_msg("%s, line %u:\n  is     %.*s\n  golden %.*s", name, line,
		 (int)strcspn(text + start, "\n"), text + start, (int)strcspn(golden + start, "\n"),
		 golden + start);
}

void kc_assert_golden(const char *name, const char *text, size_t size)
{
	const char *data = getenv("KC_TEST_DATA");
	kc_cleanup(kc_freep) char *path = NULL;
	kc_cleanup(kc_buf_done) struct kc_buf golden = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;

	assert_non_null(data);
	path = kc_asprintf("%s/../golden/%s", data, name);
	assert_non_null(path);
	if (getenv("KC_GOLDEN_UPDATE")) {
		update(path, text, size);
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, kc_strerror(errno));
	assert_int_equal(kc_read_all(fd, GOLDEN_MAX, &golden), 0);
	if (golden.len != size || memcmp(golden.data, text, size) != 0)
		fail_at(name, text, golden.data);
}
