/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "diff.h"

enum {
	CONTEXT = 3
};

struct differ {
	struct kc_lines old, new;
	struct kc_lines_change *changes;
	size_t n;
	struct kc_buf text;
};

static void differ_done(struct differ *d)
{
	kc_lines_done(&d->old);
	kc_lines_done(&d->new);
	free(d->changes);
	kc_buf_done(&d->text);
}

static void add_lines(struct kc_buf *b, char mark, const struct kc_lines *lines, size_t at,
		      size_t n)
{
	for (size_t i = at; i < at + n; i++) {
		kc_buf_addc(b, mark);
		kc_buf_add(b, lines->line[i].s, lines->line[i].n);
		kc_buf_addc(b, '\n');
		if (lines->open && i + 1 == lines->n)
			kc_buf_adds(b, "\\ No newline at end of file\n");
	}
}

/* As diff(1) counts: a range of none stands behind the line it names, and ",1" is left out. */
static void add_range(struct kc_buf *b, char mark, size_t at, size_t n)
{
	kc_buf_addf(b, "%c%zu", mark, n == 0 ? at : at + 1);
	if (n != 1)
		kc_buf_addf(b, ",%zu", n);
}

/* Changes first to last, so near each other that their contexts meet. */
static void add_hunk(struct differ *d, const struct kc_lines_change *first,
		     const struct kc_lines_change *last)
{
	size_t before = KC_MIN(first->old_at, (size_t)CONTEXT);
	size_t old_at = first->old_at - before, new_at = first->new_at - before;
	size_t old_end = last->old_at + last->old_n, new_end = last->new_at + last->new_n;
	size_t after = KC_MIN(d->old.n - old_end, (size_t)CONTEXT), at = old_at;

	kc_buf_adds(&d->text, "@@ ");
	add_range(&d->text, '-', old_at, old_end + after - old_at);
	kc_buf_addc(&d->text, ' ');
	add_range(&d->text, '+', new_at, new_end + after - new_at);
	kc_buf_adds(&d->text, " @@\n");
	for (const struct kc_lines_change *c = first; c <= last; c++) {
		add_lines(&d->text, ' ', &d->old, at, c->old_at - at);
		add_lines(&d->text, '-', &d->old, c->old_at, c->old_n);
		add_lines(&d->text, '+', &d->new, c->new_at, c->new_n);
		at = c->old_at + c->old_n;
	}
	add_lines(&d->text, ' ', &d->old, at, after);
}

int kc_diff(const char *old, size_t old_size, const char *new, size_t new_size, struct kc_buf *ret)
{
	kc_cleanup(differ_done) struct differ d = { 0 };
	int r;

	r = kc_lines_split(old, old_size, &d.old);
	if (r == 0)
		r = kc_lines_split(new, new_size, &d.new);
	if (r == 0)
		r = kc_lines_compare(&d.old, &d.new, true, &d.changes, &d.n);
	if (r < 0)
		return r;
	for (size_t i = 0; i < d.n;) {
		size_t last = i;

		while (last + 1 < d.n && d.changes[last + 1].old_at - (d.changes[last].old_at +
								       d.changes[last].old_n) <=
						 2 * (size_t)CONTEXT)
			last++;
		add_hunk(&d, d.changes + i, d.changes + last);
		i = last + 1;
	}
	if (d.text.failed)
		return -ENOMEM;
	kc_buf_add(ret, d.text.data, d.text.len);
	return kc_buf_error(ret);
}
