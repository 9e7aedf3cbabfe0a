/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "channel.h"

/* Most ends hear of little: room that is never filled costs a fault or two of its own. */
enum {
	CHUNK_MIN = 4 * 1024,
	CHUNK_MAX = 64 * 1024
};

void kc_channel_init(struct kc_channel *c, int fd)
{
	*c = (struct kc_channel){ .fd = fd };
}

void kc_channel_done(struct kc_channel *c)
{
	(void)kc_close(c->fd);
	kc_buf_done(&c->in);
	kc_buf_done(&c->out);
	*c = (struct kc_channel){ .fd = -EBADF };
}

int kc_channel_flush(struct kc_channel *c)
{
	if (c->out.failed)
		return -ENOMEM;
	while (c->out_sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->out_sent, c->out.len - c->out_sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			return -errno;
		c->out_sent += (size_t)n;
	}
	kc_buf_reset(&c->out);
	c->out_sent = 0;
	return 0;
}

static int wait_writable(const struct kc_channel *c)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLOUT };

	return poll(&pfd, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

int kc_channel_flush_all(struct kc_channel *c)
{
	for (;;) {
		int r = kc_channel_flush(c);

		if (r < 0 || c->out.len == 0)
			return r;
		r = wait_writable(c);
		if (r < 0)
			return r;
	}
}

int kc_channel_send_fds(struct kc_channel *c, const int *fds, size_t n)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * KC_CHANNEL_FDS_MAX)];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = c->out.data, .iov_len = c->out.len };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(sizeof(int) * n),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);
	ssize_t sent;
	int r;

	if (n == 0 || n > KC_CHANNEL_FDS_MAX || c->out.len == 0 || c->out_sent > 0)
		return -EINVAL;
	if (c->out.failed)
		return -ENOMEM;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * n);
	memcpy(CMSG_DATA(header), fds, sizeof(int) * n);
	do {
		sent = sendmsg(c->fd, &msg, MSG_NOSIGNAL);
		r = sent < 0 ? -errno : 0;
		/* The other end has not read yet what came before. */
		if (r == -EAGAIN)
			r = wait_writable(c);
	} while (sent < 0 && (r == 0 || r == -EINTR));
	if (r < 0)
		return r;
	/* The descriptors went with the first byte; the rest follows as any. */
	c->out_sent = (size_t)sent;
	return kc_channel_flush_all(c);
}

static void take_fds(struct msghdr *msg, int fds[KC_CHANNEL_FDS_MAX])
{
	size_t kept = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t n;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (fds && kept < KC_CHANNEL_FDS_MAX)
				fds[kept++] = fd;
			else
				(void)kc_close(fd);
		}
	}
}

static void compact(struct kc_channel *c)
{
	if (c->in_used == 0)
		return;
	memmove(c->in.data, c->in.data + c->in_used, c->in.len - c->in_used);
	c->in.len -= c->in_used;
	c->in_used = 0;
}

/* What is free, or as much again as there was when that has become little. */
static size_t room_for_more(const struct kc_channel *c)
{
	size_t used = c->in.len + 1, room = c->in.size > used ? c->in.size - used : 0;

	if (room < CHUNK_MIN / 2)
		room = KC_MAX(c->in.size, (size_t)CHUNK_MIN - 1);
	return KC_MIN(room, (size_t)CHUNK_MAX);
}

static int receive(struct kc_channel *c, int fds[KC_CHANNEL_FDS_MAX], int flags)
{
	union {
		char space[CMSG_SPACE(sizeof(int) * KC_CHANNEL_FDS_MAX)];
		struct cmsghdr align;
	} control;
	struct iovec iov;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	for (size_t i = 0; fds && i < KC_CHANNEL_FDS_MAX; i++)
		fds[i] = -EBADF;
	compact(c);
	/* Into place: a large array on the stack would cost a fault for each of its pages. */
	/* Descriptors come with the first byte of a frame, and the rest of it with them. */
	iov.iov_len = fds ? (size_t)CHUNK_MAX : room_for_more(c);
	iov.iov_base = kc_buf_room(&c->in, iov.iov_len);
	if (!iov.iov_base)
		return -ENOMEM;
	do
		n = recvmsg(c->fd, &msg, MSG_CMSG_CLOEXEC | flags);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	take_fds(&msg, fds);
	if (n == 0)
		return 0;
	kc_buf_grow(&c->in, (size_t)n);
	c->more = (size_t)n == iov.iov_len;
	/* There may be a lot to come: it comes in larger pieces from here on. */
	if (c->more && iov.iov_len < CHUNK_MAX)
		(void)kc_buf_room(&c->in, 2 * iov.iov_len);
	return 1;
}

int kc_channel_receive(struct kc_channel *c, int fds[KC_CHANNEL_FDS_MAX])
{
	return receive(c, fds, 0);
}

int kc_channel_next(struct kc_channel *c, struct kc_frame *ret_frame)
{
	size_t used = 0;
	int r;

	if (c->in.len == c->in_used)
		return 0;
	r = kc_frame_next(c->in.data + c->in_used, c->in.len - c->in_used, ret_frame, &used);
	if (r > 0)
		c->in_used += used;
	return r;
}

/* Until something comes. -ETIMEDOUT. */
static int wait_readable(const struct kc_channel *c, uint64_t deadline_usec)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
	uint64_t now = kc_now_usec();

	if (now >= deadline_usec)
		return -ETIMEDOUT;
	if (poll(&pfd, 1, (int)KC_MIN((deadline_usec - now) / 1000 + 1, (uint64_t)60000)) < 0 &&
	    errno != EINTR)
		return -errno;
	return 0;
}

int kc_channel_wait(struct kc_channel *c, uint64_t deadline_usec, struct kc_frame *ret_frame)
{
	/* Where there is no deadline, a socket that blocks does the waiting itself. */
	int flags = deadline_usec == UINT64_MAX ? 0 : MSG_DONTWAIT;

	for (;;) {
		int r = kc_channel_next(c, ret_frame);

		if (r != 0)
			return r < 0 ? r : 0;
		r = receive(c, NULL, flags);
		if (r == 0)
			return -EPIPE;
		if (r == -EAGAIN)
			r = wait_readable(c, deadline_usec);
		if (r < 0)
			return r;
	}
}

void kc_channel_shut(struct kc_channel *c)
{
	(void)shutdown(c->fd, SHUT_WR);
}

void kc_channel_drain(struct kc_channel *c, uint64_t deadline_usec)
{
	for (;;) {
		struct pollfd pfd = { .fd = c->fd, .events = POLLIN };
		uint64_t now = kc_now_usec();
		int r = kc_channel_receive(c, NULL);

		kc_buf_reset(&c->in);
		c->in_used = 0;
		if (r == 0 || (r < 0 && r != -EAGAIN) || now >= deadline_usec)
			return;
		(void)poll(&pfd, 1, (int)((deadline_usec - now) / 1000 + 1));
	}
}
