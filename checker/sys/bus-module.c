/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

extern const struct kc_door_module kc_door_module __attribute__((visibility("default")));
const struct kc_door_module kc_door_module = {
	.magic = KC_DOOR_MAGIC,
	.size = sizeof(struct kc_question),
	.door = kc_door_bus,
};
