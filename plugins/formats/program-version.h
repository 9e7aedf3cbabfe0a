/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/* The version that a program says it has. */

/*
 * The first version in a text: "1.18.4" of "Kubernetes v1.18.4+k3s1", "1.30.0-rc.1". Two numbers at
 * least, and no more than stands before a "+". Pure; in the arena, NULL for none or no memory.
 */
const char *kc_version_in(struct kc_arena *arena, const char *text);

/* Whether packages put programs into the folder of a path; administrators put theirs elsewhere. */
bool kc_is_packaged_path(const char *path);

/*
 * Runs a program, which is argv[0] by its path, and finds the version in what it prints; it costs
 * more than all else, so it comes last. Errors have a clause in *ret_why: what kc_program() failed
 * with, or -EBADMSG when it does not tell its version. In the arena.
 */
int kc_program_version(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       const char *const *argv, const char **ret_version, const char **ret_why);
