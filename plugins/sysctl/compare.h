/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

enum sysctl_compare {
	SYSCTL_EQUAL,
	SYSCTL_AT_LEAST,
	SYSCTL_AT_MOST,
	SYSCTL_ONE_OF,
};

/* What a value is held against. */
struct sysctl_want {
	enum sysctl_compare compare;
	const char *value; /* but for SYSCTL_ONE_OF */
	struct kc_strings values; /* for SYSCTL_ONE_OF */
};

/*
 * 1 when the value is as wanted, 0 when not, -EINVAL when it cannot be compared (no number, or
 * another number of them). Values are compared field by field, as numbers where both are; white
 * space between fields does not count.
 */
int sysctl_compare(const struct sysctl_want *want, const char *value);

/*
 * What the kernel takes of a text that is written to a key of numbers, by proc_get_long() of its
 * kernel/sysctl.c: C's notation (010 is 8, 0x10 is 16), no plus sign, and the last number may have
 * a comment behind it. Appends it in decimal and returns true where that is another text; false,
 * and nothing appended, for all others.
 */
bool sysctl_taken(const char *written, struct kc_buf *b);

/* True when the wanted value itself can be compared: numbers for at-least and at-most. */
bool sysctl_want_valid(const struct sysctl_want *want);
