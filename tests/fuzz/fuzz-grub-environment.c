/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/grub-environment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Variables have a name without an equals sign, stand on lines of the text, and can be found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 16 << 20 };
	struct kc_grub_environment environment;

	if (kc_grub_environment_parse((const char *)data, size, &arena, &environment) < 0)
		return 0;
	for (size_t i = 0; i < environment.n; i++) {
		const struct kc_grub_variable *v = &environment.item[i];

		if (strchr(v->name, '=') || v->line < 2 || v->line > size + 1 ||
		    !kc_grub_environment_get(&environment, v->name))
			abort();
	}
	return 0;
}
