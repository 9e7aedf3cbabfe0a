/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_ini ini;

	if (kc_ini_parse((const char *)data, size, &arena, &ini) < 0)
		return 0;
	for (size_t i = 0; i < ini.n && i < 256; i++) {
		const struct kc_ini_setting *setting = &ini.item[i];

		/* A key is found again, and its section is known unless it stands before the first.
		 */
		if (!kc_ini_get(&ini, setting->section, setting->key) || !setting->line ||
		    (*setting->section && !kc_ini_has_section(&ini, setting->section)))
			abort();
	}
	return 0;
}
