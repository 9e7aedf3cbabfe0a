/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "model/mask.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is not masked comes out as it went in, and the cheap test never misses a text that changes.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const char *text = (const char *)data;
	unsigned hits = kc_mask(&b, text, size);

	if (kc_buf_error(&b) < 0)
		return 0;
	if (hits > 0 && !kc_mask_needed(text, size))
		abort();
	if (hits == 0 && (b.len != size || (size > 0 && memcmp(b.data, text, size) != 0)))
		abort();
	return 0;
}
