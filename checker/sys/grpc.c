/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "base/num.h"
#include "grpc.h"

const char kc_grpc_empty_request[KC_GRPC_PREFIX] = { 0 };

static size_t prefix_length(const unsigned char *p)
{
	return (size_t)((uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4]);
}

int kc_grpc_message(const void *body, size_t size, struct kc_err *err, const void **ret_message,
		    size_t *ret_size)
{
	const unsigned char *p = body;
	size_t have, want;

	if (size == 0)
		return kc_err_set(err, -EBADMSG, "there is no message in it");
	if (size < KC_GRPC_PREFIX)
		return kc_err_set(err, -EBADMSG,
				  "it ends after %zu of the %d bytes before a message", size,
				  KC_GRPC_PREFIX);
	if (p[0] == 1)
		return kc_err_set(err, -EBADMSG, "it is compressed, which was not asked for");
	if (p[0] != 0)
		return kc_err_set(err, -EBADMSG, "it begins with the flag %u, which there is not",
				  (unsigned)p[0]);
	have = size - KC_GRPC_PREFIX;
	want = prefix_length(p);
	if (have < want)
		return kc_err_set(err, -EBADMSG, "its message ends after %zu of %zu bytes", have,
				  want);
	if (have > want)
		return kc_err_set(err, -EBADMSG, "%zu bytes follow its message of %zu", have - want,
				  want);
	*ret_message = p + KC_GRPC_PREFIX;
	*ret_size = want;
	return 0;
}

size_t kc_grpc_expected(const void *body, size_t size)
{
	return size < KC_GRPC_PREFIX ? 0 : KC_GRPC_PREFIX + prefix_length(body);
}

int kc_grpc_status_parse(const char *text, size_t size, int *ret_status)
{
	int status = 0;

	if (size == 0 || size > 3)
		return -EBADMSG;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EBADMSG;
		status = status * 10 + (text[i] - '0');
	}
	*ret_status = status;
	return 0;
}

const char *kc_grpc_status_name(int status, char buf[KC_GRPC_STATUS_TEXT])
{
	static const char *const names[] = {
		"OK",
		"CANCELLED",
		"UNKNOWN",
		"INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED",
		"NOT_FOUND",
		"ALREADY_EXISTS",
		"PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED",
		"FAILED_PRECONDITION",
		"ABORTED",
		"OUT_OF_RANGE",
		"UNIMPLEMENTED",
		"INTERNAL",
		"UNAVAILABLE",
		"DATA_LOSS",
		"UNAUTHENTICATED",
	};

	if (status >= 0 && (size_t)status < KC_ARRAY_SIZE(names))
		return names[status];
	(void)snprintf(buf, KC_GRPC_STATUS_TEXT, "status %d", status);
	return buf;
}

int kc_grpc_status_errno(int status)
{
	switch (status) {
	case 4: /* DEADLINE_EXCEEDED */
		return -ETIMEDOUT;
	case 7: /* PERMISSION_DENIED */
	case 16: /* UNAUTHENTICATED */
		return -EACCES;
	case KC_GRPC_UNIMPLEMENTED:
		return -ENOTSUP;
	case 8: /* RESOURCE_EXHAUSTED */
	case 14: /* UNAVAILABLE: a runtime that is still starting says this */
		return -EAGAIN;
	default:
		return -EREMOTEIO;
	}
}

void kc_grpc_message_text(const char *text, size_t size, struct kc_buf *b)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '%' && size - i > 2 && kc_hex_digit(text[i + 1]) >= 0 &&
		    kc_hex_digit(text[i + 2]) >= 0) {
			kc_buf_addc(b, (char)(kc_hex_digit(text[i + 1]) * 16 +
					      kc_hex_digit(text[i + 2])));
			i += 2;
		} else {
			kc_buf_addc(b, text[i]);
		}
	}
}
