/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "swap.h"

/* A partition of the type swap that systemd-gpt-auto-generator would use. */
struct swap_partition {
	const char *device; /* "/dev/sda3" */
	const char *source; /* the udev database's file of it */
};

struct swap_partitions {
	struct swap_partition *item;
	size_t n;
};

/*
 * Those of the GPT disk that the root file system (or else /usr) lies on, by udev's database, less
 * those whose flags have "no auto". A file system that lies on no disk, or on several, has none, as
 * the generator has it. Negative errno with a sentence in *ret_why.
 */
int swap_partitions_read(struct swap_boot *boot, struct swap_partitions *ret_partitions,
			 const char **ret_why);
