/* SPDX-License-Identifier: Apache-2.0 */

/* A library that anybody could have put where it lies: its constructor makes a file beside it. */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void make_file(void)
{
	char path[512];
	Dl_info self;
	int fd;

	if (dladdr((void *)make_file, &self) == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s.was-here", self.dli_fname);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		(void)close(fd);
}
