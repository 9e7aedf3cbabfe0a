/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * fstab(5), /proc/swaps and /proc/self/mountinfo, as libmount reads them, from bytes. Pure: nothing
 * is resolved, tagged or canonicalized on the machine that runs this.
 */
struct kc_mount_entry {
	const char *what; /* source: /dev/sda2, UUID=…, LABEL=…, /swap.img */
	const char *where; /* target; "none" or "swap" for swaps; "" in /proc/swaps */
	const char *type; /* "swap", "ext4"; in /proc/swaps "partition" or "file" */
	const char *options; /* of the file system and of the mount, as one list */
	const char *root; /* mountinfo only: the mounted folder of the file system; else NULL */
	int id, parent; /* mountinfo only: of the mount, and of the one it lies on */
	unsigned major, minor; /* mountinfo only: device number of the file system */
	int64_t size; /* /proc/swaps only: bytes */
	int priority; /* /proc/swaps only */
	unsigned line; /* of the text */
};

struct kc_mount_table {
	struct kc_mount_entry *item;
	size_t n;
	unsigned bad_line; /* the first that libmount refuses; 0 when there is none. The others are
			      read */
};

/* What people are told of -ELIBACC. */
#define KC_MOUNT_NO_LIBRARY "libmount.so.1 cannot be loaded, without which this is not read."

enum kc_mount_format {
	KC_MOUNT_FSTAB = 1,
	KC_MOUNT_INFO = 2,
	KC_MOUNT_SWAPS = 3,
};

/*
 * -EFBIG: more than 4 MiB or 65,536 entries; -EBADMSG: NUL bytes; -ENOMEM; -ELIBACC: a line needs
 * libmount, which is not installed. In the arena.
 */
int kc_mount_table_parse(enum kc_mount_format format, const char *text, size_t size,
			 struct kc_arena *arena, struct kc_mount_table *ret_table);

/*
 * The part of a table that it is mostly read for: of fstab the entries of type "swap" alone; of
 * mountinfo all, with options of "". The lines of nearly all hosts are then read without libmount,
 * which with what it links takes 1 ms to map. bad_line is the same.
 */
int kc_mount_table_parse_part(enum kc_mount_format format, const char *text, size_t size,
			      struct kc_arena *arena, struct kc_mount_table *ret_table);

/*
 * Whether a list of options has one, by libmount's rules; *ret_value may be NULL, and is set to
 * NULL for an option without a value, or when memory is short.
 */
bool kc_mount_option(const char *options, const char *name, const char **ret_value,
		     struct kc_arena *arena);

/*
 * One after the other: *rest begins as the list, and moves behind the option, which is NAME or
 * NAME=VALUE in the arena. NULL at the end, at what is no option, or when memory is short.
 */
const char *kc_mount_option_next(const char **rest, struct kc_arena *arena);

/*
 * The mount of a mountinfo table that a path lies on: an absolute path without links, "." and "..".
 * Followed from the root by what is mounted on what, so that a mount that another one covers is
 * left out. NULL: the table has no root.
 */
const struct kc_mount_entry *kc_mount_behind(const struct kc_mount_table *table, const char *path);

/* What is left of a path below a folder ("" for the folder itself), or NULL: it is not below it. */
const char *kc_mount_path_below(const char *path, const char *folder);
