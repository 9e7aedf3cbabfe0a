/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"
#include "bus-rules.h"
#include "connect.h"

/* What is known of a question to the bus before there is a connection, and so without sd-bus. */

#define KC_BUS_SOCKET "/run/dbus/system_bus_socket"

/*
 * Whether a question of KC_ASK_UNIT or KC_ASK_BUS may be put: as bus.h says; -EOPNOTSUPP for an
 * offline root.
 */
int kc_bus_check(const struct kc_root *root, const struct kc_question *question, struct kc_err *err,
		 enum kc_bus_service *ret_service);

/* The socket of the system bus, as kc_socket_find(); -ENOTCONN: there is none. */
int kc_bus_find(const struct kc_root *root, struct kc_err *err, struct kc_socket_file *ret_file);
