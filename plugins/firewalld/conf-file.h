/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * firewalld.conf as firewalld reads it (src/firewall/core/io/firewalld_conf.py, the same from 0.3
 * to 2.x): KEY=VALUE lines with exactly one "=", white space around both cut off; the first line of
 * a key counts; keys are case-sensitive; lines that begin with # or ; are comments.
 */
struct firewalld_setting {
	const char *value; /* NULL: not set */
	unsigned line;
};

struct firewalld_conf {
	struct firewalld_setting default_zone, cleanup_on_exit;
	struct firewalld_setting ignored; /* the first line of DefaultZone that does not count */
	const char *ignored_why; /* a clause; NULL when there is no such line */
	/* Not 0: the line that is not UTF-8, for which firewalld drops the whole file. */
	unsigned undecodable;
};

enum {
	FIREWALLD_CONF_MAX = 1 << 20
};

/* Pure; strings in the arena. -EFBIG: more than 1 MiB; -EBADMSG: NUL bytes; -ENOMEM. */
int firewalld_conf_parse(const char *text, size_t size, struct kc_arena *arena,
			 struct firewalld_conf *ret_conf);
