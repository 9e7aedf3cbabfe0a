/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/* Where the value of a variable stands in the text of an environment file. */
struct kc_environment_place {
	size_t start, size; /* without quotes and white space around it */
	char quote; /* that stands around all of it; 0: none */
	bool odd; /* it has a backslash, or parts in quotes besides others */
};

/*
 * Finds the last assignment of a variable as systemd.exec(5) (EnvironmentFile=) reads the file;
 * pure. 1: found; 0: there is none. -ENOTSUP for what systemd's versions read in different ways or
 * refuse: NUL bytes, a quote that is left open, a value or comment that ends in a backslash at the
 * end of the text, a comment that ends in one at all.
 */
int kc_environment_find(const char *text, size_t size, const char *name,
			struct kc_environment_place *ret_place);
