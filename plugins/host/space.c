/* SPDX-License-Identifier: Apache-2.0 */
#include "space.h"

uint64_t host_share(uint64_t whole, unsigned percent)
{
	return whole / 100 * percent + (whole % 100 * percent + 99) / 100;
}

unsigned host_percent_of(uint64_t part, uint64_t whole)
{
	if (part >= whole)
		return 100;
	if (part <= UINT64_MAX / 100)
		return (unsigned)(part * 100 / whole);
	return (unsigned)KC_MIN(part / (whole / 100), (uint64_t)99);
}

int host_space_meets(const struct kc_filesystem *figures, enum host_measure measure,
		     uint64_t wanted)
{
	const bool inodes = measure == HOST_INODES_FREE || measure == HOST_INODES_FREE_PERCENT;

	if (inodes ? figures->inodes == 0 : figures->bytes == 0)
		return -ENODATA;
	switch (measure) {
	case HOST_SIZE:
		return figures->bytes >= wanted;
	case HOST_FREE:
		return figures->bytes_available >= wanted;
	case HOST_FREE_PERCENT:
		return figures->bytes_available >= host_share(figures->bytes, (unsigned)wanted);
	case HOST_INODES_FREE:
		return figures->inodes_free >= wanted;
	default:
		return figures->inodes_free >= host_share(figures->inodes, (unsigned)wanted);
	}
}
