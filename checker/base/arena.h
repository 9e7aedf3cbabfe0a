/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>

#include "macro.h"

/*
 * Memory for many small things that die together: a profile, a rule's run, a report. Nothing in it
 * is freed alone. Zeroed is empty. Every allocation is aligned to 8 bytes; NULL when there is no
 * memory or the arena's limit is reached.
 */
struct kc_arena {
	struct kc_arena_chunk *chunk;
	size_t used; /* bytes handed out */
	size_t limit; /* most bytes to hand out; 0: no limit */
};

void *kc_arena_alloc(struct kc_arena *a, size_t size) kc_must_check; /* not zeroed */
void *kc_arena_zalloc(struct kc_arena *a, size_t n, size_t size) kc_must_check; /* zeroed array */
/*
 * An array with room for one more than n elements of `size` bytes: `items` itself, or a copy of
 * twice the room, which *room then is; what is behind the n is zeroed. 0 and NULL begin one.
 */
void *kc_arena_grow(struct kc_arena *a, void *items, size_t n, size_t *room,
		    size_t size) kc_must_check;
char *kc_arena_strdup(struct kc_arena *a, const char *s) kc_must_check;
/* Copies len bytes and puts a NUL behind them. */
char *kc_arena_memdup(struct kc_arena *a, const void *data, size_t len) kc_must_check;
char *kc_arena_printf(struct kc_arena *a, const char *fmt, ...) kc_printf(2, 3) kc_must_check;
char *kc_arena_vprintf(struct kc_arena *a, const char *fmt, va_list ap)
	kc_printf(2, 0) kc_must_check;

/* Frees all, and makes it empty again. */
void kc_arena_done(struct kc_arena *a);
