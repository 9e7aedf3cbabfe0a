/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/grub-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is chosen has a name, and its options stand on a line of the text or in one of the entries.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char block[] =
		"# GRUB Environment Block\nsaved_entry=one>two\nkernelopts=a b\n";
	static const struct kc_boot_entry entries[] = {
		{ .id = "one-2",
		  .title = "One",
		  .kernel = "/vmlinuz",
		  .options = "$kernelopts $x" },
		{ .id = "one-1", .title = "Older", .kernel = "/vmlinuz", .line = 1 },
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	struct kc_grub_environment environment;
	struct kc_grub_boot boot;

	if (kc_grub_environment_parse(block, sizeof(block) - 1, &arena, &environment) < 0)
		abort();
	if (kc_grub_config_default((const char *)data, size, &environment, entries,
				   KC_ARRAY_SIZE(entries), &arena, &boot) < 0)
		return 0;
	if (!boot.title || !boot.options || !boot.wanted || boot.line > size + 1 ||
	    !boot.line != !!boot.entry)
		abort();
	return 0;
}
