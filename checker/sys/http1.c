/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/fdio.h"
#include "base/num.h"
#include "http1.h"

/* The head of an answer, and where its body begins. */
struct head {
	int status;
	bool chunked, has_length;
	uint64_t length;
	size_t size;
};

void kc_http1_answer_done(struct kc_http1_answer *answer)
{
	kc_buf_done(&answer->body);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "HTTP/1.x NNN", a reason or none behind it. */
static int parse_status_line(const char *line, size_t size, struct kc_err *err, int *ret_status)
{
	const char *digits = line + strlen("HTTP/1.x ");

	if (size < strlen("HTTP/1.x NNN") || !is_digit(line[7]) || line[8] != ' ' ||
	    !is_digit(digits[0]) || !is_digit(digits[1]) || !is_digit(digits[2]) ||
	    digits[0] == '0' || (size > 12 && digits[3] != ' '))
		return kc_err_set(err, -EBADMSG, "the status line is malformed");
	*ret_status = (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
	return 0;
}

static int parse_length(const char *value, size_t size, struct kc_err *err, struct head *head)
{
	char text[21];
	uint64_t length;

	if (size == 0 || size >= sizeof(text))
		return kc_err_set(err, -EBADMSG, "its Content-Length is no number");
	memcpy(text, value, size);
	text[size] = 0;
	if (!is_digit(text[0]) || kc_parse_u64(text, &length) < 0)
		return kc_err_set(err, -EBADMSG, "its Content-Length is no number");
	if (head->has_length && head->length != length)
		return kc_err_set(err, -EBADMSG, "it has two Content-Lengths");
	head->has_length = true;
	head->length = length;
	return 0;
}

static bool is_name(const char *name, size_t size, const char *wanted)
{
	return size == strlen(wanted) && strncasecmp(name, wanted, size) == 0;
}

static int parse_field(const char *line, size_t size, struct kc_err *err, struct head *head)
{
	const char *colon = memchr(line, ':', size);
	const char *value, *end = line + size;
	size_t name_size;

	/* A line that begins with white space goes on with the one before: obsolete, and refused.
	 */
	if (!colon || colon == line || kc_isspace(line[0]) || kc_isspace(colon[-1]))
		return kc_err_set(err, -EBADMSG, "a header field is malformed");
	name_size = (size_t)(colon - line);
	for (value = colon + 1; value < end && kc_isspace(*value);)
		value++;
	while (end > value && kc_isspace(end[-1]))
		end--;
	if (is_name(line, name_size, "content-length"))
		return parse_length(value, (size_t)(end - value), err, head);
	if (is_name(line, name_size, "transfer-encoding")) {
		if (!is_name(value, (size_t)(end - value), "chunked") || head->chunked)
			return kc_err_set(err, -EBADMSG,
					  "its Transfer-Encoding is not \"chunked\"");
		head->chunked = true;
	}
	return 0;
}

/* Finds the line at `at`; its size without CR LF, or -1 when its end is not there yet. */
static ssize_t find_line(const char *data, size_t size, size_t at)
{
	const char *end = memmem(data + at, size - at, "\r\n", 2);

	return end ? end - (data + at) : -1;
}

/* 1 and the head, 0 when bytes are missing. */
static int parse_head(const char *data, size_t size, size_t at, struct kc_err *err,
		      struct head *ret_head)
{
	static const char version[] = "HTTP/1.";
	struct head head = { 0 };
	size_t begin = at;

	if (memcmp(data + at, version, KC_MIN(size - at, strlen(version))) != 0)
		return kc_err_set(err, -EPROTO, "this is not HTTP/1");
	for (unsigned n = 0;; n++) {
		ssize_t line = find_line(data, size, at);
		int r;

		if (line < 0 ? size - begin > KC_HTTP1_HEAD_MAX
			     : at + (size_t)line - begin > KC_HTTP1_HEAD_MAX)
			return kc_err_set(err, -EFBIG, "its head is larger than %d bytes",
					  KC_HTTP1_HEAD_MAX);
		if (line < 0)
			return 0;
		if (n > KC_HTTP1_FIELDS_MAX)
			return kc_err_set(err, -EFBIG, "its head has more than %d fields",
					  KC_HTTP1_FIELDS_MAX);
		if (n == 0)
			r = parse_status_line(data + at, (size_t)line, err, &head.status);
		else if (line == 0)
			break;
		else
			r = parse_field(data + at, (size_t)line, err, &head);
		if (r < 0)
			return r;
		at += (size_t)line + 2;
	}
	if (head.chunked && head.has_length)
		return kc_err_set(err, -EBADMSG,
				  "it has both a Content-Length and a Transfer-Encoding");
	head.size = at + 2;
	*ret_head = head;
	return 1;
}

/* The size of a chunk in its line; what stands behind a semicolon says nothing to us. */
static int parse_chunk_size(const char *line, size_t size, struct kc_err *err, uint64_t *ret_size)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < size && kc_hex_digit(line[i]) >= 0; i++) {
		if (value >> 32)
			return kc_err_set(err, -EBADMSG, "a chunk's size is no number");
		value = value * 16 + (uint64_t)kc_hex_digit(line[i]);
	}
	if (i == 0 || (i < size && line[i] != ';' && !kc_isspace(line[i])))
		return kc_err_set(err, -EBADMSG, "a chunk's size is no number");
	*ret_size = value;
	return 0;
}

