/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * INI files as dnf and yum read them (libdnf's iniparser, Python's configparser): sections in
 * brackets, KEY = VALUE or KEY: VALUE, lines that begin with white space continue the value, lines
 * that begin with # or ; are comments. Pure.
 *
 * The two differ, and the reader leaves it to its caller: libdnf tells keys in capitals apart from
 * those in small letters, takes no colon, and no key before the first section.
 */
struct kc_ini_setting {
	const char *section; /* "" before the first */
	const char *key; /* as written */
	const char *value; /* continuation lines joined by a newline; without white space at ends */
	unsigned line; /* of the key */
	bool colon; /* written KEY: VALUE */
};

struct kc_ini_section {
	const char *name;
	unsigned line; /* of its first header */
};

struct kc_ini {
	struct kc_ini_setting *item; /* as they stand in the file */
	size_t n;
	struct kc_ini_section *section; /* each name once, also those without a setting */
	size_t n_sections;
	unsigned bad_line; /* the first line that is none of these, 0 when there is none */
	const char *fault; /* what is wrong with it: a clause */
};

/*
 * Reads on behind a bad line. -EFBIG for more than 1 MiB or 16,384 settings or 1,024 sections,
 * -EBADMSG for NUL bytes, -ENOMEM. In the arena.
 */
int kc_ini_parse(const char *text, size_t size, struct kc_arena *arena, struct kc_ini *ret_ini);

/* The last setting of a key in a section (which counts), or NULL. */
const struct kc_ini_setting *kc_ini_get(const struct kc_ini *ini, const char *section,
					const char *key);

/* Whether there is such a section at all. */
bool kc_ini_has_section(const struct kc_ini *ini, const char *section);
