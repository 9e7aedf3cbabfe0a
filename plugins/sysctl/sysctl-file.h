/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* A line of a file of sysctl.d(5). Texts live in the arena. */
struct sysctl_line {
	const char *file;
	unsigned line;
	bool ignored; /* no assignment: systemd-sysctl and procps pass over it; `key` is its first
			 word */
	bool glob; /* `key` is a pattern */
	const char *key; /* as a path below /proc/sys: "net/ipv4/ip_forward" */
	const char *value; /* NULL: "-key" without a value, which takes the key out of patterns */
};

struct sysctl_lines {
	struct sysctl_line *item;
	size_t n, room;
};

/*
 * Appends the lines of a text as systemd-sysctl(8) reads it: comments and empty lines left out,
 * white space cut,
 * "-" before a key (a failure is ignored) taken off. Pure. -E2BIG beyond SYSCTL_LINES_MAX lines;
 * -ENOMEM.
 */
enum {
	SYSCTL_LINES_MAX = 262144
};

int sysctl_file_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		      struct sysctl_lines *lines);

/*
 * A key as the path below /proc/sys, in place: where the first separator is a dot, dots and slashes
 * are exchanged; empty parts and slashes at the ends go (sysctl_normalize() of systemd).
 */
void sysctl_normalize(char *key);

/* True when sysctl_normalize() left a path that stays below /proc/sys and names something. */
bool sysctl_key_valid(const char *key);

/*
 * The alternatives that a pattern stands for, braces expanded as glob(3) does with GLOB_BRACE; at
 * most 64, more are -E2BIG. NULL-terminated, in the arena.
 */
int sysctl_pattern_expand(const char *pattern, struct kc_arena *arena,
			  const char *const **ret_list);

/* Whether a path matches a pattern without braces as glob(3) reads it: *, ?, [a-z], [!a-z], \c;
 * never "/". */
bool sysctl_pattern_matches(const char *pattern, const char *path);
