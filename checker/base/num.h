/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "macro.h"

/*
 * Strict readers of numbers: the whole text must be one, without white space. -EINVAL when it is
 * none, -ERANGE when it does not fit.
 */
int kc_parse_i64(const char *s, int64_t *ret_value);
int kc_parse_u64(const char *s, uint64_t *ret_value);

/* true/false, yes/no, on/off, in lower case as YAML 1.1 profiles of this field use them. */
int kc_parse_bool(const char *s, bool *ret_value);

/* "2s", "500ms", "1m30s", "100us", "1h"; a bare number counts seconds. Microseconds. */
int kc_parse_duration(const char *s, uint64_t *ret_usec);

/* "4Gi", "15G", "512M", "100": binary with an i, decimal without, as Kubernetes writes quantities.
 */
int kc_parse_size(const char *s, uint64_t *ret_bytes);

/* 0 to 15, or -1 for what is no hexadecimal digit, of either case. */
int kc_hex_digit(char c);
