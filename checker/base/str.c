/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "str.h"

bool kc_endswith(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && kc_streq(s + n - m, suffix);
}

bool kc_isspace(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *kc_strstrip(char *s)
{
	size_t n;

	while (kc_isspace(*s))
		s++;
	n = strlen(s);
	while (n > 0 && kc_isspace(s[n - 1]))
		n--;
	s[n] = 0;
	return s;
}

bool kc_strv_has(const char *const *list, const char *s)
{
	KC_FOREACH_STR (item, list) {
		if (kc_streq(item, s))
			return true;
	}
	return false;
}

size_t kc_strv_len(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

char *kc_asprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&s, fmt, ap);
	va_end(ap);
	return r < 0 ? NULL : s;
}

static bool buf_reserve(struct kc_buf *b, size_t more)
{
	size_t want, size;
	char *p;

	if (b->failed)
		return false;
	if (more > SIZE_MAX / 4 || b->len > SIZE_MAX / 4) {
		b->failed = true;
		return false;
	}
	want = b->len + more + 1;
	if (want <= b->size)
		return true;
	size = KC_MAX(want, b->size + b->size / 2);
	size = KC_MAX(size, (size_t)64);
	p = realloc(b->data, size);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->data = p;
	b->size = size;
	return true;
}

char *kc_buf_room(struct kc_buf *b, size_t more)
{
	return buf_reserve(b, more) ? b->data + b->len : NULL;
}

void kc_buf_grow(struct kc_buf *b, size_t filled)
{
	b->len += filled;
	b->data[b->len] = 0;
}

void kc_buf_add(struct kc_buf *b, const void *data, size_t len)
{
	if (!buf_reserve(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = 0;
}

void kc_buf_addc(struct kc_buf *b, char c)
{
	kc_buf_add(b, &c, 1);
}

void kc_buf_adds(struct kc_buf *b, const char *s)
{
	kc_buf_add(b, s, strlen(s));
}

void kc_buf_addv(struct kc_buf *b, const char *fmt, va_list ap)
{
	va_list copy;
	int n;

	va_copy(copy, ap);
	n = vsnprintf(NULL, 0, fmt, copy);
	va_end(copy);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!buf_reserve(b, (size_t)n))
		return;
	(void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	b->len += (size_t)n;
}

void kc_buf_addf(struct kc_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kc_buf_addv(b, fmt, ap);
	va_end(ap);
}

void kc_buf_reset(struct kc_buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = 0;
}

int kc_buf_error(const struct kc_buf *b)
{
	return b->failed ? -ENOMEM : 0;
}

char *kc_buf_take(struct kc_buf *b)
{
	char *s;

	if (!buf_reserve(b, 0)) {
		kc_buf_done(b);
		return NULL;
	}
	b->data[b->len] = 0;
	s = b->data;
	*b = (struct kc_buf){ 0 };
	return s;
}

void kc_buf_done(struct kc_buf *b)
{
	free(b->data);
	*b = (struct kc_buf){ 0 };
}

enum {
	NEAREST_MAX = 64
};

/* Optimal string alignment: a swap of neighbours, the commonest slip, counts as one. */
static unsigned edit_distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned d[3][NEAREST_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = d[i % 3], *above = d[(i - 1) % 3], *two = d[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned v = above[j - 1] + (a[i - 1] != b[j - 1]);

			v = KC_MIN(v, above[j] + 1);
			v = KC_MIN(v, now[j - 1] + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				v = KC_MIN(v, two[j - 2] + 1);
			now[j] = v;
		}
	}
	return d[n % 3][m];
}

const char *kc_nearest(const char *word, const char *const *list)
{
	const char *best = NULL;
	size_t n = strlen(word);
	unsigned least = (unsigned)(n < 4 ? 1 : n < 8 ? 2 : 3) + 1;

	if (n == 0 || n > NEAREST_MAX)
		return NULL;
	KC_FOREACH_STR (item, list) {
		size_t m = strlen(item);
		unsigned d;

		if (m == 0 || m > NEAREST_MAX)
			continue;
		d = edit_distance(word, n, item, m);
		if (d < least) {
			least = d;
			best = item;
		}
	}
	return best;
}
