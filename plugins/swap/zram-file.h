/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * zram-generator.conf(5), as zram-generator 1.x reads it: by rust-ini, where, other than in the INI
 * files of yum, white space before a key means nothing and keys keep their case. Pure.
 */

/* What the files say of one device; NULL where they do not. The last assignment counts. */
struct swap_zram_device {
	const char *name; /* "zram0" */
	const char *file; /* the last one that has a section of it */
	unsigned line; /* of that section */
	const char *size, *fraction, *max_size; /* zram-size, zram-fraction, max-zram-size */
	const char *host_limit; /* host-memory-limit, in MB or "none" */
	const char *fs_type, *mount_point;
};

struct swap_zram_devices {
	struct swap_zram_device *item;
	size_t n;
	unsigned bad_line; /* of a file that the generator refuses; 0: none is */
	const char *bad_file, *fault;
};

/*
 * Adds the devices of one file, to be called in the order in which the generator reads them.
 * -E2BIG: more than 256 devices; -ENOMEM. In the arena.
 */
int swap_zram_file_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
			 struct swap_zram_devices *devices);

/* Whether a device is used as swap, as far as its settings say; its size is another matter. */
bool swap_zram_is_swap(const struct swap_zram_device *device);

/* Whether the settings give the device no size, whatever memory there is. */
bool swap_zram_is_empty(const struct swap_zram_device *device);
