/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>

#include "fdio.h"
#include "num.h"

enum {
	FDINFO_MAX = 4096,
	CHUNK_FIRST = 4096,
	CHUNK_MAX = 256 * 1024,
	KNOWN_MAX = 8 * 1024 * 1024, /* a size that is believed before a byte was read */
};

int kc_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	errno = saved;
	return -EBADF;
}

int kc_read_all(int fd, size_t max, struct kc_buf *b)
{
	return kc_read_known(fd, 0, max, b);
}

int kc_read_known(int fd, uint64_t size, size_t max, struct kc_buf *b)
{
	size_t total = 0, chunk = size && size < KNOWN_MAX ? (size_t)size + 1 : CHUNK_FIRST;

	for (;;) {
		/* One more than allowed, so that "too large" is never taken for the end. */
		size_t left = max - total;
		size_t want = left < chunk ? left + 1 : chunk;
		/* Into place: a large array on the stack would cost a fault for each of its pages.
		 */
		char *room = kc_buf_room(b, want);
		ssize_t n;

		if (!room)
			return -ENOMEM;
		n = read(fd, room, want);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		total += (size_t)n;
		if (total > max) {
			/* What was read over the end of the text is no part of it. */
			room[0] = 0;
			return -EFBIG;
		}
		kc_buf_grow(b, (size_t)n);
		/*
		 * All that there should be, and more was asked for: read(2) of a regular file gives
		 * less than that at its end alone. A file that has shrunk or grown, or has no size
		 * before it is read (procfs), or a made-up one (sysfs), does not come to its size.
		 */
		if (size && total == size && (size_t)n < want)
			break;
		chunk = KC_MIN(chunk * 2, (size_t)CHUNK_MAX);
	}
	kc_buf_add(b, NULL, 0);
	return kc_buf_error(b);
}

int kc_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd pfd = { .fd = fd, .events = POLLOUT };

			if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
				return -errno;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int kc_fd_reopen(int fd, int flags)
{
	char link[64];
	int reopened;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	reopened = open(link, flags);
	return reopened < 0 ? -errno : reopened;
}

int kc_fd_mount(int fd, uint64_t *ret_id)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	kc_cleanup(kc_closep) int info = -EBADF;
	char path[64], *id;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	r = info < 0 ? -errno : kc_read_all(info, FDINFO_MAX, &text);
	if (r < 0)
		return r;
	id = text.data ? strstr(text.data, "mnt_id:\t") : NULL;
	if (!id)
		return -EOPNOTSUPP;
	id += strlen("mnt_id:\t");
	id[strcspn(id, "\n")] = '\0';
	return kc_parse_u64(id, ret_id);
}
