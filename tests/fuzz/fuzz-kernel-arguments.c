/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/kernel-arguments.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names hold no equals sign but at their start, and together they are no longer than the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 16 << 20 };
	struct kc_kernel_argument *item;
	size_t n, length = 0;

	if (kc_kernel_arguments_parse((const char *)data, size, &arena, &item, &n) < 0)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct kc_kernel_argument *a = &item[i];

		length += strlen(a->name) + (a->value ? strlen(a->value) + 1 : 0);
		if (length > size || (*a->name && strchr(a->name + 1, '=')) ||
		    (i && item[i - 1].for_init && !a->for_init))
			abort();
		if (!a->for_init &&
		    !kc_kernel_argument_is(kc_kernel_argument_last(item, n, a->name), a->name))
			abort();
	}
	return 0;
}
