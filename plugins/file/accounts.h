/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * passwd(5) and group(5): NAME:PASSWORD:ID:…, a line each. A line that has no number in that place
 * is none, as for the C library.
 */

/* The id of a name: 0, or -ENOENT. The first line counts. */
int file_account_id(const char *text, size_t size, const char *name, uint32_t *ret_id);

/* The first name of an id, in the arena; NULL when it has none. */
const char *file_account_name(const char *text, size_t size, uint32_t id, struct kc_arena *arena);
