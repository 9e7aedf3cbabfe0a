/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * Fails the test unless a text has nothing but printable characters and line ends, no mark of a CI
 * command anywhere, and no line that begins with one, behind white space or not.
 */
void kc_assert_harmless(const char *text, size_t size);
