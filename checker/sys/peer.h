/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * The other end of a connected stream socket, one conversation with it, and how far that got. The
 * deadline is the conversation's, not a step's: who sends a byte now and then does not move it.
 */
struct kc_peer {
	int fd; /* non-blocking; owned, closed by kc_peer_done() */
	const char *name; /* what messages begin with: a socket's path, a URL; borrowed */
	uint64_t started, deadline; /* kc_now_usec() */
	uint64_t received; /* bytes of this conversation */
	char head[32]; /* the first of them, for messages */
	size_t n_head;
	bool deaf; /* takes no more bytes; what it had sent before can still be read */
};

/* Takes over the descriptor. */
void kc_peer_init(struct kc_peer *peer, int fd, const char *name);

/* Begins a conversation on a connection that is there: nothing received, `deadline` ahead. */
void kc_peer_begin(struct kc_peer *peer, uint64_t started, uint64_t deadline);

void kc_peer_done(struct kc_peer *peer);

/*
 * Waits for bytes, at most until the deadline. *ret_n is 0 when the other side has closed, or
 * reset, the connection. -ETIMEDOUT as kc_peer_late() says it.
 */
int kc_peer_read(struct kc_peer *peer, void *data, size_t size, struct kc_err *err, size_t *ret_n);

/*
 * Sends all. 0 too when the other side has closed the connection (`deaf` is set then): what it said
 * before is still to be read, and tells more.
 */
int kc_peer_write(struct kc_peer *peer, const void *data, size_t size, struct kc_err *err);

/* -ETIMEDOUT, with how many bytes came in what time. */
int kc_peer_late(const struct kc_peer *peer, struct kc_err *err);

/* -ECONNRESET for an answer of which `have` of `want` bytes came; want 0: nobody knows how many. */
int kc_peer_gone(const struct kc_peer *peer, uint64_t have, uint64_t want, struct kc_err *err);

/* The first bytes of the conversation, escaped for a message, cut when long. */
enum {
	KC_PEER_HEAD_TEXT = 160
};
const char *kc_peer_head(const struct kc_peer *peer, char buf[KC_PEER_HEAD_TEXT]);

/* "1 s", "200 ms", "1.5 s", "250 us". */
enum {
	KC_SPAN_TEXT = 32
};
const char *kc_span_text(uint64_t usec, char buf[KC_SPAN_TEXT]);
