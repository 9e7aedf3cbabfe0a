/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * Masks secrets in a host's text: values behind names like password, passwd, secret, token,
 * api-key, access-key, private-key, credential and authorization, in assignments (=, :), flags
 * (--token X, --token=X), quoted JSON and YAML; user:password@ in URLs; bearer and basic
 * credentials; JSON web tokens; private key blocks; bootstrap tokens ([a-z0-9]{6}.[a-z0-9]{16});
 * hashes of passwords (crypt(5), as in /etc/shadow).
 * The names stay, the values become "***".
 *
 * Appends the masked text to b. Returns how many places were masked.
 */
unsigned kc_mask(struct kc_buf *b, const char *text, size_t size);

/* Cheap test whether kc_mask() could change the text. */
bool kc_mask_needed(const char *text, size_t size);
