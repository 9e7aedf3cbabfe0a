/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/module-files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 256 * 1024 * 1024
};

static void check(const struct kc_module_lines *lines, size_t size)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct kc_module_line *line = lines->item + i;

		if (!*line->name || !line->place.line || line->place.line > size + 1 ||
		    strlen(line->name) + strlen(line->rest) > size ||
		    (i > 0 && line->place.line < line[-1].place.line))
			abort();
	}
}

/* Every line has a name and a place, in order; a blacklist of a name keeps that name away. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	struct kc_module_config config = { 0 };
	struct kc_module_files files;
	const char *text = (const char *)data;

	if (kc_modules_load_parse("fuzz", text, size, &arena, &config.load) == 0)
		check(&config.load, size);
	if (kc_modprobe_parse("fuzz", text, size, &arena, &config.probe) == 0) {
		check(&config.probe, size);
		for (size_t i = 0; i < config.probe.n && i < 16; i++) {
			const struct kc_module_line *line = config.probe.item + i;

			if (kc_module_files_judge(&config, &arena, line->name, NULL, 0, &files) ==
				    0 &&
			    line->verb == KC_MODULE_BLACKLIST && !strchr(line->name, '-') &&
			    !files.barred_by)
				abort();
		}
	}
	kc_arena_done(&arena);
	return 0;
}
