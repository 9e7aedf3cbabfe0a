/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * Appends a manifest's text to `out` without what only people read, so that it parses to the same
 * checks, parameters, reasons and facts. Pure; out->failed tells of memory.
 */
void kc_manifest_brief(const char *text, size_t size, struct kc_buf *out);
