/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fake-bus ROOT [MANNER]: systemd on a system bus at ROOT/run/dbus/system_bus_socket, until it is
 * killed. It prints "ready" when it listens. MANNER is one of fake_bus_manners.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-bus.h"

int main(int argc, char **argv)
{
	const char *manner = argc == 3 ? argv[2] : "good";
	int number = 0;

	while (fake_bus_manners[number] && strcmp(fake_bus_manners[number], manner) != 0)
		number++;
	if (argc < 2 || argc > 3 || !fake_bus_manners[number]) {
		(void)fprintf(stderr, "usage: fake-bus ROOT [MANNER]\n\nmanners:");
		for (int i = 0; fake_bus_manners[i]; i++)
			(void)fprintf(stderr, " %s", fake_bus_manners[i]);
		(void)fputc('\n', stderr);
		return 2;
	}
	if (fake_bus_start(argv[1], (enum fake_bus_manner)number) < 0) {
		perror(argv[1]);
		return 1;
	}
	(void)puts("ready");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
