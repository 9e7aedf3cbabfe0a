/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sys/http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MAX_BODY = 1024
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int ended = 0; ended < 2; ended++) {
		struct kc_http1_answer answer = { 0 };
		struct kc_err err = { 0 };
		int r = kc_http1_parse((const char *)data, size, ended, MAX_BODY, &err, &answer);

		if (r < 0 ? err.code != r || err.text[0] == '\0' : r > 1)
			abort();
		if (answer.body.len > MAX_BODY || (r == 1 && answer.status < 200) ||
		    (answer.want > 0 && answer.have > answer.want))
			abort();
		kc_http1_answer_done(&answer);
	}
	return 0;
}
