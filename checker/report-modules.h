/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/report.h"

/*
 * Report formats by name: those that are built in, and modules FORMAT.so, which bring a library
 * that only runs which ask for them should map. A module runs in the program itself, so it is held
 * to the rules of trust before any of its code runs.
 */

/* kc_trust_open() of sys, or what a test has in its place. */
typedef int kc_report_truster(int root_fd, const char *path, struct kc_err *err, int *ret_fd);

struct kc_report_formats {
	const struct kc_report_format *const *built_in; /* NULL-terminated */
	const char *const *dirs; /* absolute, where modules are looked for; the first hit wins */
	kc_report_truster *trust;
};

/*
 * The format of that name. A module stays loaded until the program ends. -ENOENT: there is none;
 * the sentence names the nearest and all that there are. -EPERM: its file or a folder above it can
 * be changed by others. -ELIBACC: it is there and cannot be loaded, a library is missing for one.
 * -ENOEXEC: it is none of this build's.
 */
int kc_report_format_find(const struct kc_report_formats *formats, const char *name,
			  struct kc_err *err, const struct kc_report_format **ret_format);

/* All names, sorted, each once; NULL-terminated, in the arena. A folder that is not there has none.
 */
int kc_report_format_names(const struct kc_report_formats *formats, struct kc_arena *arena,
			   const char *const **ret_names);
