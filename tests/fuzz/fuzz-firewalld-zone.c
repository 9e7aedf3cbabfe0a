/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "firewalld/zone-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is refused has a sentence and a line; what is bound has a name and a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct firewalld_zone zone;
	const char *fault = NULL;
	unsigned line = 0;
	int r;

	r = firewalld_zone_parse((const char *)data, size, &arena, &zone, &line, &fault);
	if (r == -EBADMSG && (!fault || line < 1 || line > size + 1))
		abort();
	if (r)
		return 0;
	for (size_t i = 0; i < zone.n_bindings; i++)
		if (!zone.binding[i].name || zone.binding[i].line < 1 ||
		    zone.binding[i].line > size)
			abort();
	return 0;
}
