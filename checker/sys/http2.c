/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "grpc.h"
#include "http2.h"

enum {
	FRAME_HEADER = 9,
	WINDOW = 1024 * 1024
};

struct kc_http2 {
	struct kc_peer peer;
	nghttp2_session *session;
	bool greeted; /* its first bytes were the head of a SETTINGS frame */
	bool said_away; /* it sent GOAWAY */
	uint32_t away_code;
	struct kc_buf away_text; /* escaped */

	/* the call that is under way */
	int32_t stream;
	const char *request;
	size_t request_size, request_sent;
	struct kc_http2_answer *answer;
	size_t max_body, field_bytes, n_fields;
	bool ended, reset;
	uint32_t end_code;
	struct kc_err refusal; /* of a bound that the answer broke */
	int invalid; /* nghttp2's error about a frame */
};

void kc_http2_answer_done(struct kc_http2_answer *answer)
{
	kc_buf_done(&answer->grpc_message);
	kc_buf_done(&answer->body);
}

static int refuse(struct kc_http2 *h2, int code, const char *fmt, ...) kc_printf(3, 4);

static int refuse(struct kc_http2 *h2, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)kc_err_setv(&h2->refusal, code, fmt, ap);
	va_end(ap);
	(void)kc_err_prefix(&h2->refusal, "%s", h2->peer.name);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static bool is_field(const uint8_t *name, size_t size, const char *wanted)
{
	return size == strlen(wanted) && memcmp(name, wanted, size) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
		     void *user)
{
	struct kc_http2 *h2 = user;
	struct kc_http2_answer *answer = h2->answer;
	const char *text = (const char *)value;

	h2->field_bytes += name_size + value_size;
	if (++h2->n_fields > KC_HTTP2_FIELDS_MAX || h2->field_bytes > KC_HTTP2_FIELD_BYTES_MAX)
		return refuse(h2, -EFBIG,
			      "its answer has more than %d header fields, or %d bytes of them",
			      KC_HTTP2_FIELDS_MAX, KC_HTTP2_FIELD_BYTES_MAX);
	if (!answer || frame->hd.stream_id != h2->stream)
		return 0;
	if (is_field(name, name_size, ":status")) {
		if (kc_grpc_status_parse(text, value_size, &answer->http_status) < 0)
			return refuse(h2, -EPROTO, "the answer's HTTP status is no number");
	} else if (is_field(name, name_size, "content-type")) {
		(void)snprintf(answer->content_type, sizeof(answer->content_type), "%.*s",
			       (int)KC_MIN(value_size, sizeof(answer->content_type)), text);
	} else if (is_field(name, name_size, "grpc-status")) {
		if (kc_grpc_status_parse(text, value_size, &answer->grpc_status) < 0)
			return refuse(h2, -EBADMSG, "the answer's grpc-status is no number");
	} else if (is_field(name, name_size, "grpc-message")) {
		kc_buf_reset(&answer->grpc_message);
		kc_grpc_message_text(text, value_size, &answer->grpc_message);
	}
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
		   size_t size, void *user)
{
	struct kc_http2 *h2 = user;

	if (!h2->answer || stream != h2->stream)
		return 0;
	if (size > h2->max_body - h2->answer->body.len)
		return refuse(h2, -EFBIG, "its answer is larger than %zu bytes", h2->max_body);
	kc_buf_add(&h2->answer->body, data, size);
	return kc_buf_error(&h2->answer->body) < 0 ? refuse(h2, -ENOMEM, "out of memory") : 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct kc_http2 *h2 = user;

	if (frame->hd.type == NGHTTP2_RST_STREAM && frame->hd.stream_id == h2->stream)
		h2->reset = true;
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		h2->said_away = true;
		h2->away_code = frame->goaway.error_code;
		kc_buf_reset(&h2->away_text);
		kc_escape(&h2->away_text, (const char *)frame->goaway.opaque_data,
			  KC_MIN(frame->goaway.opaque_data_len, (size_t)100));
	}
	return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
			    void *user)
{
	struct kc_http2 *h2 = user;

	h2->invalid = code;
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
	struct kc_http2 *h2 = user;

	if (stream == h2->stream) {
		h2->ended = true;
		h2->end_code = code;
	}
	return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *data, size_t size,
			    uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct kc_http2 *h2 = user;
	size_t n = KC_MIN(size, h2->request_size - h2->request_sent);

	memcpy(data, h2->request + h2->request_sent, n);
	h2->request_sent += n;
	if (h2->request_sent == h2->request_size)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

void kc_http2_free(struct kc_http2 *h2)
{
	nghttp2_session_del(h2->session);
	kc_buf_done(&h2->away_text);
	kc_peer_done(&h2->peer);
	free(h2);
}

static int new_session(struct kc_http2 *h2)
{
	static const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, KC_HTTP2_FIELD_BYTES_MAX },
	};
	nghttp2_session_callbacks *callbacks;
	int r;

	r = nghttp2_session_callbacks_new(&callbacks);
	if (r != 0)
		return r;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	r = nghttp2_session_client_new(&h2->session, callbacks, h2);
	nghttp2_session_callbacks_del(callbacks);
	if (r == 0)
		r = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
					    KC_ARRAY_SIZE(settings));
	return r;
}

