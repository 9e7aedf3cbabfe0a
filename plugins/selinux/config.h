/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

enum selinux_mode {
	SELINUX_UNSET = 0, /* nothing says */
	SELINUX_DISABLED = 1,
	SELINUX_PERMISSIVE = 2,
	SELINUX_ENFORCING = 3,
};

/* "enforcing", "permissive", "disabled"; NULL for SELINUX_UNSET. */
const char *selinux_mode_name(enum selinux_mode mode);

/* The mode of that name, SELINUX_UNSET for another word. */
enum selinux_mode selinux_mode_of(const char *name);

/* What /etc/selinux/config sets. */
struct selinux_config {
	enum selinux_mode mode;
	unsigned line; /* of the line that sets it */
	size_t value,
		value_size; /* where its value stands in the text, with white space before it */
	bool spaced; /* there is white space before it, which older versions of libselinux do not
			take */
};

/*
 * Reads it as selinux_getenforcemode() of libselinux does: the first line that begins with
 * "SELINUX=" and goes on with one of the three words, in upper or lower case, whatever is behind
 * it. Lines with white space before the name, or another value, are nothing. Pure.
 */
void selinux_config_parse(const char *text, size_t size, struct selinux_config *ret_config);
