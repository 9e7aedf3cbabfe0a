/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * Holds text against tests/golden/NAME (found by the environment variable KC_TEST_DATA) and fails
 * the test at the first line that differs. With KC_GOLDEN_UPDATE in the environment it writes the
 * file instead; what came out is then to be read, line by line, before it is committed.
 */
void kc_assert_golden(const char *name, const char *text, size_t size);
