/* SPDX-License-Identifier: Apache-2.0 */
#include <nettle/base16.h>
#include <nettle/sha2.h>

#include "digest.h"

void kc_digest(const void *data, size_t size, char ret_hex[KC_DIGEST_TEXT])
{
	struct sha256_ctx ctx;
	uint8_t raw[SHA256_DIGEST_SIZE];

	sha256_init(&ctx);
	sha256_update(&ctx, size, data);
	sha256_digest(&ctx, sizeof(raw), raw);
	base16_encode_update(ret_hex, sizeof(raw), raw);
	ret_hex[KC_DIGEST_TEXT - 1] = '\0';
}
