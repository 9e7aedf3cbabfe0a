/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/grow.h"
#include "base/hash.h"
#include "lines.h"

enum {
	DISTANCE_MAX = 1000, /* lines that are removed and added; its square is memory */
	WORK_MAX = 32 * 1024 * 1024, /* comparisons of two lines */
};

int kc_lines_split(const char *text, size_t size, struct kc_lines *ret_lines)
{
	kc_cleanup(kc_lines_done) struct kc_lines lines = { 0 };
	size_t n = 0;

	if (size > KC_LINES_SIZE_MAX)
		return -EFBIG;
	for (size_t i = 0; i < size; i++)
		n += text[i] == '\n';
	lines.open = size > 0 && text[size - 1] != '\n';
	n += lines.open;
	lines.line = calloc(KC_MAX(n, (size_t)1), sizeof(*lines.line));
	if (!lines.line)
		return -ENOMEM;
	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end ? (size_t)(end - text) - at : size - at;

		lines.line[lines.n++] = (struct kc_line){
			.s = text + at,
			.n = (uint32_t)len,
			.hash = kc_hash(text + at, len),
		};
		at += len + 1;
	}
	*ret_lines = lines;
	lines = (struct kc_lines){ 0 };
	return 0;
}

void kc_lines_done(struct kc_lines *lines)
{
	free(lines->line);
	*lines = (struct kc_lines){ 0 };
}

bool kc_line_equal(const struct kc_line *a, const struct kc_line *b)
{
	return a->n == b->n && a->hash == b->hash && memcmp(a->s, b->s, a->n) == 0;
}

/* What is between the lines that both texts begin and end with, and what was found out of it. */
struct search {
	const struct kc_lines *old, *new;
	bool strict;
	size_t head; /* lines that both begin with */
	int32_t n, m; /* lines between, of the old and the new text */
	size_t work;
	int32_t *reach; /* by diagonal, DISTANCE_MAX + 1 in the middle: the furthest old line */
	int32_t *trace; /* of each distance d its 2d + 1 diagonals, one behind another */
	size_t trace_n, trace_room;
	bool *gone, *come; /* by line: not in the other text */
};

static void search_done(struct search *s)
{
	free(s->reach);
	free(s->trace);
	free(s->gone);
	free(s->come);
}

static bool is_open(const struct kc_lines *lines, size_t i)
{
	return lines->open && i + 1 == lines->n;
}

static bool same(const struct search *s, size_t i, size_t j)
{
	return kc_line_equal(s->old->line + i, s->new->line + j) &&
	       (!s->strict || is_open(s->old, i) == is_open(s->new, j));
}

static void cut_ends(struct search *s)
{
	size_t n = s->old->n, m = s->new->n, head = 0;

	while (head < n && head < m && same(s, head, head))
		head++;
	while (n > head && m > head && same(s, n - 1, m - 1)) {
		n--;
		m--;
	}
	s->head = head;
	s->n = (int32_t)(n - head);
	s->m = (int32_t)(m - head);
}

static int keep_trace(struct search *s, int32_t d)
{
	size_t size = 2 * (size_t)d + 1;

	while (s->trace_n + size > s->trace_room) {
		/* Asked for one item more than there is room for, it doubles. */
		int32_t *grown =
			kc_grow(s->trace, s->trace_room, &s->trace_room, sizeof(*s->trace));

		if (!grown)
			return -ENOMEM;
		s->trace = grown;
	}
	memcpy(s->trace + s->trace_n, s->reach + DISTANCE_MAX + 1 - d, size * sizeof(*s->trace));
	s->trace_n += size;
	return 0;
}

/* Down where that leads further: a line of the new text; else right: one of the old text. */
static bool goes_down(const int32_t *reach, int32_t d, int32_t k)
{
	return k == -d || (k != d && reach[k - 1] < reach[k + 1]);
}

