/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"

enum {
	ALIGN = 8,
	CHUNK_MIN = 16 * 1024 - 64,
	CHUNK_MAX = 256 * 1024
};

struct kc_arena_chunk {
	struct kc_arena_chunk *next;
	size_t used, size;
	char data[] __attribute__((aligned(16)));
};

static struct kc_arena_chunk *chunk_new(struct kc_arena *a, size_t need)
{
	size_t size = a->chunk ? a->chunk->size * 2 : (size_t)CHUNK_MIN;
	struct kc_arena_chunk *c;

	size = KC_MIN(size, (size_t)CHUNK_MAX);
	size = KC_MAX(size, need);
	c = malloc(sizeof(*c) + size);
	if (!c)
		return NULL;
	c->used = 0;
	c->size = size;
	/* A large single thing gets a chunk of its own behind the current one, which still has
	 * room. */
	if (a->chunk && need > (size_t)CHUNK_MAX / 4) {
		c->next = a->chunk->next;
		a->chunk->next = c;
	} else {
		c->next = a->chunk;
		a->chunk = c;
	}
	return c;
}

void *kc_arena_alloc(struct kc_arena *a, size_t size)
{
	struct kc_arena_chunk *c = a->chunk;
	void *p;

	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (a->limit && (size > a->limit || a->used > a->limit - size))
		return NULL;
	if (!c || c->size - c->used < size) {
		c = chunk_new(a, size);
		if (!c)
			return NULL;
	}
	p = c->data + c->used;
	c->used += size;
	a->used += size;
	return p;
}

void *kc_arena_zalloc(struct kc_arena *a, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = kc_arena_alloc(a, bytes);
	if (p)
		memset(p, 0, bytes);
	return p;
}

void *kc_arena_grow(struct kc_arena *a, void *items, size_t n, size_t *room, size_t size)
{
	size_t more = 16;
	void *grown;

	if (n < *room)
		return items;
	if (*room && __builtin_mul_overflow(*room, (size_t)2, &more))
		return NULL;
	grown = kc_arena_zalloc(a, more, size);
	if (!grown)
		return NULL;
	if (n)
		memcpy(grown, items, n * size);
	*room = more;
	return grown;
}

char *kc_arena_memdup(struct kc_arena *a, const void *data, size_t len)
{
	char *p;

	if (len == SIZE_MAX)
		return NULL;
	p = kc_arena_alloc(a, len + 1);
	if (!p)
		return NULL;
	if (len > 0)
		memcpy(p, data, len);
	p[len] = 0;
	return p;
}

char *kc_arena_strdup(struct kc_arena *a, const char *s)
{
	return kc_arena_memdup(a, s, strlen(s));
}

char *kc_arena_vprintf(struct kc_arena *a, const char *fmt, va_list ap)
{
	va_list copy;
	char *p;
	int n;

	va_copy(copy, ap);
	n = vsnprintf(NULL, 0, fmt, copy);
	va_end(copy);
	if (n < 0)
		return NULL;
	p = kc_arena_alloc(a, (size_t)n + 1);
	if (p)
		(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *kc_arena_printf(struct kc_arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = kc_arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

void kc_arena_done(struct kc_arena *a)
{
	struct kc_arena_chunk *c = a->chunk;

	while (c) {
		struct kc_arena_chunk *next = c->next;

		free(c);
		c = next;
	}
	a->chunk = NULL;
	a->used = 0;
}
