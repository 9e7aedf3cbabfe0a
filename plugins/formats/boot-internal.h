/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "boot-arguments.h"
#include "boot-loader-entry.h"

/* What boot-arguments.c, boot-grub.c and boot-systemd.c share. */
struct boot_reader {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *why; /* a sentence about what failed, in the arena */
};

/* An entry that a boot loader starts by default. */
struct boot_choice {
	const char *options; /* NULL: it starts no Linux kernel */
	const char *source;
	const char *note; /* sentences, or NULL */
};

struct boot_entries {
	struct kc_boot_entry *item; /* in the order of the menu */
	size_t n, room;
};

/* Reads a file. -ENOENT is not noted; other failures are, in `why`. */
int boot_read(struct boot_reader *reader, const char *path, size_t max, struct kc_bytes *ret_bytes);

/* Notes what is wrong with a file, for a parser's errno, which it returns. */
int boot_fault(struct boot_reader *reader, const char *path, int error);

/* The entries of the Boot Loader Specification below all its folders, sorted; none is no error. */
int boot_entries_read(struct boot_reader *reader, enum kc_boot_loader loader,
		      struct boot_entries *ret_entries);

/* Adds a sentence to a note, which may be NULL before. */
int boot_note(struct boot_reader *reader, const char **note, const char *fmt, ...) kc_printf(3, 4);

/* The default of GRUB's menu. -ENOENT: there is none. */
int boot_grub_choose(struct boot_reader *reader, struct boot_choice *ret_choice);

/*
 * Whether a loader.conf of sd-boot is there, below any of its folders: 1, 0, or the negative errno
 * of what could not be looked at.
 */
int boot_systemd_configured(const struct boot_reader *reader);

/* Whether it was sd-boot that started the running system, as far as the firmware's variables say.
 */
bool boot_systemd_started(const struct boot_reader *reader);

/* The default of sd-boot, of entries and unified kernel images. -ENOENT: there are none. */
int boot_systemd_choose(struct boot_reader *reader, struct boot_choice *ret_choice);
