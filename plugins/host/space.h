/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* What can be asked of a file system. */
enum host_measure {
	HOST_SIZE,
	HOST_FREE,
	HOST_FREE_PERCENT,
	HOST_INODES_FREE,
	HOST_INODES_FREE_PERCENT,
	HOST_MEASURES,
};

/*
 * Whether the figures meet what is wanted (bytes, inodes, or percent): 1 or 0. Free is what a
 * process without privileges may take (f_bavail), as the kubelet counts it. -ENODATA: the file
 * system does not count that: it makes inodes as it needs them (f_files is 0), or has no size
 * (f_blocks is 0). Pure.
 */
int host_space_meets(const struct kc_filesystem *figures, enum host_measure measure,
		     uint64_t wanted);

/* `percent` of a number, 0 to 100, rounded up. */
uint64_t host_share(uint64_t whole, unsigned percent);

/* What part of the whole it is, in percent, rounded down; the whole is not 0. */
unsigned host_percent_of(uint64_t part, uint64_t whole);
