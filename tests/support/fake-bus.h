/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

/*
 * A system bus with systemd and firewalld on it, as far as the tests of the bus door go: one
 * process that answers for all of them, by sd-bus in the role of the server.
 */
enum fake_bus_manner {
	FAKE_BUS_GOOD = 0, /* but for firewalld, which is asked for its zone and says nothing */
	FAKE_BUS_SILENT = 1, /* accepts, and says nothing */
	FAKE_BUS_DEAF = 2, /* never accepts */
	FAKE_BUS_NO_HELLO = 3, /* authenticates, and says nothing then */
	FAKE_BUS_REFUSES = 4, /* answers Hello with AccessDenied */
	FAKE_BUS_RUBBISH = 5, /* speaks HTTP */
	FAKE_BUS_HANGS_UP = 6, /* accepts, and closes */
	FAKE_BUS_ONE_ANSWER = 7, /* closes a connection after it has answered for one unit */
	FAKE_BUS_ANSWERS = 8, /* good, and firewalld says that its zone is trusted */
	FAKE_BUS_REJECTS = 9, /* rejects who we are (REJECTED EXTERNAL) */
	FAKE_BUS_OTHER_TYPES = 10, /* answers with values of other types */
	FAKE_BUS_GARBAGE = 11, /* authenticates, and sends what is no message */
	FAKE_BUS_ENDLESS = 12, /* authenticates, and sends a message of 100 MiB, again and again */
	FAKE_BUS_CUT = 13, /* authenticates, and closes in the middle of a message */
};

/* Names of the manners, in their order; ends with NULL. */
extern const char *const fake_bus_manners[];

/* Listens at root/run/dbus/system_bus_socket, and returns the pid of the process behind it. */
pid_t fake_bus_start(const char *root, enum fake_bus_manner manner);
void fake_bus_stop(pid_t pid);
