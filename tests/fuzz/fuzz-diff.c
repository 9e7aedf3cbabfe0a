/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "apply-diff.h"
#include "model/diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two texts, split at the first NUL byte: the diff of them, applied to one, gives the other. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_buf_done) struct kc_buf diff = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };
	const char *from = (const char *)data;
	const char *to = size > 0 ? memchr(from, 0, size) : NULL;
	size_t from_size = to ? (size_t)(to - from) : size, to_size = size - from_size;

	if (to) {
		to++;
		to_size--;
	}
	if (kc_diff(from, from_size, to, to_size, &diff) < 0)
		return 0;
	if (kc_apply_diff(from, from_size, diff.data, diff.len, &out) < 0 || out.len != to_size ||
	    (to_size > 0 && memcmp(out.data, to, to_size) != 0))
		abort();
	return 0;
}
