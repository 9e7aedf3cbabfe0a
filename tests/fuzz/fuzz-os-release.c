/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/os-release.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 256 * 1024 * 1024
};

static void must(int condition)
{
	if (!condition)
		abort();
}

/* A field that the file has is no longer than the file, and on one of its lines. */
static void hold(const struct kc_os_field *field, size_t size, const char *by_default)
{
	if (!field->text)
		must(!by_default);
	else if (field->place.line == 0)
		must(by_default && kc_streq(field->text, by_default));
	else
		must(*field->text && field->place.line <= size + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = READER_MEMORY_MAX };
	struct kc_os_release os = { 0 };

	if (kc_os_release_parse("fuzz", (const char *)data, size, &arena, &os) == 0) {
		hold(&os.id, size, "linux");
		hold(&os.like, size, NULL);
		hold(&os.version, size, NULL);
		/* Of two fields, one of which may be the default. */
		must(os.name.text && *os.name.text && os.name.place.line <= size + 1);
	}
	kc_arena_done(&arena);
	return 0;
}
