/* SPDX-License-Identifier: Apache-2.0 */

/*
 * no-openat2 COMMAND [ARGUMENT…]: runs a command on a kernel that seems to have no openat2(2), so
 * that a test suite goes through the walk in user space.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "no-openat2.h"

int main(int argc, char **argv)
{
	int r;

	if (argc < 2) {
		fprintf(stderr, "usage: no-openat2 COMMAND [ARGUMENT...]\n");
		return 125;
	}
	r = kc_test_deny_openat2(ENOSYS);
	if (r < 0) {
		fprintf(stderr, "no-openat2: the filter is refused: %s\n", strerror(-r));
		return 125;
	}
	execvp(argv[1], argv + 1);
	fprintf(stderr, "no-openat2: %s: %s\n", argv[1], strerror(errno));
	return 127;
}
