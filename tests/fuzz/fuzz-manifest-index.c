/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "model/manifest-fields.h"
#include "profile/manifest-index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MEMORY_MAX = 64 * 1024 * 1024
};

static void must(int condition)
{
	if (!condition)
		abort();
}

/* All that a manifest promises to those who read it. */
static void check(const struct kc_manifest *m)
{
	kc_cleanup(kc_buf_done) struct kc_buf out = { 0 };

	must(m->name && m->version && m->title && m->file);
	for (uint32_t i = 0; i < m->n_checks; i++) {
		const struct kc_manifest_check *c = m->checks + i;

		must(c->id && c->title && c->doc);
		for (uint32_t k = 0; k < c->n_params; k++)
			must(c->params[k].name && c->params[k].doc &&
			     kc_type_name(c->params[k].type));
	}
	kc_put_manifest(&out, m);
}

/* The bytes as an index, and as the fields of one manifest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kc_manifest_index index = { .data = (const char *)data, .size = size };
	struct kc_arena arena = { .limit = MEMORY_MAX };
	const struct kc_manifest *found = NULL;
	kc_cleanup(kc_freep) char *copy = malloc(size + 1);
	struct kc_manifest manifest;
	struct kc_reader r;

	must(kc_manifest_index_gathers(&index, "sysctl", 0, 0) <= 1);
	if (kc_manifest_index_find(&index, "demo", "demo.yaml", "", 0, &arena, &found) == 0)
		check(found);
	must(copy != NULL);
	memcpy(copy, data, size);
	kc_reader_start(&r, copy, size);
	kc_get_manifest(&r, &arena, &manifest);
	if (kc_reader_end(&r) == 0)
		check(&manifest);
	/* What is asked for is in proportion to the size. */
	must(arena.used <= 128 * size + 4096);
	kc_arena_done(&arena);
	return 0;
}
