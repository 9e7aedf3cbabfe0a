/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * Entries of boot loaders in files of their own, type 1 of the Boot Loader Specification (UAPI.1):
 * a field a line, its name and, behind spaces, its value. Pure.
 */

/* Who reads it: the two differ in what ends a file, and in options that repeat. */
enum kc_boot_loader {
	/*
	 * The blscfg command of Fedora's and EL's GRUB (grub-core/commands/blscfg.c): reading ends
	 * at a line without value, an empty one, too; the first line of options counts alone.
	 */
	KC_BOOT_LOADER_GRUB = 1,
	/* sd-boot(7): empty lines are nothing; lines of options are joined by a space. */
	KC_BOOT_LOADER_SYSTEMD = 2,
};

struct kc_boot_entry {
	const char *id; /* the name of its file, as the loader's settings name it */
	const char *file; /* its path; left to the caller */
	bool tried_out; /* sd-boot's counter has no tries left (FILE+0.conf); left to the caller */
	const char *title, *version, *machine_id, *sort_key, *kernel, *efi; /* or NULL */
	const char *options; /* as they stand; NULL when there are none */
	unsigned line; /* of the first options; else 1 */
	unsigned n_options; /* lines of options that the file has */
};

/*
 * Parses the text of one file. -EFBIG for more than 64 KiB, -EBADMSG for NUL bytes, -ENOMEM.
 * `id` is not copied. What neither loader knows is passed over.
 */
int kc_boot_entry_parse(const char *id, const char *text, size_t size, enum kc_boot_loader loader,
			struct kc_arena *arena, struct kc_boot_entry *ret_entry);

/*
 * The order of the menu, for qsort(3): the first is what is started where nothing else is said.
 * blscfg sorts by file name, the newest version first. sd-boot (systemd 250 and later) sorts
 * entries with a sort key before others, by key, machine and version, then by name, the newest
 * first; those that are tried out are last.
 */
int kc_boot_entry_order(const struct kc_boot_entry *a, const struct kc_boot_entry *b,
			enum kc_boot_loader loader);

/* The value of a setting of sd-boot's loader.conf(5), the last one; NULL when there is none. */
int kc_loader_conf_get(const char *text, size_t size, const char *name, struct kc_arena *arena,
		       const char **ret_value, unsigned *ret_line);
