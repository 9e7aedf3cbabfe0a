/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * GRUB's environment block (grubenv): what grub-editenv writes and load_env reads
 * (grub-core/lib/envblk.c): a line of comment, then NAME=VALUE lines in which a backslash takes the
 * next character as it is, then "#" up to the block's size. Pure.
 */
struct kc_grub_variable {
	const char *name, *value;
	unsigned line;
};

struct kc_grub_environment {
	struct kc_grub_variable *item;
	size_t n;
};

/*
 * -EFBIG for more than 64 KiB or 256 variables; -EBADMSG when it does not begin as a block does, in
 * which case GRUB takes nothing of it; -ENOMEM. In the arena.
 */
int kc_grub_environment_parse(const char *text, size_t size, struct kc_arena *arena,
			      struct kc_grub_environment *ret_environment);

/* The variable, or NULL. An empty value is what no value is to GRUB's scripts. */
const struct kc_grub_variable *kc_grub_environment_get(
	const struct kc_grub_environment *environment, const char *name);
