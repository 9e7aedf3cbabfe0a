/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* SHA-256, as hexadecimal text with a NUL at its end. */
enum {
	KC_DIGEST_TEXT = 65
};

void kc_digest(const void *data, size_t size, char ret_hex[KC_DIGEST_TEXT]);
