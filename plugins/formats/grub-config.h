/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "boot-loader-entry.h"
#include "grub-environment.h"

/*
 * What GRUB starts by default with a grub.cfg: its menu, made by menuentry and submenu blocks or by
 * blscfg from entries of the Boot Loader Specification, and the variable "default" that says which
 * (a title, an --id or a number; "1>2" is within a submenu). Pure. Sources: GRUB's manual;
 * grub-core/normal/menu.c, in Fedora's version, which takes only what is a number as a whole for
 * one; grub-core/commands/blscfg.c.
 */
struct kc_grub_boot {
	const char *title; /* of the menu's item, or the id of the entry */
	const struct kc_boot_entry *entry; /* one of those given, when it is one of blscfg's */
	const char *kernel; /* its path, as GRUB sees it; NULL: the item starts no Linux */
	const char *options; /* expanded; "" when there are none */
	unsigned line; /* of options in grub.cfg; 0 when they are the entry's */
	const char *wanted; /* what "default" says; "" when it says nothing */
	bool missing; /* there is no such item, so the first is taken */
	bool uncertain; /* which item or kernel it is depends on what only GRUB knows */
	const char *unexpanded; /* variables whose values only GRUB knows: "$a, $b", or NULL */
	/* A variable of the entry's options that is set elsewhere; name NULL when there is none. */
	struct {
		const char *name;
		bool in_environment; /* in grubenv; else in grub.cfg */
		unsigned line;
	} from;
};

/*
 * `environment` may be NULL, where there is none. `entries` are in the order of the menu; they are
 * used if the script calls blscfg. -ENOENT: the script makes no menu (one on the ESP may only lead
 * to another). -EFBIG for more than 1 MiB; -E2BIG for what is deeper or has more of anything than
 * GRUB's tools write; -EBADMSG for what is no script of GRUB's; -ENOMEM. In the arena.
 */
int kc_grub_config_default(const char *text, size_t size,
			   const struct kc_grub_environment *environment,
			   const struct kc_boot_entry *entries, size_t n_entries,
			   struct kc_arena *arena, struct kc_grub_boot *ret_boot);
