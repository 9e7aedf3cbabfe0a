/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * fstab(5), /proc/swaps and /proc/self/mountinfo, as libmount reads them, from bytes. Pure: nothing
 * is resolved, tagged or canonicalized on the machine that runs this.
 */
struct kc_mount_entry {
	const char *what; /* source: /dev/sda2, UUID=…, LABEL=…, /swap.img */
	const char *where; /* target; "none" or "swap" for swaps */
	const char *type; /* "swap", "ext4" */
	const char *options; /* of the file system and of the mount, as one list */
	const char *root; /* mountinfo only: the mounted folder of the file system; else NULL */
	unsigned line; /* of the text */
};

struct kc_mount_table {
	struct kc_mount_entry *item;
	size_t n;
	unsigned bad_line; /* the first that libmount refuses; 0 when there is none. The others are
			      read */
};

enum kc_mount_format {
	KC_MOUNT_FSTAB = 1,
	KC_MOUNT_INFO = 2,
	KC_MOUNT_SWAPS = 3,
};

/* -EFBIG: more than 4 MiB or 65,536 entries; -EBADMSG: NUL bytes; -ENOMEM. In the arena. */
int kc_mount_table_parse(enum kc_mount_format format, const char *text, size_t size,
			 struct kc_arena *arena, struct kc_mount_table *ret_table);

/* Whether a list of options has one, by libmount's rules; *ret_value may be NULL. */
bool kc_mount_option(const char *options, const char *name, const char **ret_value,
		     struct kc_arena *arena);
