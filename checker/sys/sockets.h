/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"

/*
 * KC_ASK_SOCKETS: the sockets of this network namespace that hold a port of protocol `number` (enum
 * kc_protocol), a struct kc_socket an item: IPv4 first, each family in the kernel's order.
 * -EOPNOTSUPP: the root is not "/", whose sockets alone we see; or to ask could make the kernel
 * load a module (autoload.h).
 */
kc_door kc_door_sockets;
