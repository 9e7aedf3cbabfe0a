/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/boot-arguments.h"
#include "formats/mount-table.h"
#include "formats/unit-path.h"
#include "formats/unit.h"

enum {
	SWAP_MEMORY_MAX = 64 << 20, /* of the readers, for one rule */
	SWAP_FILE_MAX = 1 << 20,
	SWAP_CAUSES_MAX = 4096,
};

#define SWAP_FSTAB  "/etc/fstab"
#define SWAP_SWAPS  "/proc/swaps"
#define SWAP_TARGET "swap.target"

/* Which place turns swap on; each is mended in its own way. */
enum swap_origin {
	SWAP_FROM_FSTAB = 1,
	SWAP_FROM_UNIT = 2, /* a .swap unit of the unit folders */
	SWAP_FROM_SERVICE = 3, /* a service of a package that sets swap up by a program */
	SWAP_FROM_ZRAM = 4, /* zram-generator */
	SWAP_FROM_GPT = 5, /* systemd-gpt-auto-generator */
	SWAP_FROM_ARGUMENT = 6, /* systemd.swap-extra= */
};

/* One cause why the next start turns swap on, or a place that cannot be judged. */
struct swap_cause {
	uint32_t verdict; /* KC_FAIL or KC_ERROR */
	enum swap_origin origin;
	const char *subject, *found, *source, *message;
	const char *unit; /* that PID 1 would start; NULL where there is none */
	const char *fragment; /* of a unit or service its file, of zram the configuration; or NULL
			       */
	unsigned line; /* SWAP_FROM_FSTAB */
	bool enabled; /* of a unit or service: by its [Install] section */
	bool shared; /* SWAP_FROM_ZRAM: that file does not decide alone, or over more than this */
};

/* What is known of the next start; what costs much is looked up when it is asked for. */
struct swap_boot {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	struct swap_cause *cause;
	size_t n, room;
	struct kc_buf notes; /* sentences for a pass: what was found and turns nothing on */
	struct kc_bytes fstab; /* size 0 and data NULL: there is none */
	size_t fstab_swaps; /* lines, noauto or not: with any, GPT discovery leaves swap alone */
	const char *gpt_later; /* a partition that GPT discovery turns on once fstab names none */
	struct kc_boot_arguments arguments;
	const char *arguments_why; /* they cannot be read: a sentence; else NULL */
	bool arguments_read;
	bool arguments_told; /* their note is in a finding already */
	int systemd_version; /* 0: not looked up yet; negative: errno */
	int target_stopped; /* of swap.target: 0 not asked yet, 1 yes, 2 no, negative: errno */
};

/* Judges the running system by findings. */
int swap_judge_now(const struct kc_host *host, struct kc_run *run);

/*
 * Reads /proc/swaps; both strings of an entry live in the arena. -ENOENT: a kernel without swap.
 * *ret_bad_line as in struct kc_mount_table.
 */
int swap_active(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		struct kc_mount_table *ret_swaps);

/* Collects the causes of all places. 0, or negative errno when nothing can be said at all. */
int swap_boot_collect(struct swap_boot *boot);

/* Frees what is not in the arena. */
void swap_boot_done(struct swap_boot *boot);

/* Adds a cause; -E2BIG, -ENOMEM. */
int swap_add(struct swap_boot *boot, const struct swap_cause *cause);

/* Adds a place that cannot be judged, with the sentence of the last service that failed where
 * `message` is NULL. */
int swap_add_unseen(struct swap_boot *boot, const char *subject, const char *source,
		    const char *message);

/* Adds a sentence about something that turns nothing on, and why. */
void swap_note(struct swap_boot *boot, const char *fmt, ...) kc_printf(2, 3);

/* ---- the repair's texts; pure ---- */

/* The text with the mark before the lines of these numbers. -ENOMEM. */
int swap_comment_lines(const char *text, size_t size, const unsigned *lines, size_t n,
		       struct kc_buf *out);

/*
 * The text of zram-generator.conf with the mark before all that stands in a device's sections, but
 * for empty lines and comments. -ENOMEM.
 */
int swap_comment_device(const char *text, size_t size, const char *device, struct kc_buf *out);

/* ---- places, each adds its causes ---- */

int swap_collect_fstab(struct swap_boot *boot);
int swap_collect_units(struct swap_boot *boot);
int swap_collect_services(struct swap_boot *boot);
int swap_collect_zram(struct swap_boot *boot);
int swap_collect_gpt(struct swap_boot *boot); /* behind swap_collect_fstab() */

/* ---- what decides over several of them ---- */

/*
 * Whether PID 1 will be kept from starting a unit: by a mask, or by systemd.mask= of the kernel's
 * arguments. A unit of a generator has a name in /run/systemd/generator, which beats what is below
 * /usr but not what is below /etc: `generated` leaves out masks in /usr. 1 (with *ret_by: where), 0
 * or negative errno with kc_why().
 */
int swap_unit_stopped(struct swap_boot *boot, const char *unit, bool generated,
		      const char **ret_by);

/* As swap_unit_stopped(), of a unit that swap.target alone pulls in: 1 also when swap.target is
 * stopped. */
int swap_wanted_unit_stopped(struct swap_boot *boot, const char *unit, bool generated,
			     const char **ret_by);

/* As systemd.generator(7) has it: 1 there, 0 not there, -EPERM masked (with *ret_by: where). */
int swap_generator(struct swap_boot *boot, const char *name, const char **ret_by);

/* A boolean of the kernel's arguments: 1, 0, or -ENOENT when it is not given or they cannot be
 * read. */
int swap_argument(struct swap_boot *boot, const char *name, const char **ret_source);

/* systemd's version by the name of its library; -ENOENT: not to be seen. */
int swap_systemd_version(struct swap_boot *boot);
