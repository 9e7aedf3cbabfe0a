/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/cidr.h"
#include "lines.h"
#include "tables.h"

enum {
	NETWORK_MEMORY_MAX = 32 << 20 /* of the arena of one rule */
};

/*
 * Whether the tables below /proc/net are those of the host: 1 when they are, or when that cannot be
 * told; 0 when k8scheck runs in a network namespace of its own, which has been reported as an error
 * then. The inode of a file there belongs to the namespace, so that the same file below /proc/1/net
 * tells.
 */
int network_is_hosts(const struct kc_host *host, struct kc_run *run);

/* Whether one of the shell patterns (glob(7)) matches the whole name. */
bool network_glob_any(const struct kc_strings *patterns, const char *name);

/* "a, b, c" in the run's memory; `empty` for none. */
const char *network_join(const struct kc_host *host, struct kc_run *run,
			 const struct kc_strings *words, const char *empty);