/* The fields behind the last chunk, up to an empty line. */
static int skip_trailers(const char *data, size_t size, size_t at, struct kc_err *err)
{
	size_t begin = at;

	for (;;) {
		ssize_t line = find_line(data, size, at);

		if (size - begin > KC_HTTP1_HEAD_MAX)
			return kc_err_set(err, -EFBIG, "its trailers are larger than %d bytes",
					  KC_HTTP1_HEAD_MAX);
		if (line <= 0)
			return line == 0;
		at += (size_t)line + 2;
	}
}

static int parse_chunks(const char *data, size_t size, size_t at, size_t max_body,
			struct kc_err *err, struct kc_http1_answer *answer)
{
	for (;;) {
		ssize_t line = find_line(data, size, at);
		uint64_t chunk = 0;
		int r;

		if (line > 1024 || (line < 0 && size - at > 1024))
			return kc_err_set(err, -EBADMSG, "a chunk's size is no number");
		if (line < 0)
			return 0;
		r = parse_chunk_size(data + at, (size_t)line, err, &chunk);
		if (r < 0)
			return r;
		at += (size_t)line + 2;
		if (chunk == 0)
			return skip_trailers(data, size, at, err);
		if (chunk > max_body - answer->have)
			return kc_err_set(err, -EFBIG, "its body is larger than %zu bytes",
					  max_body);
		kc_buf_add(&answer->body, data + at, KC_MIN((size_t)chunk, size - at));
		answer->have += KC_MIN(chunk, size - at);
		if (size - at < chunk + 2)
			return 0;
		at += (size_t)chunk;
		if (memcmp(data + at, "\r\n", 2) != 0)
			return kc_err_set(err, -EBADMSG, "a chunk does not end where it should");
		at += 2;
	}
}

static int parse_body(const char *data, size_t size, bool ended, size_t max_body,
		      const struct head *head, struct kc_err *err, struct kc_http1_answer *answer)
{
	size_t have = size - head->size;

	if (head->status == 204 || head->status == 304)
		return 1;
	if (head->chunked)
		return parse_chunks(data, size, head->size, max_body, err, answer);
	if (head->has_length ? head->length > max_body : have > max_body)
		return kc_err_set(err, -EFBIG, "its body is larger than %zu bytes", max_body);
	if (head->has_length) {
		answer->want = head->length;
		have = KC_MIN(have, (size_t)head->length);
	}
	answer->have = have;
	kc_buf_add(&answer->body, data + head->size, have);
	return head->has_length ? have == head->length : ended;
}

int kc_http1_parse(const char *data, size_t size, bool ended, size_t max_body, struct kc_err *err,
		   struct kc_http1_answer *answer)
{
	struct head head = { 0 };
	int r;

	answer->status = 0;
	answer->have = answer->want = 0;
	kc_buf_reset(&answer->body);
	/* Answers of 1xx come before the one that counts. */
	do {
		r = parse_head(data, size, head.size, err, &head);
		if (r <= 0)
			return r;
	} while (head.status < 200);
	answer->status = head.status;
	r = parse_body(data, size, ended, max_body, &head, err, answer);
	if (r > 0 && kc_buf_error(&answer->body) < 0)
		return kc_err_set(err, -ENOMEM, "it does not fit into memory");
	if (r <= 0)
		kc_buf_reset(&answer->body);
	return r;
}

static int describe(const struct kc_peer *peer, int code, struct kc_err *err)
{
	char head[KC_PEER_HEAD_TEXT];

	if (code == -EPROTO)
		return kc_err_set(err, -EPROTO,
				  "%s: the answer is not HTTP/1.1: its %" PRIu64
				  " bytes begin \"%s\"",
				  peer->name, peer->received, kc_peer_head(peer, head));
	(void)kc_err_prefix(err, "%s: the answer cannot be understood", peer->name);
	return code;
}

int kc_http1_get(struct kc_peer *peer, const char *host, const char *path, size_t max_body,
		 struct kc_err *err, struct kc_http1_answer *answer)
{
	kc_cleanup(kc_buf_done) struct kc_buf request = { 0 }, data = { 0 };
	char chunk[16384];
	size_t n;
	int r;

	kc_buf_addf(&request,
		    "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: k8scheck\r\nAccept: */*\r\n"
		    "Connection: close\r\n\r\n",
		    path, host);
	if (kc_buf_error(&request) < 0)
		return kc_err_set(err, -ENOMEM, "%s: out of memory", peer->name);
	r = kc_peer_write(peer, request.data, request.len, err);
	if (r < 0)
		return r;
	do {
		r = kc_peer_read(peer, chunk, sizeof(chunk), err, &n);
		if (r < 0)
			return r;
		kc_buf_add(&data, chunk, n);
		if (kc_buf_error(&data) < 0)
			return kc_err_set(err, -ENOMEM, "%s: out of memory", peer->name);
		/* A body in chunks of a byte takes six times its size. */
		if (data.len > 8 * (max_body + KC_HTTP1_HEAD_MAX))
			return kc_err_set(err, -EFBIG, "%s: the answer is too large", peer->name);
		r = data.len == 0
			    ? 0
			    : kc_http1_parse(data.data, data.len, n == 0, max_body, err, answer);
		if (r < 0)
			return describe(peer, r, err);
	} while (r == 0 && n > 0);
	if (r == 0)
		return kc_peer_gone(peer, answer->have, answer->want, err);
	return 0;
}
