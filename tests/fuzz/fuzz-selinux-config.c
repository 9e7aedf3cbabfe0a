/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "selinux/config.h"
#include "selinux/kernel-config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The place of the value, which a repair replaces, lies within the text, and has the mode in it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct selinux_config config;

	(void)selinux_kernel_config_parse(text, size);
	selinux_config_parse(text, size, &config);
	if (!config.mode != !config.line || !config.mode != !config.value_size)
		abort();
	if (config.mode &&
	    (config.value > size || size - config.value < config.value_size || config.line > size ||
	     config.value_size < strlen(selinux_mode_name(config.mode))))
		abort();
	return 0;
}
