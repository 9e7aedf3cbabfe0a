/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "apply-diff.h"

/* A text that is read line by line, each with its newline. */
struct reader {
	const char *s;
	size_t n, line; /* line: how many were taken */
};

struct piece {
	const char *s;
	size_t n;
};

static struct piece peek(const struct reader *r)
{
	const char *end = r->n > 0 ? memchr(r->s, '\n', r->n) : NULL;

	return (struct piece){ r->s, end ? (size_t)(end - r->s) + 1 : r->n };
}

static struct piece take(struct reader *r)
{
	struct piece p = peek(r);

	r->s += p.n;
	r->n -= p.n;
	r->line += p.n > 0;
	return p;
}

static bool take_text(struct reader *r, const char *text)
{
	size_t n = strlen(text);

	if (r->n < n || memcmp(r->s, text, n) != 0)
		return false;
	r->s += n;
	r->n -= n;
	return true;
}

static bool take_number(struct reader *r, size_t *ret)
{
	size_t value = 0, digits = 0;

	while (r->n > 0 && *r->s >= '0' && *r->s <= '9' && digits < 9) {
		value = value * 10 + (size_t)(*r->s - '0');
		r->s++;
		r->n--;
		digits++;
	}
	*ret = value;
	return digits > 0;
}

/* "-3,4": the lines in front of the hunk, and how many it has. */
static bool take_range(struct reader *r, const char *mark, size_t *ret_at, size_t *ret_n)
{
	size_t at, n = 1;

	if (!take_text(r, mark) || !take_number(r, &at) ||
	    (take_text(r, ",") && !take_number(r, &n)) || (n > 0 && at == 0))
		return false;
	*ret_at = n > 0 ? at - 1 : at;
	*ret_n = n;
	return true;
}

/* What stands behind the mark, without its newline if the diff says that it has none. */
static struct piece take_body(struct reader *diff)
{
	struct piece p = take(diff);

	p.s++;
	p.n--;
	if (take_text(diff, "\\ No newline at end of file\n"))
		p.n--;
	return p;
}

static bool is_next(struct reader *text, struct piece body)
{
	struct piece p = take(text);

	return p.n == body.n && memcmp(p.s, body.s, p.n) == 0;
}

static int apply_hunk(struct reader *text, struct reader *diff, size_t *new_line,
		      struct kc_buf *ret)
{
	size_t old_at, old_n, new_at, new_n, head = 0, tail = 0;
	bool changed = false;

	if (!take_text(diff, "@@ ") || !take_range(diff, "-", &old_at, &old_n) ||
	    !take_text(diff, " ") || !take_range(diff, "+", &new_at, &new_n) ||
	    !take_text(diff, " @@\n") || old_at < text->line)
		return -EINVAL;
	while (text->line < old_at) {
		struct piece p = take(text);

		if (p.n == 0)
			return -EINVAL;
		kc_buf_add(ret, p.s, p.n);
		(*new_line)++;
	}
	if (*new_line != new_at)
		return -EINVAL;
	while (old_n > 0 || new_n > 0) {
		char mark = diff->n > 1 ? *diff->s : 0;
		bool is_old = mark == ' ' || mark == '-', is_new = mark == ' ' || mark == '+';
		struct piece body;

		if ((!is_old && !is_new) || (is_old && old_n-- == 0) || (is_new && new_n-- == 0))
			return -EINVAL;
		body = take_body(diff);
		if (is_old && !is_next(text, body))
			return -EINVAL;
		if (is_new) {
			kc_buf_add(ret, body.s, body.n);
			(*new_line)++;
		}
		changed = changed || mark != ' ';
		head += mark == ' ' && !changed;
		tail = mark == ' ' ? tail + 1 : 0;
	}
	return changed && head <= 3 && tail <= 3 ? 0 : -EINVAL;
}

int kc_apply_diff(const char *text, size_t size, const char *diff, size_t diff_size,
		  struct kc_buf *ret)
{
	struct reader t = { .s = text, .n = size }, d = { .s = diff, .n = diff_size };
	size_t new_line = 0;
	int r = 0;

	while (r == 0 && d.n > 0)
		r = apply_hunk(&t, &d, &new_line, ret);
	kc_buf_add(ret, t.s, t.n);
	return r < 0 ? r : kc_buf_error(ret);
}
