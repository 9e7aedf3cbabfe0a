/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "unit.h"

/*
 * The PATH that a daemon of systemd's searches programs in (systemd.exec(5), "Environment variables
 * in spawned processes"): that of its unit (Environment=, EnvironmentFile=, else ExecSearchPath=),
 * else the manager's DefaultEnvironment= (systemd-system.conf(5), drop-ins included), else what
 * systemd has compiled in.
 */
struct kc_search_path {
	const char *text; /* "/usr/local/sbin:/usr/local/bin:…" */
	const char *source; /* "FILE:LINE (PATH)", or "the PATH that systemd gives to services" */
};

/*
 * `unit` may be NULL: of no unit in particular. A unit that is not there has what the manager
 * gives. Negative errno with kc_why(), or without for the bounds of the readers (-E2BIG, -ENOMEM).
 */
int kc_search_path_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const char *unit, struct kc_search_path *ret_path);

/* The same for a unit that has been read. */
int kc_search_path_of(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const struct kc_unit_file *unit, const struct kc_service_command *service,
		      struct kc_search_path *ret_path);

/* What a program in a PATH is found to be. */
struct kc_search_result {
	const char *path; /* of the executable; NULL: none */
	const char *near; /* one of its name that cannot be executed, with why: a clause; or NULL */
	const char *unseen; /* why a folder or file could not be looked at; or NULL */
};

/*
 * The first executable regular file of that name, as execvp(3) and Go's exec.LookPath() find it:
 * behind links, with an x bit, relative folders left out, the first 256 folders. A name with a
 * slash is a path itself, from "/" as services have it. `unseen` may stand beside a `path` behind
 * it. Texts live in the arena; -ENOMEM is the only error.
 */
int kc_search_path_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const char *path, const char *name, struct kc_search_result *ret_result);
