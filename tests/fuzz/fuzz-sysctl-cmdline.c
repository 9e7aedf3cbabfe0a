/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sysctl/cmdline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Arguments come out one after another, none of them outside the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	char *text = kc_arena_memdup(&arena, data, size), *at = text, *key, *value;

	while (text && sysctl_cmdline_next(&at, &key, &value)) {
		if (key < text || at > text + size || key + strlen(key) > at)
			abort();
		if (value && (value <= key || value + strlen(value) > at))
			abort();
	}
	return 0;
}
