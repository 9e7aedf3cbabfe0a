/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fake-bus ROOT [answers]: systemd on a system bus at ROOT/run/dbus/system_bus_socket, until it is
 * killed. It prints "ready" when it listens. With "answers" firewalld does, too.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-bus.h"

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "answers") != 0)) {
		(void)fprintf(stderr, "usage: fake-bus ROOT [answers]\n");
		return 2;
	}
	if (fake_bus_start(argv[1], argc == 3 ? FAKE_BUS_ANSWERS : FAKE_BUS_GOOD) < 0) {
		perror(argv[1]);
		return 1;
	}
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
