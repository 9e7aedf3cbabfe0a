/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static inline FILE *record_open(const char *name, const char *what)
{
	char path[128];
	FILE *f;

	(void)mkdir("/var/log/stand-in", 0755);
	(void)snprintf(path, sizeof(path), "/var/log/stand-in/%s.%s", name, what);
	f = fopen(path, "we");
	if (!f) {
		perror(path);
		exit(1);
	}
	return f;
}

/*
 * How this program was called: its arguments, one a line, in NAME.log; its working folder, what
 * /proc says of its signals and descriptors' limits, and its environment in NAME.state.
 */
static inline void record_call(const char *name, char **argv)
{
	FILE *log = record_open(name, "log"), *state = record_open(name, "state");
	FILE *status = fopen("/proc/self/status", "re");
	char line[512];

	for (char **arg = argv + 1; *arg; arg++)
		(void)fprintf(log, "%s\n", *arg);
	if (getcwd(line, sizeof(line)))
		(void)fprintf(state, "cwd\t%s\n", line);
	(void)fprintf(state, "parent\t%d\n", (int)getppid());
	while (status && fgets(line, sizeof(line), status)) {
		if (strncmp(line, "Sig", 3) == 0 || strncmp(line, "Umask", 5) == 0 ||
		    strncmp(line, "NoNewPrivs", 10) == 0 || strncmp(line, "CapEff", 6) == 0)
			(void)fputs(line, state);
	}
	for (char **variable = environ; *variable; variable++)
		(void)fprintf(state, "env\t%s\n", *variable);
	if (status)
		(void)fclose(status);
	(void)fclose(log);
	(void)fclose(state);
}
