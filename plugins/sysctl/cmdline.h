/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * The next argument of a kernel command line, in place: *at moves behind it, quotes are taken off;
 * *ret_value is NULL for one without "=". False at the end, and at "--", behind which nothing is
 * for the kernel. Pure.
 */
bool sysctl_cmdline_next(char **at, char **ret_key, char **ret_value);
