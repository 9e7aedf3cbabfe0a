/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "swap/zram-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 256 * 1024 * 1024
};

/* Every device has a name, and a line of the file; read twice, it has the same devices. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	struct swap_zram_devices devices = { 0 };
	size_t n;

	if (swap_zram_file_parse("/x", (const char *)data, size, &arena, &devices) == 0) {
		for (size_t i = 0; i < devices.n; i++) {
			const struct swap_zram_device *d = &devices.item[i];

			if (!kc_after_prefix(d->name, "zram") || !d->line || d->line > size + 1)
				abort();
			(void)swap_zram_is_swap(d);
			(void)swap_zram_is_empty(d);
		}
		n = devices.n;
		if (swap_zram_file_parse("/x", (const char *)data, size, &arena, &devices) == 0 &&
		    devices.n != n)
			abort();
	}
	kc_arena_done(&arena);
	return 0;
}
