/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* A member, a constant, or the size of a structure, which may grow. */
struct layout {
	const char *name;
	size_t offset, size, least;
};

extern const struct layout layout_frozen[], layout_now[];
