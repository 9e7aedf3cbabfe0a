/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/unit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 256 * 1024 * 1024
};

/* What the fuzzed service reads: one text for every environment file, in no folder. */
struct kc_run {
	const char *text;
	size_t size;
};

static int read_text(struct kc_run *run, const char *path, size_t max, struct kc_bytes *ret_bytes)
{
	if (run->size > max)
		return -EFBIG;
	*ret_bytes = (struct kc_bytes){ .data = run->text, .size = run->size };
	return 0;
}

static int list_nothing(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	return -ENOENT;
}

static const char *no_reason(struct kc_run *run)
{
	return "";
}

/* A unit file, a NUL, and an environment file: the words of the command that comes of them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kc_host host = {
		.size = sizeof(host),
		.read_file = read_text,
		.list_dir = list_nothing,
		.why = no_reason,
	};
	struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	const char *text = (const char *)data, *end = size ? memchr(text, '\0', size) : NULL;
	size_t unit_size = end ? (size_t)(end - text) : size;
	struct kc_run run = { .text = "", .size = 0 };
	struct kc_unit_file unit = { .name = "f-u@z\\x2dz.service",
				     .canonical = "f-u@z\\x2dz.service" };
	struct kc_unit_setting *settings = NULL;
	struct kc_service_command service;
	char *copy = NULL;

	if (end) {
		run.size = size - unit_size - 1;
		copy = kc_arena_memdup(&arena, end + 1, run.size);
		run.text = copy;
	}
	if ((!end || copy) && kc_unit_file_parse("fuzz.service", text, unit_size, &arena, &settings,
						 &unit.n_settings) == 0) {
		unit.setting = settings;
		if (kc_unit_service_command(&host, &run, &arena, &unit, &service) == 0) {
			for (size_t i = 0; i < service.command.n; i++)
				if (!service.command.word[i].text ||
				    !service.command.word[i].place.line)
					abort();
			if (service.command.n && !*service.command.word[0].text)
				abort();
		}
	}
	kc_arena_done(&arena);
	return 0;
}