/* Follows each diagonal as far as d lines allow. 1: both ends are reached; -E2BIG: enough. */
static int step(struct search *s, int32_t d)
{
	int32_t *reach = s->reach + DISTANCE_MAX + 1;

	for (int32_t k = -d; k <= d; k += 2) {
		int32_t x = goes_down(reach, d, k) ? reach[k + 1] : reach[k - 1] + 1;
		int32_t y = x - k;

		while (x < s->n && y < s->m && same(s, s->head + (size_t)x, s->head + (size_t)y)) {
			x++;
			y++;
			s->work++;
		}
		reach[k] = x;
		if (++s->work > WORK_MAX)
			return -E2BIG;
		if (x >= s->n && y >= s->m)
			return 1;
	}
	return 0;
}

/* The distance; -E2BIG: it is too large, or takes too long to find. */
static int32_t find_distance(struct search *s)
{
	int r;

	s->reach = calloc(2 * DISTANCE_MAX + 3, sizeof(*s->reach));
	if (!s->reach)
		return -ENOMEM;
	for (int32_t d = 0; d <= DISTANCE_MAX; d++) {
		/* As it is before this step: the way back asks where it came from. */
		r = keep_trace(s, d);
		if (r == 0)
			r = step(s, d);
		if (r != 0)
			return r < 0 ? r : d;
	}
	return -E2BIG;
}

static void mark_all(struct search *s)
{
	memset(s->gone + s->head, true, (size_t)s->n);
	memset(s->come + s->head, true, (size_t)s->m);
}

/* From both ends back to both beginnings. */
static void mark(struct search *s, int32_t d)
{
	int32_t x = s->n, y = s->m;
	size_t end = s->trace_n;

	for (; d > 0; d--) {
		const int32_t *reach = s->trace + end - (size_t)d - 1;
		int32_t k = x - y;
		bool down = goes_down(reach, d, k);
		int32_t from = down ? k + 1 : k - 1;

		x = reach[from];
		y = x - from;
		if (down)
			s->come[s->head + (size_t)y] = true;
		else
			s->gone[s->head + (size_t)x] = true;
		end -= 2 * (size_t)d + 1;
	}
}

static int gather(const struct search *s, struct kc_lines_change **ret_changes, size_t *ret_n)
{
	kc_cleanup(kc_freep) struct kc_lines_change *changes = NULL;
	size_t n = 0, room = 0, i = 0, j = 0;

	while (i < s->old->n || j < s->new->n) {
		struct kc_lines_change change = { .old_at = i, .new_at = j };
		void *grown;

		while (i < s->old->n && s->gone[i])
			i++;
		while (j < s->new->n && s->come[j])
			j++;
		change.old_n = i - change.old_at;
		change.new_n = j - change.new_at;
		if (change.old_n == 0 && change.new_n == 0) {
			i++;
			j++;
			continue;
		}
		grown = kc_grow(changes, n, &room, sizeof(*changes));
		if (!grown)
			return -ENOMEM;
		changes = grown;
		changes[n++] = change;
	}
	*ret_changes = TAKE_PTR(changes);
	*ret_n = n;
	return 0;
}

int kc_lines_compare(const struct kc_lines *old, const struct kc_lines *new, bool strict,
		     struct kc_lines_change **ret_changes, size_t *ret_n)
{
	kc_cleanup(search_done) struct search s = { .old = old, .new = new, .strict = strict };
	int32_t d;

	cut_ends(&s);
	s.gone = calloc(old->n + 1, sizeof(*s.gone));
	s.come = calloc(new->n + 1, sizeof(*s.come));
	if (!s.gone || !s.come)
		return -ENOMEM;
	if (s.n == 0 || s.m == 0) {
		mark_all(&s);
		return gather(&s, ret_changes, ret_n);
	}
	d = find_distance(&s);
	if (d >= 0)
		mark(&s, d);
	else if (d == -E2BIG)
		mark_all(&s);
	else
		return d;
	return gather(&s, ret_changes, ret_n);
}
