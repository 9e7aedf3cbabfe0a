/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"

/*
 * KC_ASK_ADDRESSES: the addresses of this network namespace, in pairs of items: interface and
 * ADDRESS/PREFIX, in the kernel's order. -EOPNOTSUPP: the root is not "/", whose addresses alone we
 * see.
 */
kc_door kc_door_addresses;
