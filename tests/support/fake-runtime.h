/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

/*
 * A container runtime for tests, as good or as bad as its mode says. Answers each connection in a
 * process of its own, which ends with it.
 */

/* Names of the modes, each with a sentence behind it; ends with a NULL name. */
struct fake_mode {
	const char *name, *text;
};
extern const struct fake_mode fake_modes[];

/* Binds a socket at the path and listens. -1 with errno. */
int fake_runtime_listen(const char *path, const char *mode);

/* Serves in this process, for ever; returns only for a mode that there is not. */
void fake_runtime_serve(int fd, const char *path, const char *mode);

/* The same in a child, which listens when this returns. Ends the test program when it cannot. */
pid_t fake_runtime_start(const char *path, const char *mode);
void fake_runtime_stop(pid_t pid);
