/* SPDX-License-Identifier: Apache-2.0 */
#include "compare.h"

struct field {
	const char *s;
	size_t n;
};

struct number {
	bool negative;
	uint64_t magnitude;
};

static bool next_field(const char **text, struct field *ret_field)
{
	const char *s = *text;
	size_t n = 0;

	while (kc_isspace(*s))
		s++;
	while (s[n] && !kc_isspace(s[n]))
		n++;
	*text = s + n;
	*ret_field = (struct field){ .s = s, .n = n };
	return n > 0;
}

/* Decimal, beyond 64 bits none: keys like kernel.shmall need all of an unsigned long. */
static bool read_number(const struct field *f, struct number *ret_number)
{
	struct number out = { 0 };
	size_t i = 0;

	if (f->n > 1 && (f->s[0] == '-' || f->s[0] == '+'))
		out.negative = f->s[i++] == '-';
	for (; i < f->n; i++) {
		if (f->s[i] < '0' || f->s[i] > '9' ||
		    __builtin_mul_overflow(out.magnitude, 10, &out.magnitude) ||
		    __builtin_add_overflow(out.magnitude, (uint64_t)(f->s[i] - '0'),
					   &out.magnitude))
			return false;
	}
	if (out.magnitude == 0)
		out.negative = false;
	*ret_number = out;
	return f->n > 0;
}

static int compare_numbers(const struct number *a, const struct number *b)
{
	int d = (a->magnitude > b->magnitude) - (a->magnitude < b->magnitude);

	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	return a->negative ? -d : d;
}

static bool fields_equal(const struct field *a, const struct field *b)
{
	struct number x, y;

	if (read_number(a, &x) && read_number(b, &y))
		return compare_numbers(&x, &y) == 0;
	return a->n == b->n && memcmp(a->s, b->s, a->n) == 0;
}

static bool equal(const char *a, const char *b)
{
	struct field x, y;

	for (;;) {
		bool more = next_field(&a, &x);

		if (more != next_field(&b, &y))
			return false;
		if (!more)
			return true;
		if (!fields_equal(&x, &y))
			return false;
	}
}

/* Every field of the value at least (sign 1) or at most (-1) the wanted one. */
static int within(const char *value, const char *want, int sign)
{
	bool ok = true;

	for (;;) {
		struct field x, y;
		struct number a, b;
		bool more = next_field(&value, &x);

		if (more != next_field(&want, &y))
			return -EINVAL;
		if (!more)
			return ok;
		if (!read_number(&x, &a) || !read_number(&y, &b))
			return -EINVAL;
		ok = ok && compare_numbers(&a, &b) * sign >= 0;
	}
}

int sysctl_compare(const struct sysctl_want *want, const char *value)
{
	switch (want->compare) {
	case SYSCTL_AT_LEAST:
		return within(value, want->value, 1);
	case SYSCTL_AT_MOST:
		return within(value, want->value, -1);
	case SYSCTL_ONE_OF:
		for (size_t i = 0; i < want->values.n; i++) {
			if (equal(value, want->values.item[i]))
				return 1;
		}
		return 0;
	default:
		return equal(value, want->value);
	}
}

bool sysctl_want_valid(const struct sysctl_want *want)
{
	struct field f;
	const char *text;

	if (want->compare == SYSCTL_ONE_OF)
		return want->values.n > 0;
	text = want->value;
	if (want->compare == SYSCTL_EQUAL)
		return true;
	return next_field(&text, &f) && within(want->value, want->value, 1) == 1;
}
