/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * Files of proc(5) that have a field a line, "NAME:", white space, value: /proc/PID/status,
 * /proc/meminfo. Pure.
 */

/*
 * The value of the first line of a name, within the text and not ended by NUL, without white space
 * around it. NULL when there is no such line.
 */
const char *host_proc_field(const char *text, size_t size, const char *name, size_t *ret_size);

/* A field "N kB", in bytes. -ENOENT: no such line; -EINVAL: it is no such number; -ERANGE. */
int host_proc_kilobytes(const char *text, size_t size, const char *name, uint64_t *ret_bytes);