int kc_http2_new(const struct kc_peer *peer, struct kc_err *err, struct kc_http2 **ret_http2)
{
	kc_cleanup(kc_http2_freep) struct kc_http2 *h2 = calloc(1, sizeof(*h2));
	struct kc_peer taken = *peer;

	if (!h2) {
		kc_peer_done(&taken);
		return kc_err_set(err, -ENOMEM, "%s: out of memory", peer->name);
	}
	h2->peer = taken;
	if (new_session(h2) != 0)
		return kc_err_set(err, -ENOMEM, "%s: out of memory", peer->name);
	*ret_http2 = TAKE_PTR(h2);
	return 0;
}

static bool is_alive(struct kc_http2 *h2)
{
	return !h2->said_away && !h2->peer.deaf && h2->refusal.code == 0 &&
	       nghttp2_session_want_read(h2->session);
}

bool kc_http2_is_usable(struct kc_http2 *h2)
{
	/* What came since the last call: a GOAWAY, a PING, or the end. */
	for (;;) {
		uint8_t data[4096];
		ssize_t n = recv(h2->peer.fd, data, sizeof(data), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return is_alive(h2);
		h2->n_fields = h2->field_bytes = 0;
		if (n <= 0 || nghttp2_session_mem_recv(h2->session, data, (size_t)n) < 0 ||
		    !is_alive(h2))
			return false;
	}
}

static int flush_output(struct kc_http2 *h2, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	const uint8_t *data;
	ssize_t n;

	/* One write for all: the preface, settings and request of a call go out together. */
	while ((n = nghttp2_session_mem_send(h2->session, &data)) > 0)
		kc_buf_add(&out, data, (size_t)n);
	if (n < 0)
		return kc_err_set(err, n == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EPROTO,
				  "%s: HTTP/2 cannot go on: %s", h2->peer.name,
				  nghttp2_strerror((int)n));
	if (kc_buf_error(&out) < 0)
		return kc_err_set(err, -ENOMEM, "%s: out of memory", h2->peer.name);
	return kc_peer_write(&h2->peer, out.data, out.len, err);
}

/*
 * A server's first frame is SETTINGS. Says early and in plain words what else it is, where nghttp2
 * would wait for a frame of sixteen million bytes. 1: it is SETTINGS; 0: not to be told yet.
 */
static int judge_greeting(const struct kc_peer *peer, struct kc_err *err)
{
	static const char http1[] = "HTTP/1.";
	const unsigned char *p = (const unsigned char *)peer->head;
	size_t n = peer->n_head;
	char text[KC_PEER_HEAD_TEXT];

	if (memcmp(p, http1, KC_MIN(n, strlen(http1))) == 0)
		return n < strlen(http1) ? 0
					 : kc_err_set(err, -EPROTO,
						      "%s: answers HTTP/1.1, not the HTTP/2 of CRI",
						      peer->name);
	if ((n >= 1 && p[0] != 0) || (n >= 4 && p[3] != NGHTTP2_SETTINGS) ||
	    (n >= 5 && (p[4] & NGHTTP2_FLAG_ACK)) ||
	    (n >= FRAME_HEADER && (p[5] | p[6] | p[7] | p[8]) != 0))
		return kc_err_set(err, -EPROTO,
				  "%s: the answer is not HTTP/2: its %" PRIu64
				  " bytes begin \"%s\"",
				  peer->name, peer->received, kc_peer_head(peer, text));
	return n >= FRAME_HEADER;
}

static int receive(struct kc_http2 *h2, struct kc_err *err)
{
	uint8_t data[16384];
	ssize_t used;
	size_t n;
	int r;

	r = kc_peer_read(&h2->peer, data, sizeof(data), err, &n);
	if (r < 0)
		return r;
	if (n == 0)
		return kc_peer_gone(&h2->peer, h2->answer->body.len,
				    kc_grpc_expected(h2->answer->body.data, h2->answer->body.len),
				    err);
	if (!h2->greeted) {
		r = judge_greeting(&h2->peer, err);
		if (r < 0)
			return r;
		h2->greeted = r > 0;
	}
	/* Frames without end that carry nothing of the answer: pings, settings, empty ones. */
	if (h2->peer.received > 2 * (uint64_t)h2->max_body + WINDOW)
		return kc_err_set(err, -EFBIG, "%s: sent %" PRIu64 " bytes and no whole answer",
				  h2->peer.name, h2->peer.received);
	used = nghttp2_session_mem_recv(h2->session, data, n);
	if (h2->refusal.code < 0)
		return kc_err_set(err, h2->refusal.code, "%s", h2->refusal.text);
	if (used < 0)
		return kc_err_set(err, used == NGHTTP2_ERR_NOMEM ? -ENOMEM : -EPROTO,
				  "%s: the answer breaks the rules of HTTP/2: %s", h2->peer.name,
				  nghttp2_strerror((int)used));
	return 0;
}

/* The call ended, or never will: why, when it is not with a whole answer. */
static int judge_end(struct kc_http2 *h2, struct kc_err *err)
{
	if (h2->ended && h2->end_code == NGHTTP2_NO_ERROR)
		return 0;
	if (h2->invalid != 0)
		return kc_err_set(err, -EPROTO, "%s: the answer breaks the rules of HTTP/2: %s",
				  h2->peer.name, nghttp2_strerror(h2->invalid));
	if (h2->reset)
		return kc_err_set(err, -ECONNRESET, "%s: broke off the answer (RST_STREAM, %s)",
				  h2->peer.name, nghttp2_http2_strerror(h2->end_code));
	if (h2->said_away)
		return kc_err_set(err, -ECONNRESET,
				  "%s: ended the connection before it answered (GOAWAY, %s%s%s)",
				  h2->peer.name, nghttp2_http2_strerror(h2->away_code),
				  h2->away_text.len > 0 ? ": " : "",
				  h2->away_text.len > 0 ? h2->away_text.data : "");
	return kc_err_set(err, -EPROTO, "%s: the answer breaks the rules of HTTP/2", h2->peer.name);
}

static int submit(struct kc_http2 *h2, const char *path)
{
#define FIELD(n, v)                                                                    \
	{                                                                              \
		.name = (uint8_t *)(uintptr_t)(n), .value = (uint8_t *)(uintptr_t)(v), \
		.namelen = strlen(n), .valuelen = strlen(v),                           \
	}
	const nghttp2_nv fields[] = {
		FIELD(":method", "POST"),
		FIELD(":scheme", "http"),
		FIELD(":path", path),
		FIELD(":authority", "localhost"),
		FIELD("content-type", "application/grpc"),
		FIELD("te", "trailers"),
		FIELD("user-agent", "k8scheck"),
	};
#undef FIELD
	const nghttp2_data_provider body = { .read_callback = read_request };

	return nghttp2_submit_request(h2->session, NULL, fields, KC_ARRAY_SIZE(fields), &body,
				      NULL);
}

int kc_http2_call(struct kc_http2 *h2, uint64_t started, uint64_t deadline, const char *path,
		  const void *request, size_t size, size_t max_body, struct kc_err *err,
		  struct kc_http2_answer *answer)
{
	int r = 0;

	kc_peer_begin(&h2->peer, started, deadline);
	kc_http2_answer_done(answer);
	*answer = (struct kc_http2_answer){ .grpc_status = -1 };
	h2->answer = answer;
	h2->request = request;
	h2->request_size = size;
	h2->request_sent = 0;
	h2->max_body = max_body;
	h2->field_bytes = h2->n_fields = 0;
	h2->ended = h2->reset = false;
	h2->stream = submit(h2, path);
	if (h2->stream < 0)
		r = kc_err_set(err, -ENOMEM, "%s: no request can be made: %s", h2->peer.name,
			       nghttp2_strerror(h2->stream));
	while (r == 0 && !h2->ended) {
		r = flush_output(h2, err);
		if (r < 0 || (!nghttp2_session_want_read(h2->session) &&
			      !nghttp2_session_want_write(h2->session)))
			break;
		r = receive(h2, err);
	}
	if (r == 0)
		r = judge_end(h2, err);
	h2->answer = NULL;
	return r;
}
