/* SPDX-License-Identifier: Apache-2.0 */
#include "version-order.h"

/* A part of a text that is compared. */
struct span {
	const char *at, *end;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The character at the start, NUL at the end. */
static char head(const struct span *s)
{
	return s->at < s->end ? *s->at : '\0';
}

static struct span cut(struct span *s, bool (*wanted)(char))
{
	struct span part = { .at = s->at, .end = s->at };

	while (part.end < s->end && wanted(*part.end))
		part.end++;
	s->at = part.end;
	return part;
}

static int compare_text(struct span a, struct span b)
{
	size_t n = (size_t)(a.end - a.at), m = (size_t)(b.end - b.at);
	int r = memcmp(a.at, b.at, KC_MIN(n, m));

	return r ? r : n < m ? -1 : n > m;
}

/* Numbers of any length. */
static int compare_digits(struct span a, struct span b)
{
	while (head(&a) == '0')
		a.at++;
	while (head(&b) == '0')
		b.at++;
	if (a.end - a.at != b.end - b.at)
		return a.end - a.at < b.end - b.at ? -1 : 1;
	return compare_text(a, b);
}

static bool is_rpm_separator(char c)
{
	return !is_digit(c) && !is_alpha(c) && c != '~' && c != '+';
}

/* "~" sorts before all, "+" behind the end. 0: neither is there; 2: both are, and are passed. */
static int compare_rpm_signs(struct span *a, struct span *b)
{
	static const char signs[] = "~+";

	for (size_t i = 0; signs[i]; i++) {
		char c = signs[i];

		if (head(a) != c && head(b) != c)
			continue;
		if (c == '+' && a->at == a->end)
			return -1;
		if (c == '+' && b->at == b->end)
			return 1;
		if (head(a) != c)
			return 1;
		if (head(b) != c)
			return -1;
		a->at++;
		b->at++;
		return 2;
	}
	return 0;
}

static int compare_rpm(struct span a, struct span b)
{
	for (;;) {
		bool (*kind)(char);
		struct span one, two;
		int r;

		(void)cut(&a, is_rpm_separator);
		(void)cut(&b, is_rpm_separator);
		r = compare_rpm_signs(&a, &b);
		if (r == 2)
			continue;
		if (r)
			return r;
		if (a.at == a.end || b.at == b.end)
			break;
		kind = is_digit(*a.at) ? is_digit : is_alpha;
		one = cut(&a, kind);
		two = cut(&b, kind);
		if (two.at == two.end)
			return kind == is_digit ? 1 : -1;
		r = kind == is_digit ? compare_digits(one, two) : compare_text(one, two);
		if (r)
			return r;
	}
	return a.at == a.end ? (b.at == b.end ? 0 : -1) : 1;
}

static const char *last_dash(struct span s)
{
	while (s.end > s.at)
		if (*--s.end == '-')
			return s.end;
	return NULL;
}

/* NAME-VERSION-RELEASE; with one dash NAME and VERSION, with none NAME alone. */
static void split(const char *text, struct span part[3])
{
	struct span rest = { .at = text, .end = text + strlen(text) };
	const char *second = last_dash(rest), *first = NULL;

	for (size_t i = 0; i < 3; i++)
		part[i] = (struct span){ .at = rest.end, .end = rest.end };
	if (second)
		first = last_dash((struct span){ .at = text, .end = second });
	if (first) {
		part[0] = (struct span){ .at = text, .end = first };
		part[1] = (struct span){ .at = first + 1, .end = second };
		part[2] = (struct span){ .at = second + 1, .end = rest.end };
	} else if (second) {
		part[0] = (struct span){ .at = text, .end = second };
		part[1] = (struct span){ .at = second + 1, .end = rest.end };
	} else {
		part[0] = rest;
	}
}

int kc_version_order_blscfg(const char *a, const char *b)
{
	struct span one[3], two[3];
	int r = 0;

	split(a, one);
	split(b, two);
	for (size_t i = 0; !r && i < 3; i++)
		r = compare_rpm(one[i], two[i]);
	return r;
}

static bool is_systemd_separator(char c)
{
	return !is_digit(c) && !is_alpha(c) && !strchr("~-^.", c);
}

/* "~", the end, "-", "^" and "." sort in this order, before all else. 2: a sign was passed. */
static int compare_systemd_signs(struct span *a, struct span *b)
{
	static const char signs[] = "~-^.";

	for (size_t i = 0; signs[i]; i++) {
		char c = signs[i];

		/* Only "~" is older than nothing at all. */
		if (i == 1 && (a->at == a->end || b->at == b->end))
			return a->at < a->end ? 1 : b->at < b->end ? -1 : 0;
		if (head(a) != c && head(b) != c)
			continue;
		if (head(a) != c)
			return 1;
		if (head(b) != c)
			return -1;
		a->at++;
		b->at++;
		return 2;
	}
	return 0;
}

int kc_version_order_systemd(const char *one, const char *two)
{
	struct span a = { .at = one, .end = one + strlen(one) };
	struct span b = { .at = two, .end = two + strlen(two) };

	for (;;) {
		int r;

		(void)cut(&a, is_systemd_separator);
		(void)cut(&b, is_systemd_separator);
		r = compare_systemd_signs(&a, &b);
		if (r == 2)
			continue;
		if (r || (a.at == a.end && b.at == b.end))
			return r;
		if (is_digit(*a.at) || is_digit(*b.at)) {
			struct span x = cut(&a, is_digit), y = cut(&b, is_digit);

			/* A number is newer than a word. */
			if ((x.at == x.end) != (y.at == y.end))
				return x.at == x.end ? -1 : 1;
			r = compare_digits(x, y);
		} else {
			r = compare_text(cut(&a, is_alpha), cut(&b, is_alpha));
		}
		if (r)
			return r;
	}
}
