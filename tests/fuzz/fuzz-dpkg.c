/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/dpkg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	NAMES = 3,
	VERSION_MAX = 256,
};

static const char *const names[NAMES] = { "kubelet", "cri-o", "a" };

static void must(int condition)
{
	if (!condition)
		abort();
}

/* As the file is looked through, in parts; what is left over stands before the next part. */
static int scan_in_parts(const char *text, size_t size, size_t part, struct kc_arena *arena,
			 struct kc_dpkg_package packages[NAMES])
{
	struct kc_dpkg_scan scan = {
		.names = names, .n = NAMES, .arena = arena, .packages = packages
	};
	size_t from = 0, to = 0;
	int left = NAMES;

	while (to < size && left > 0) {
		size_t used = 0;

		to = KC_MIN(size, to + part);
		left = kc_dpkg_scan(&scan, text + from, to - from, to == size, &used);
		must(left < 0 || used <= to - from);
		from += left < 0 ? 0 : used;
	}
	return left;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = 64 * 1024 * 1024 };
	struct kc_dpkg_package packages[NAMES] = { 0 }, again[NAMES] = { 0 };
	const char *text = (const char *)data;
	int left = scan_in_parts(text, size, size, &arena, packages);
	int left_again = scan_in_parts(text, size, size / 3 + 1, &arena, again);

	must(left >= -4095 && left <= NAMES);
	for (size_t i = 0; i < NAMES; i++) {
		const char *version = packages[i].version;

		if (!version)
			continue;
		must(*version && strlen(version) <= VERSION_MAX);
		must(packages[i].line > 0 && packages[i].line <= size);
		must(kc_dpkg_upstream(version, &arena) != NULL);
		/* In parts the same is found, as long as nothing ends the look. */
		if (left >= 0 && left_again >= 0)
			must(again[i].version && kc_streq(again[i].version, version) &&
			     again[i].line == packages[i].line &&
			     again[i].held == packages[i].held);
	}
	kc_arena_done(&arena);
	return 0;
}
