/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "unit.h"

/*
 * The PATH that a daemon of systemd's searches programs in: that of its unit (Environment=,
 * EnvironmentFile=), else the manager's DefaultEnvironment= (systemd-system.conf(5), drop-ins
 * included), else what systemd has compiled in.
 */
struct kc_search_path {
	const char *text; /* "/usr/local/sbin:/usr/local/bin:…" */
	const char *source; /* "FILE:LINE", or "systemd's default" */
};

/* `unit` may be NULL: of no unit in particular. Negative errno with kc_why(). */
int kc_search_path_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const char *unit, struct kc_search_path *ret_path);

/* What a program in a PATH is found to be. */
struct kc_search_result {
	const char *path; /* of the executable; NULL: none */
	const char *near; /* one of its name that cannot be executed, with why: a clause; or NULL */
	const char *unseen; /* why a folder or file could not be looked at; or NULL */
};

/*
 * The first executable regular file of that name, as execvp(3) and Go's exec.LookPath() find it:
 * behind links, with an x bit, relative folders left out. A name with a slash is a path itself.
 */
int kc_search_path_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const char *path, const char *name, struct kc_search_result *ret_result);
