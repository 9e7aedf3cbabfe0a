/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 256 * 1024 * 1024
};

/* Every variable has a name that the shell would take, once, and a place in the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	struct kc_environment_variable *variables = NULL;
	size_t n = 0;

	if (kc_environment_file_parse("fuzz", (const char *)data, size, &arena, &variables, &n) ==
	    0) {
		for (size_t i = 0; i < n; i++) {
			const struct kc_environment_variable *v = &variables[i];

			if (!*v->name || strpbrk(v->name, "= \t\r\n\"'\\$") || !v->place.line ||
			    v->place.line > size + 1 || strlen(v->value) > size)
				abort();
			for (size_t j = 0; j < i; j++)
				if (kc_streq(variables[j].name, v->name))
					abort();
		}
	}
	kc_arena_done(&arena);
	return 0;
}
