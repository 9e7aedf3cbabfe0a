/* SPDX-License-Identifier: Apache-2.0 */
#include "layers.h"

const char *const kc_layer_names[] = {
	[KC_LAYER_MOUNTS] = "mount namespace",
	[KC_LAYER_READ_ONLY] = "read-only mounts",
	[KC_LAYER_PRIVILEGES] = "no new privileges",
	[KC_LAYER_LANDLOCK] = "Landlock",
	[KC_LAYER_SYSCALLS] = "system call filter",
	[KC_LAYER_USER] = "own user",
	[KC_LAYER_CAPABILITIES] = "reading capability alone",
	[KC_LAYER_MAX] = NULL,
};
