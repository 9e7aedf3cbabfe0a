/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

/*
 * Space for one more item in a malloc'ed array of n items of `size` bytes, *room at most: the
 * array, which has moved when it was full. NULL: there is no memory, and the array is as it was.
 * kc_arena_grow() is the same in an arena.
 */
static inline void *kc_grow(void *items, size_t n, size_t *room, size_t size)
{
	size_t more = 16, bytes;
	void *grown;

	if (n < *room)
		return items;
	if (*room && __builtin_mul_overflow(*room, (size_t)2, &more))
		return NULL;
	if (__builtin_mul_overflow(more, size, &bytes))
		return NULL;
	grown = realloc(items, bytes);
	if (grown)
		*room = more;
	return grown;
}
