/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

enum {
	HOST_CPUS_MAX = 8192, /* the most that a Linux kernel can be built for */
};

struct host_cpus {
	uint64_t bits[HOST_CPUS_MAX / 64];
};

/*
 * A list of CPUs as the kernel writes it ("0-3,8\n", empty for none): the list format of
 * cpuset(7), as in /sys/devices/system/cpu/online and Cpus_allowed_list of proc(5). Pure. -EINVAL:
 * anything else; -ERANGE: a number that no kernel has.
 */
int host_cpus_parse(const char *text, size_t size, struct host_cpus *ret_cpus);

unsigned host_cpus_count(const struct host_cpus *cpus);

/* Those of *cpus that are in `others` too. */
void host_cpus_intersect(struct host_cpus *cpus, const struct host_cpus *others);
