/* SPDX-License-Identifier: Apache-2.0 */

/*
 * victim [FIFO]: a process that something is done to. It says its id and where its word is, and
 * waits; with a FIFO it waits for somebody to read that, and ends when somebody did. A signal that
 * can be had ends it. The word is read by who waits for its end: its status is 0 if that is whole.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

static volatile char mark[16] = "kept";

int main(int argc, char **argv)
{
	char line[8];

	/* Where only a parent may trace: what is tested is not that. */
	(void)prctl(PR_SET_PTRACER, -1UL, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)setpgid(0, 0);
	(void)printf("%d %llx\n", (int)getpid(), (unsigned long long)(size_t)mark);
	(void)fflush(stdout);
	if (argc > 1)
		return open(argv[1], O_WRONLY | O_CLOEXEC) < 0 ? 2 : 3;
	while (fgets(line, sizeof(line), stdin))
		;
	return mark[0] == 'k' && mark[1] == 'e' ? 0 : 4;
}
