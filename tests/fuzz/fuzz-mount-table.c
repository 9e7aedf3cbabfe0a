/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/mount-table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 256 * 1024 * 1024
};

static void check(const struct kc_mount_table *table, struct kc_arena *arena, size_t size)
{
	unsigned line = 0;

	for (size_t i = 0; i < table->n; i++) {
		const struct kc_mount_entry *e = &table->item[i];
		const char *rest = e->options;

		if (!e->what || !e->where || !e->type || !e->options || e->line <= line ||
		    e->line > size)
			abort();
		line = e->line;
		(void)kc_mount_option(e->options, "noauto", NULL, arena);
		while (kc_mount_option_next(&rest, arena)) {
			if (rest < e->options || rest > e->options + strlen(e->options))
				abort();
		}
	}
}

/* The first byte chooses the format. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	struct kc_mount_table table = { 0 };

	if (size == 0)
		return 0;
	if (kc_mount_table_parse(KC_MOUNT_FSTAB + data[0] % 3, (const char *)data + 1, size - 1,
				 &arena, &table) == 0) {
		check(&table, &arena, size);
		(void)kc_mount_behind(&table, "/var/lib/kubelet");
	}
	kc_arena_done(&arena);
	return 0;
}
