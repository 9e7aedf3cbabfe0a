/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "ask.h"

/* The two halves of kc_door_program(), apart for tests. */

struct kc_program_file {
	int fd; /* O_PATH, of the program or script */
	bool script; /* begins with #!, and its interpreter was found trustworthy */
};

/*
 * Opens a program by kc_trust_open(), and looks at the interpreter of a script by the same rules.
 * `root_fd` as there. The descriptor belongs to the caller.
 */
int kc_program_open(int root_fd, const char *path, struct kc_err *err,
		    struct kc_program_file *ret_file);

/*
 * Runs it and waits for its end, at most timeout_usec (and a grace of a second for killing what is
 * left). `path` is for messages. Fills *answer as doors.h says.
 */
void kc_program_run(const struct kc_program_file *file, const char *path, char *const *argv,
		    uint64_t timeout_usec, struct kc_arena *arena, struct kc_answer *answer);
