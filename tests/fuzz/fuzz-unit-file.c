/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 256 * 1024 * 1024
};

static bool has_white_ends(const char *s)
{
	size_t n = strlen(s);

	return n && (strchr(" \t\r\n", s[0]) || strchr(" \t\r\n", s[n - 1]));
}

/* Settings have a section and a key, no line in them, and nothing at their ends. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	struct kc_unit_setting *settings = NULL;
	size_t n = 0;

	if (kc_unit_file_parse("fuzz.service", (const char *)data, size, &arena, &settings, &n) ==
	    0) {
		for (size_t i = 0; i < n; i++) {
			const struct kc_unit_setting *s = &settings[i];

			if (!s->section || has_white_ends(s->key) || has_white_ends(s->value) ||
			    strpbrk(s->value, "\r\n") || !s->place.line || s->place.line > size + 1)
				abort();
		}
	}
	kc_arena_done(&arena);
	return 0;
}
