/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"

/*
 * KC_ASK_UNIT and KC_ASK_BUS, by sd-bus, over the system bus of the root: its socket is
 * /run/dbus/system_bus_socket there. Nothing is started by a question: every message forbids it.
 * The connection is kept in *state. What did not answer once within 250 ms or more is remembered in
 * it: the bus, or the one service on it, fails at once from then on, so that a hung one costs one
 * deadline.
 *
 * KC_ASK_UNIT: pairs as kc_unit() has them; Result only for the types that have one (services,
 * sockets, mounts, automounts, swaps, timers, paths, scopes).
 *
 * KC_ASK_BUS: a member of bus-rules.c's list, else -EPERM. Values as text, an item each: strings
 * and paths as they are, numbers in decimal, booleans yes or no (as systemctl has them). An array
 * is as many items as it has members, a dictionary twice as many (key, value), a structure one for
 * each member, a variant what it holds. What stands deeper is written in one item: members joined
 * by spaces, keys as KEY=VALUE. bus-value.h has the bounds.
 *
 * -ENOTCONN: there is no bus (no socket, nobody behind it), or no systemd on it. -ETIMEDOUT.
 * -EACCES: the bus or the service refuses us. -ENOENT: no such unit, object or file, or nobody owns
 * the destination. -ENOTSUP: no such interface, method or property. -ECONNRESET: the other side
 * went away. -EPROTO: what is behind the socket is no bus. -EBADMSG: an answer of other types, or
 * an error that is not known here. -EINVAL: not a unit's name, or the service calls an argument
 * wrong.
 */
kc_door kc_door_bus;

/* Closes the connection and frees *state; for tests, since a door's process ends with what it
 * keeps. */
void kc_bus_state_free(void *state);
