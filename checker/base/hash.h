/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * FNV-1a, 32 bits, for tables in memory; never stored, and no digest. Who fills a table from
 * foreign text bounds how far a collision is searched, or how many entries there are.
 */
static inline uint32_t kc_hash_more(uint32_t h, const void *data, size_t size)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < size; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static inline uint32_t kc_hash(const void *data, size_t size)
{
	return kc_hash_more(2166136261u, data, size);
}
