/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/utf8.h"
#include "peer.h"

void kc_peer_init(struct kc_peer *peer, int fd, const char *name)
{
	*peer = (struct kc_peer){ .fd = fd, .name = name };
}

void kc_peer_begin(struct kc_peer *peer, uint64_t started, uint64_t deadline)
{
	peer->started = started;
	peer->deadline = deadline;
	peer->received = 0;
	peer->n_head = 0;
}

void kc_peer_done(struct kc_peer *peer)
{
	peer->fd = kc_close(peer->fd);
}

const char *kc_span_text(uint64_t usec, char buf[KC_SPAN_TEXT])
{
	if (usec >= 1000000 && usec % 1000000 == 0)
		(void)snprintf(buf, KC_SPAN_TEXT, "%" PRIu64 " s", usec / 1000000);
	else if (usec >= 1000000)
		(void)snprintf(buf, KC_SPAN_TEXT, "%.1f s", (double)usec / 1e6);
	else if (usec >= 1000)
		(void)snprintf(buf, KC_SPAN_TEXT, "%" PRIu64 " ms", usec / 1000);
	else
		(void)snprintf(buf, KC_SPAN_TEXT, "%" PRIu64 " us", usec);
	return buf;
}

int kc_peer_late(const struct kc_peer *peer, struct kc_err *err)
{
	char span[KC_SPAN_TEXT];

	(void)kc_span_text(peer->deadline - peer->started, span);
	if (peer->received == 0)
		return kc_err_set(err, -ETIMEDOUT,
				  "%s: accepted the connection and sent not one byte in %s",
				  peer->name, span);
	return kc_err_set(err, -ETIMEDOUT, "%s: sent %" PRIu64 " byte%s in %s and no whole answer",
			  peer->name, peer->received, peer->received == 1 ? "" : "s", span);
}

int kc_peer_gone(const struct kc_peer *peer, uint64_t have, uint64_t want, struct kc_err *err)
{
	if (peer->received == 0)
		return kc_err_set(
			err, -ECONNRESET,
			"%s: accepted the connection and closed it without a byte in answer",
			peer->name);
	if (want > 0)
		return kc_err_set(err, -ECONNRESET,
				  "%s: closed the connection after %" PRIu64 " of %" PRIu64
				  " bytes of its answer",
				  peer->name, have, want);
	return kc_err_set(err, -ECONNRESET,
			  "%s: closed the connection after %" PRIu64
			  " byte%s, in the middle of its answer",
			  peer->name, peer->received, peer->received == 1 ? "" : "s");
}

const char *kc_peer_head(const struct kc_peer *peer, char buf[KC_PEER_HEAD_TEXT])
{
	struct kc_buf b = { 0 };

	kc_escape(&b, peer->head, peer->n_head);
	if (peer->received > peer->n_head)
		kc_buf_adds(&b, "...");
	(void)snprintf(buf, KC_PEER_HEAD_TEXT, "%s",
		       kc_buf_error(&b) < 0 ? "(out of memory)"
		       : b.data		    ? b.data
					    : "");
	kc_buf_done(&b);
	return buf;
}

static int wait_for(struct kc_peer *peer, short events, struct kc_err *err)
{
	for (;;) {
		struct pollfd pfd = { .fd = peer->fd, .events = events };
		uint64_t now = kc_now_usec();
		struct timespec left = { 0 };
		int n;

		if (now >= peer->deadline)
			return kc_peer_late(peer, err);
		left.tv_sec = (time_t)((peer->deadline - now) / 1000000);
		left.tv_nsec = (long)((peer->deadline - now) % 1000000) * 1000;
		n = ppoll(&pfd, 1, &left, NULL);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return kc_err_set(err, -errno, "%s: cannot wait for an answer: %s",
					  peer->name, kc_strerror(errno));
	}
}

static bool is_hangup(int code)
{
	return code == EPIPE || code == ECONNRESET;
}

int kc_peer_read(struct kc_peer *peer, void *data, size_t size, struct kc_err *err, size_t *ret_n)
{
	size_t n_head;
	ssize_t n;

	for (;;) {
		/* A peer that never stops sending must not get past the deadline either. */
		int r = wait_for(peer, POLLIN, err);

		if (r < 0)
			return r;
		n = recv(peer->fd, data, size, MSG_DONTWAIT);
		if (n >= 0)
			break;
		if (is_hangup(errno)) {
			n = 0;
			break;
		}
		if (errno != EINTR && errno != EAGAIN)
			return kc_err_set(err, -errno, "%s: cannot be read from: %s", peer->name,
					  kc_strerror(errno));
	}
	n_head = KC_MIN((size_t)n, sizeof(peer->head) - peer->n_head);
	memcpy(peer->head + peer->n_head, data, n_head);
	peer->n_head += n_head;
	peer->received += (size_t)n;
	*ret_n = (size_t)n;
	return 0;
}

int kc_peer_write(struct kc_peer *peer, const void *data, size_t size, struct kc_err *err)
{
	const char *p = data;

	while (size > 0 && !peer->deaf) {
		ssize_t n = send(peer->fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);
		int r;

		if (n >= 0) {
			p += n;
			size -= (size_t)n;
			continue;
		}
		if (is_hangup(errno)) {
			peer->deaf = true;
		} else if (errno == EAGAIN) {
			r = wait_for(peer, POLLOUT, err);
			if (r < 0)
				return r;
		} else if (errno != EINTR) {
			return kc_err_set(err, -errno, "%s: cannot be written to: %s", peer->name,
					  kc_strerror(errno));
		}
	}
	return 0;
}
