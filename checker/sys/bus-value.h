/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <systemd/sd-bus.h>

#include "ask.h"

/*
 * Values of D-Bus messages as text, as bus.h says. -EBADMSG: a type that is not read here
 * (descriptors), more than eight containers in one another, or more than 65,536 values or 1 MiB;
 * -ENOMEM.
 */

/* Adds the items of a reply's whole body to the answer. */
int kc_bus_read_reply(sd_bus_message *reply, struct kc_arena *arena, struct kc_answer *answer);

/*
 * Reads a reply of type a{sv} and picks the properties of the NULL-terminated list `names`:
 * values[i] is that of names[i], in the arena, or NULL when it is not there. Only strings, paths,
 * numbers and booleans are taken: one of the names with a value of another type is -EBADMSG.
 */
int kc_bus_read_properties(sd_bus_message *reply, const char *const *names, struct kc_arena *arena,
			   const char **values);
