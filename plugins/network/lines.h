/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* A file read line by line, however long it is: tables of the kernel have many megabytes. */
struct network_lines {
	int fd;
	char *buffer; /* in the run's memory */
	size_t begin, end;
	size_t chunk; /* that one read(2) asks for */
	uint64_t number; /* of the line that was read last, from 1 */
	bool ended;
};

/*
 * `chunk` is what one read(2) asks for, 0 for as much as there is room: the kernel looks for
 * further lines until it has as much, which costs where they are far between and the reader may
 * stop before. Errors are those of kc_open_file(), with kc_why(); -ENOMEM.
 */
int network_lines_open(const struct kc_host *host, struct kc_run *run, const char *path,
		       size_t chunk, struct network_lines *ret_lines);

/*
 * The next line without its newline, until the next call. 1: a line; 0: the end. -EBADMSG: a line
 * of more than 16 KiB, or with a NUL in it; -EFBIG: more than 8,388,608 lines; else what read(2)
 * fails with.
 */
int network_lines_next(struct network_lines *lines, const char **ret_line);

void network_lines_close(struct network_lines *lines);
