/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/err.h"
#include "base/fdio.h"

/*
 * Runs a fuzzer's function over the files of its corpus, and over beginnings of each of them, as a
 * test that needs no fuzzer: replay DIR. A corpus without a file is a failure.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	FILE_SIZE_MAX = 4 * 1024 * 1024,
	BEGINNINGS = 64
};

/* In memory of just that size, so that a sanitizer sees a read beyond it. */
static int run(const char *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return -ENOMEM;
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return 0;
}

static int replay(int dir, const char *name)
{
	kc_cleanup(kc_closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	size_t step;
	int r;

	if (fd < 0)
		return -errno;
	r = kc_read_all(fd, FILE_SIZE_MAX, &text);
	step = text.len / BEGINNINGS + 1;
	for (size_t n = 0; r == 0 && n < text.len; n += step)
		r = run(text.data, n);
	return r < 0 ? r : run(text.data, text.len);
}

int main(int argc, char **argv)
{
	unsigned n = 0;
	DIR *dir;

	dir = argc == 2 ? opendir(argv[1]) : NULL;
	if (!dir) {
		(void)fprintf(stderr, "usage: replay DIR, a folder that can be read\n");
		return 2;
	}
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		int r;

		if (entry->d_name[0] == '.')
			continue;
		(void)printf("%s\n", entry->d_name);
		(void)fflush(stdout);
		r = replay(dirfd(dir), entry->d_name);
		if (r < 0) {
			(void)fprintf(stderr, "%s: %s\n", entry->d_name, kc_strerror(r));
			n = 0;
			break;
		}
		n++;
	}
	(void)closedir(dir);
	return n > 0 ? 0 : 1;
}
