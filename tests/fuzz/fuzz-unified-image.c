/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "formats/unified-image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A section is never larger than is promised, whatever the headers say. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_unified_section section;

	if (kc_unified_image_find(data, size, ".cmdline", &section) == 0 &&
	    (section.size > KC_UNIFIED_IMAGE_SECTION_MAX || section.offset > UINT32_MAX))
		abort();
	return 0;
}
