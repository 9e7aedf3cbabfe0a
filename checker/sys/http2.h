/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "peer.h"

/*
 * HTTP/2 with prior knowledge (RFC 9113) on a connected socket, for one gRPC call after the other,
 * by nghttp2. Answers are bounded in frames, fields and bytes.
 */
struct kc_http2;

enum {
	KC_HTTP2_FIELDS_MAX = 64,
	KC_HTTP2_FIELD_BYTES_MAX = 16 * 1024, /* names and values of an answer together */
};

/* Zeroed at first; done by kc_http2_answer_done(). */
struct kc_http2_answer {
	int http_status; /* 200; 0 when there was none */
	char content_type[64]; /* cut when longer */
	int grpc_status; /* -1 when there was none */
	struct kc_buf grpc_message; /* decoded; of any bytes */
	struct kc_buf body;
};

void kc_http2_answer_done(struct kc_http2_answer *answer);

/* Takes over the peer's descriptor, also when it fails. Nothing is sent yet. Freed by
 * kc_http2_free(). */
int kc_http2_new(const struct kc_peer *peer, struct kc_err *err, struct kc_http2 **ret_http2);
void kc_http2_free(struct kc_http2 *h2);
KC_DEFINE_CLEANUP(struct kc_http2 *, kc_http2_free);

/* Whether another call can be made: the other side has not closed, nor said that it will. */
bool kc_http2_is_usable(struct kc_http2 *h2);

/*
 * POSTs the request to the path as a gRPC client does, and waits for the whole answer, until
 * `deadline` (kc_now_usec()). 0 for every whole answer, whatever its statuses. -EPROTO: not HTTP/2,
 * or against its rules; -ECONNRESET: the connection, the stream or the server's will ended before
 * the answer did; -EFBIG: more than max_body; -ETIMEDOUT. Messages begin with the peer's name.
 * After an error only kc_http2_free() is left.
 */
int kc_http2_call(struct kc_http2 *h2, uint64_t started, uint64_t deadline, const char *path,
		  const void *request, size_t size, size_t max_body, struct kc_err *err,
		  struct kc_http2_answer *answer);
