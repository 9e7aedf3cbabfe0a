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
	const char *old = (const char *)data;
	const char *new = size > 0 ? memchr(old, 0, size) : NULL;
	size_t old_size = new ? (size_t)(new - old) : size, new_size = size - old_size;

	if (new) {
		new ++;
		new_size--;
	}
	if (kc_diff(old, old_size, new, new_size, &diff) < 0)
		return 0;
	if (kc_apply_diff(old, old_size, diff.data, diff.len, &out) < 0 || out.len != new_size ||
	    (new_size > 0 && memcmp(out.data, new, new_size) != 0))
		abort();
	return 0;
}
