/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "macro.h"

/* free() as a cleanup for any pointer variable: kc_cleanup(kc_freep) char *s = NULL; */
static inline void kc_freep(void *p)
{
	free(*(void **)p);
}

static inline bool kc_streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Both may be NULL. */
static inline bool kc_streq0(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Returns what follows the prefix, or NULL. */
static inline const char *kc_after_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

bool kc_endswith(const char *s, const char *suffix);

/* White space as configuration files have it: space, tab, CR, LF, vertical tab, form feed. */
bool kc_isspace(char c);

/* Cuts white space at both ends, in place; returns the new start inside s. */
char *kc_strstrip(char *s);

/* True when s is one of the NULL-terminated list; list may be NULL. */
bool kc_strv_has(const char *const *list, const char *s);
size_t kc_strv_len(const char *const *list);

/* Iterates over a NULL-terminated list that may itself be NULL. */
#define KC_FOREACH_STR(s, list) KC_FOREACH_STR_AT(s, list, KC_PASTE(_kc_at_, __LINE__))
#define KC_FOREACH_STR_AT(s, list, at) \
	for (const char *const *at = (const char *const *)(list), *s = NULL; at && (s = *at); at++)

/* asprintf() that returns the new string, or NULL when there is no memory. */
char *kc_asprintf(const char *fmt, ...) kc_printf(1, 2) kc_must_check;

/*
 * A buffer that grows. An allocation that fails is remembered (`failed`), so that a writer appends
 * freely and asks once, at the end, with kc_buf_take() or kc_buf_error(). Zeroed is empty. The
 * bytes are always followed by a NUL that `len` does not count.
 */
struct kc_buf {
	char *data;
	size_t len, size;
	bool failed;
};

void kc_buf_add(struct kc_buf *b, const void *data, size_t len);
void kc_buf_addc(struct kc_buf *b, char c);
void kc_buf_adds(struct kc_buf *b, const char *s);
void kc_buf_addf(struct kc_buf *b, const char *fmt, ...) kc_printf(2, 3);
void kc_buf_addv(struct kc_buf *b, const char *fmt, va_list ap) kc_printf(2, 0);

/*
 * Room for `more` bytes behind what is there, for a reader that fills it by itself: NULL when there
 * is no memory. kc_buf_grow() then says how many it filled.
 */
char *kc_buf_room(struct kc_buf *b, size_t more);
void kc_buf_grow(struct kc_buf *b, size_t filled);

/* Empties it and keeps the memory. */
void kc_buf_reset(struct kc_buf *b);

/* 0, or -ENOMEM when an append had failed. */
int kc_buf_error(const struct kc_buf *b);

/* Gives the string to the caller, who frees it; NULL when an append had failed. Never NULL else. */
char *kc_buf_take(struct kc_buf *b) kc_must_check;
void kc_buf_done(struct kc_buf *b);

/* The nearest of a NULL-terminated list by edit distance, or NULL when none is near enough to say.
 */
const char *kc_nearest(const char *word, const char *const *list);
