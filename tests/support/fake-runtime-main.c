/* SPDX-License-Identifier: Apache-2.0 */

/*
 * fake-runtime SOCKET MODE: serves until it is killed. It prints "ready" when it listens. The mode
 * "dead" leaves a socket behind that nobody listens to, and ends.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake-runtime.h"

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: fake-runtime SOCKET MODE\n\nmodes:\n");
		(void)fprintf(stderr, "  %-16s leaves a socket behind and ends\n", "dead");
		for (const struct fake_mode *m = fake_modes; m->name; m++)
			(void)fprintf(stderr, "  %-16s %s\n", m->name, m->text);
		return 2;
	}
	fd = fake_runtime_listen(argv[1], argv[2]);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	(void)puts("ready");
	(void)fflush(stdout);
	if (strcmp(argv[2], "dead") == 0)
		return 0;
	fake_runtime_serve(fd, argv[1], argv[2]);
	(void)fprintf(stderr, "fake-runtime: there is no mode '%s'\n", argv[2]);
	return 2;
}
