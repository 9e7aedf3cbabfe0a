/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "peer.h"

/*
 * The little of HTTP/1.1 (RFC 9112) that a GET of a local daemon takes: one request, one answer,
 * whose body has a length, comes in chunks, or ends with the connection.
 */

enum {
	KC_HTTP1_HEAD_MAX = 32 * 1024, /* status line and fields */
	KC_HTTP1_FIELDS_MAX = 100,
};

/* Zeroed at first; done by kc_http1_answer_done(). */
struct kc_http1_answer {
	int status; /* 200; 0 until the head is whole */
	struct kc_buf body; /* only of a whole answer */
	uint64_t have, want; /* bytes of the body so far; want 0: not known */
};

void kc_http1_answer_done(struct kc_http1_answer *answer);

/*
 * Parses what has come so far; `ended` says that no more will. Returns 1 when the answer is whole,
 * 0 when bytes are missing (have and want say how far it is). -EPROTO: it is not HTTP/1; -EBADMSG:
 * malformed; -EFBIG: head or body are larger than allowed. Messages name no place.
 */
int kc_http1_parse(const char *data, size_t size, bool ended, size_t max_body, struct kc_err *err,
		   struct kc_http1_answer *answer);

/*
 * Sends "GET path" with the given Host and reads the answer, of any status. Errors as above, and
 * those of the peer; -ECONNRESET when the connection ended before the answer did. Messages begin
 * with the peer's name. The connection is used up.
 */
int kc_http1_get(struct kc_peer *peer, const char *host, const char *path, size_t max_body,
		 struct kc_err *err, struct kc_http1_answer *answer);
