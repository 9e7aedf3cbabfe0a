/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sysctl-file.h"

/*
 * What all files come to, by key. Two readers of the same files: systemd-sysctl at boot, and
 * procps' `sysctl --system`, which reads /etc/sysctl.conf behind them.
 */
enum sysctl_reader {
	SYSCTL_SYSTEMD = 0,
	SYSCTL_PROCPS = 1,
	SYSCTL_READERS = 2,
};

struct sysctl_entry;

struct sysctl_settings {
	struct sysctl_lines lines; /* in the order they apply */
	size_t n_systemd; /* of them, those that systemd-sysctl reads */
	struct sysctl_entry *entry;
	size_t n_entries, n_buckets;
	uint32_t *bucket;
	struct sysctl_pattern *pattern;
	size_t n_patterns, pattern_room;
	uint32_t *beaten; /* by line: the line before it of the same key, plus 1; 0 for none */
	uint32_t *place; /* by line: the place in the order of writing that it takes */
};

/* Indexes the lines; once, after all files are parsed. The arena owns all. -E2BIG: too many
 * patterns. */
int sysctl_settings_index(struct sysctl_settings *settings, struct kc_arena *arena);

/* What decides a key. Pointers are into the settings; NULL where there is nothing. */
struct sysctl_winner {
	const struct sysctl_line *line; /* that sets it last */
	const struct sysctl_line *excluded; /* "-key" that takes it out of every pattern */
	const struct sysctl_line *ignored; /* a line that looks like it and is no assignment */
	uint32_t place; /* of `line`, for comparing two names of one value */
};

void sysctl_settings_find(const struct sysctl_settings *settings, enum sysctl_reader reader,
			  const char *key, struct sysctl_winner *ret_winner);

/*
 * Lines that set the key for systemd-sysctl and lose against the winner, latest first, at most
 * `max`. Returns how many.
 */
size_t sysctl_settings_beaten(const struct sysctl_settings *settings, const char *key,
			      const struct sysctl_line *winner, const struct sysctl_line **list,
			      size_t max);
