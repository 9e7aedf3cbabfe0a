/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/utf8.h"
#include "sys/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

/* The body of an answer, its status, and its message, each out of the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t expected = kc_grpc_expected(data, size);
	char name[KC_GRPC_STATUS_TEXT];
	struct kc_buf text = { 0 };
	struct kc_err err = { 0 };
	const void *message = NULL;
	size_t n = 0;
	int status = -1;
	int r = kc_grpc_message(data, size, &err, &message, &n);

	must(size >= KC_GRPC_PREFIX ? expected >= KC_GRPC_PREFIX : expected == 0);
	if (r == 0)
		must(message == data + KC_GRPC_PREFIX && n == size - KC_GRPC_PREFIX &&
		     expected == size);
	else
		must(r == err.code && err.text[0]);
	if (kc_grpc_status_parse((const char *)data, size, &status) == 0) {
		must(status >= 0 && status <= 999 && *kc_grpc_status_name(status, name));
		must(status == KC_GRPC_OK || kc_grpc_status_errno(status) < 0);
	}
	kc_grpc_message_text((const char *)data, size, &text);
	must(text.len <= size);
	kc_buf_done(&text);
	return 0;
}
