/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "toml.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Refuses text that would make a recursive parser recurse too deep, or build too much: one pass
 * that knows strings, comments and brackets alone. -EFBIG for that; -EINVAL for control characters,
 * which TOML forbids and which could end a line for one reader and not for another.
 */
int kc_toml_scan(const char *name, const char *text, size_t size, struct kc_err *err);

#ifdef __cplusplus
}
#endif
