/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "profile/profile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	MEMORY_MAX = 64 * 1024 * 1024
};

/* All that a manifest promises to those who read it. */
static void check(const struct kc_manifest *m)
{
	if (!m->name || !m->version || !m->title || !m->file)
		abort();
	for (uint32_t i = 0; i < m->n_facts; i++) {
		if (!m->facts[i].name || !m->facts[i].doc)
			abort();
	}
	for (uint32_t i = 0; i < m->n_checks; i++) {
		const struct kc_manifest_check *c = m->checks + i;

		if (kc_manifest_check(m, c->id) != c || !c->title || !c->doc)
			abort();
		if (!(c->flags & (KC_CHECK_NOW | KC_CHECK_BOOT)))
			abort();
		for (uint32_t j = 0; j < c->n_params; j++) {
			const struct kc_manifest_param *p = c->params + j;

			if (!kc_type_name(p->type) || !p->doc ||
			    p->has_value != (p->fallback != NULL))
				abort();
			if (p->has_value && p->value.type != p->type)
				abort();
			if ((p->type == KC_TYPE_CHOICE) != (p->choices != NULL))
				abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = MEMORY_MAX };
	const struct kc_manifest *m = NULL;
	struct kc_err err = { 0 };
	int r = kc_manifest_parse("fuzz", (const char *)data, size, &arena, &err, &m);

	if (r < 0 && (err.code != r || err.text[0] == '\0' || m))
		abort();
	if (r == 0)
		check(m);
	kc_arena_done(&arena);
	return 0;
}
