/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "network/cni.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	READER_MEMORY_MAX = 64 * 1024 * 1024
};

/* As a list and as a single plugin: a network that is usable has a name and plugins, any other a
 * reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = { "fuzz.conflist", "fuzz.conf", NULL };

	KC_FOREACH_STR (file, files) {
		kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = READER_MEMORY_MAX };
		struct cni_network network = { 0 };

		if (cni_file_parse(file, (const char *)data, size, &arena, &network))
			continue;
		if (network.state == CNI_USABLE) {
			if (!*network.name || !network.types[0])
				abort();
			KC_FOREACH_STR (type, network.types) {
				if (!*type)
					abort();
			}
		} else if (!network.why || network.name) {
			abort();
		}
	}
	return 0;
}
