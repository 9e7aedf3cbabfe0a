/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * INI files as yum and dnf read them (Python's configparser, libdnf's iniparser): sections in
 * brackets, KEY = VALUE or KEY: VALUE, lines that begin with white space continue the value, lines
 * that begin with # or ; are comments. Pure.
 */
struct kc_ini_setting {
	const char *section; /* "" before the first */
	const char *key; /* in lower case, as both readers have it */
	const char *value; /* continuation lines joined by a newline */
	unsigned line; /* of the key */
};

struct kc_ini {
	struct kc_ini_setting *item;
	size_t n;
	unsigned bad_line; /* the first line that is none of these, 0 when there is none */
	const char *fault; /* what is wrong with it */
};

/* -EFBIG for more than 1 MiB or 16,384 settings, -EBADMSG for NUL bytes, -ENOMEM. In the arena. */
int kc_ini_parse(const char *text, size_t size, struct kc_arena *arena, struct kc_ini *ret_ini);

/* The last setting of a key in a section (which counts), or NULL. */
const struct kc_ini_setting *kc_ini_get(const struct kc_ini *ini, const char *section,
					const char *key);

/* Whether there is such a section at all. */
bool kc_ini_has_section(const struct kc_ini *ini, const char *section);
