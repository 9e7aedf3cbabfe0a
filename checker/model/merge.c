/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "merge.h"

/* One who changed the base, and the changes of it that are still to be taken. */
struct side {
	struct kc_lines lines;
	struct kc_lines_change *changes;
	size_t n, next;
};

struct merger {
	struct kc_lines base;
	struct side side[2];
	size_t at; /* line of the base that is next */
	size_t written; /* lines */
	struct kc_buf text;
};

static void merger_done(struct merger *m)
{
	kc_lines_done(&m->base);
	for (unsigned i = 0; i < KC_ARRAY_SIZE(m->side); i++) {
		kc_lines_done(&m->side[i].lines);
		free(m->side[i].changes);
	}
	kc_buf_done(&m->text);
}

/* Newlines stand between lines; whether one is at the end is decided there. */
static void add_line(struct merger *m, const struct kc_line *line)
{
	if (m->written++ > 0)
		kc_buf_addc(&m->text, '\n');
	kc_buf_add(&m->text, line->s, line->n);
}

static void add_lines(struct merger *m, const struct kc_lines *lines, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++)
		add_line(m, lines->line + i);
}

static void copy_base(struct merger *m, size_t until)
{
	add_lines(m, &m->base, m->at, until - m->at);
	m->at = until;
}

static const struct kc_lines_change *peek(const struct side *side)
{
	return side->next < side->n ? side->changes + side->next : NULL;
}

static size_t end_of(const struct kc_lines_change *c)
{
	return c->old_at + c->old_n;
}

static void take(struct merger *m, struct side *side)
{
	const struct kc_lines_change *c = side->changes + side->next++;

	copy_base(m, c->old_at);
	add_lines(m, &side->lines, c->new_at, c->new_n);
	m->at = end_of(c);
}

static bool inserts(const struct side *side, const struct kc_lines_change *c,
		    const struct kc_line *line)
{
	for (size_t i = c->new_at; i < c->new_at + c->new_n; i++) {
		if (kc_line_equal(side->lines.line + i, line))
			return true;
	}
	return false;
}

enum {
	INSERTED_MAX = 4096 /* lines, of two insertions at one place that are not the same */
};

static int take_insertions(struct merger *m, const struct kc_lines_change *a,
			   const struct kc_lines_change *b)
{
	struct side *first = m->side, *second = m->side + 1;

	/* Every line of one is looked for among those of the other. */
	if (a->new_n > INSERTED_MAX || b->new_n > INSERTED_MAX)
		return -EBUSY;
	take(m, first);
	for (size_t i = b->new_at; i < b->new_at + b->new_n; i++) {
		if (!inserts(first, a, second->lines.line + i))
			add_line(m, second->lines.line + i);
	}
	second->next++;
	return 0;
}

static bool is_same(const struct merger *m, const struct kc_lines_change *a,
		    const struct kc_lines_change *b)
{
	if (a->old_at != b->old_at || a->old_n != b->old_n || a->new_n != b->new_n)
		return false;
	for (size_t i = 0; i < a->new_n; i++) {
		if (!kc_line_equal(m->side[0].lines.line + a->new_at + i,
				   m->side[1].lines.line + b->new_at + i))
			return false;
	}
	return true;
}

/* Deletions that overlap, of both sides in turn, as long as one reaches into the next. */
static int take_deletions(struct merger *m, size_t from)
{
	size_t end = from;
	bool more = true;

	copy_base(m, from);
	while (more) {
		more = false;
		for (unsigned i = 0; i < KC_ARRAY_SIZE(m->side); i++) {
			const struct kc_lines_change *c = peek(m->side + i);

			if (!c || (c->old_at >= end && end > from))
				continue;
			if (c->new_n > 0)
				return -EBUSY;
			end = KC_MAX(end, end_of(c));
			m->side[i].next++;
			more = true;
		}
	}
	m->at = end;
	return 0;
}

static int take_both(struct merger *m, const struct kc_lines_change *a,
		     const struct kc_lines_change *b)
{
	if (is_same(m, a, b)) {
		take(m, m->side);
		m->side[1].next++;
		return 0;
	}
	if (a->old_n == 0 && b->old_n == 0 && a->old_at == b->old_at)
		return take_insertions(m, a, b);
	if (end_of(a) <= b->old_at) {
		take(m, m->side);
		return 0;
	}
	if (end_of(b) <= a->old_at) {
		take(m, m->side + 1);
		return 0;
	}
	if (a->new_n == 0 && b->new_n == 0)
		return take_deletions(m, KC_MIN(a->old_at, b->old_at));
	return -EBUSY;
}

static int merge(struct merger *m)
{
	int r = 0;

	while (r == 0) {
		const struct kc_lines_change *a = peek(m->side), *b = peek(m->side + 1);

		if (a && b)
			r = take_both(m, a, b);
		else if (a || b)
			take(m, a ? m->side : m->side + 1);
		else
			break;
	}
	if (r < 0)
		return r;
	copy_base(m, m->base.n);
	return 0;
}

static int compare(struct merger *m, struct side *side, const char *text, size_t size)
{
	int r = kc_lines_split(text, size, &side->lines);

	return r < 0 ? r
		     : kc_lines_compare(&m->base, &side->lines, false, &side->changes, &side->n);
}

int kc_merge3(const char *base, size_t base_size, const char *a, size_t a_size, const char *b,
	      size_t b_size, struct kc_buf *ret)
{
	kc_cleanup(merger_done) struct merger m = { 0 };
	bool open;
	int r;

	r = kc_lines_split(base, base_size, &m.base);
	if (r == 0)
		r = compare(&m, m.side, a, a_size);
	if (r == 0)
		r = compare(&m, m.side + 1, b, b_size);
	if (r == 0)
		r = merge(&m);
	if (r < 0)
		return r;
	open = m.side[m.side[0].lines.open == m.base.open ? 1 : 0].lines.open;
	if (m.written > 0 && !open)
		kc_buf_addc(&m.text, '\n');
	if (m.text.failed)
		return -ENOMEM;
	kc_buf_add(ret, m.text.data, m.text.len);
	return kc_buf_error(ret);
}
