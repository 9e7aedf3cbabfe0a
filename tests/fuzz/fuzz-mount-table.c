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

static bool same(const char *a, const char *b)
{
	return !a || !b ? a == b : kc_streq(a, b);
}

/* What is read without libmount is what libmount reads. */
static void compare(enum kc_mount_format format, const struct kc_mount_table *whole,
		    const struct kc_mount_table *part)
{
	size_t n = 0;

	for (size_t i = 0; i < whole->n; i++) {
		const struct kc_mount_entry *a = &whole->item[i], *b = &part->item[n];

		if (format == KC_MOUNT_FSTAB && !kc_streq(a->type, "swap"))
			continue;
		if (n++ == part->n || !same(a->what, b->what) || !same(a->where, b->where) ||
		    !same(a->type, b->type) || !same(a->root, b->root) || a->line != b->line ||
		    a->id != b->id || a->parent != b->parent || a->major != b->major ||
		    a->minor != b->minor ||
		    !same(b->options, format == KC_MOUNT_INFO ? "" : a->options))
			abort();
	}
	if (n != part->n || whole->bad_line != part->bad_line)
		abort();
}

/* The first byte chooses the format. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	struct kc_mount_table table = { 0 }, part = { 0 };
	enum kc_mount_format format;
	int r;

	if (size == 0)
		return 0;
	format = KC_MOUNT_FSTAB + data[0] % 3;
	data++;
	size--;
	r = kc_mount_table_parse(format, (const char *)data, size, &arena, &table);
	if (kc_mount_table_parse_part(format, (const char *)data, size, &arena, &part) != r)
		abort();
	if (r == 0) {
		compare(format, &table, &part);
		check(&table, &arena, size);
		(void)kc_mount_behind(&table, "/var/lib/kubelet");
	}
	kc_arena_done(&arena);
	return 0;
}
