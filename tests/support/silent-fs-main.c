/* SPDX-License-Identifier: Apache-2.0 */
/* silent-fs FOLDER: mounts there what silent-fs.h says, prints a line, and serves it. 77: it cannot
 * be had here. */
#include <stdio.h>
#include <string.h>

#include "silent-fs.h"

int main(int argc, char **argv)
{
	int fd = argc == 2 ? silent_fs_mount(argv[1]) : -1;

	if (fd < 0) {
		fprintf(stderr, "silent-fs: %s\n", argc == 2 ? strerror(-fd) : "FOLDER is missing");
		return 77;
	}
	printf("mounted\n");
	fflush(stdout);
	silent_fs_serve(fd);
}
