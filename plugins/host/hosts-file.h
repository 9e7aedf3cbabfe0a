/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* A line of hosts(5) that names a host. */
struct host_hosts_entry {
	const char *address; /* as written; nobody has looked whether it is one */
	unsigned line;
};

/*
 * The lines of hosts(5) that have a name, as glibc's nss_files finds them: a comment begins at any
 * "#", fields are separated by white space, the first is the address, and names are compared
 * without regard to case. At most `max` are written; returns how many there are in all, or
 * -ENOMEM. Pure.
 */
int host_hosts_find(const char *text, size_t size, const char *name, struct kc_arena *arena,
		    struct host_hosts_entry *ret_entries, size_t max);
