/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host.h"

/* A rule of host.name. */
struct host_name_rule {
	struct host_rule base;
	const char *given; /* the parameter "name"; NULL: the host's own */
	uint64_t timeout_usec;
};

/* Judge by reporting findings. Return what kc_finding() returns, or -ENOMEM. */
int host_name_judge_now(const struct host_name_rule *rule);
int host_name_judge_boot(const struct host_name_rule *rule);

/* The kernel's name of the running host. kc_kernel()'s errors. */
int host_name_running(const struct host_name_rule *rule, const char **ret_name);

/* A fail: the name cannot be that of a node, because of host_node_name_fault(). */
int host_name_report_fault(const struct host_name_rule *rule, uint32_t horizon, const char *name,
			   const char *source, const char *fault);

/*
 * The lines of /etc/hosts that name the host. -ENOENT: none does, or there is no such file; other
 * errors with kc_why(). Sets *ret_loopback when all of them have loopback addresses, and
 * *ret_source to the first ("/etc/hosts:2"), *ret_addresses to all addresses.
 */
int host_name_in_hosts(const struct host_name_rule *rule, const char *name, bool *ret_loopback,
		       const char **ret_source, const char **ret_addresses);

/* What to do about a name that /etc/hosts gives a loopback address: a sentence. */
const char *host_name_loopback_advice(const struct host_name_rule *rule, const char *source,
				      const char *name);
