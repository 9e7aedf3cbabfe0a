/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* What a host shall become: a set, for a place may matter to both. */
enum cluster_role {
	CLUSTER_CONTROL_PLANE = 1u << 0,
	CLUSTER_WORKER = 1u << 1,
};

struct leftovers {
	const struct kc_host *host;
	struct kc_run *run;
	uint32_t roles; /* of enum cluster_role */
	const char *etcd_data; /* "" for none */
	size_t n_looked_at; /* places */
	size_t n_reported; /* findings, errors included */
	const char *note; /* a sentence about what is there and may be; or NULL */
};

/* Text in the run's memory. */
#define left_text(l, ...) kc_text((l)->host, (l)->run, __VA_ARGS__)

/* Report what is left, a finding each. Negative errno of kc_finding(), and -ENOMEM. */
int leftover_places(struct leftovers *l); /* files and folders; the boot horizon */
int leftover_interfaces(struct leftovers *l); /* the now horizon */
