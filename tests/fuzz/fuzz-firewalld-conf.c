/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "firewalld/conf-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines are counted from 1, and a value that counts is not empty and has no "=". */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct firewalld_conf conf;

	if (firewalld_conf_parse((const char *)data, size, &arena, &conf))
		return 0;
	if (conf.default_zone.value &&
	    (!conf.default_zone.line || conf.default_zone.line > size ||
	     !*conf.default_zone.value || strchr(conf.default_zone.value, '=')))
		abort();
	if (conf.ignored_why && (!conf.ignored.value || !conf.ignored.line))
		abort();
	return 0;
}
