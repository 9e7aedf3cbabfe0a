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

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* Beyond 64 bits none: keys like kernel.shmall need all of an unsigned long. */
static bool read_digits(const char *s, size_t n, unsigned base, uint64_t *ret_magnitude)
{
	uint64_t out = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned digit = digit_of(s[i]);

		if (digit >= base || __builtin_mul_overflow(out, base, &out) ||
		    __builtin_add_overflow(out, digit, &out))
			return false;
	}
	*ret_magnitude = out;
	return n > 0;
}

static bool is_negative(const struct field *f)
{
	return f->n > 1 && f->s[0] == '-';
}

/* Decimal, as the kernel shows numbers: without a plus sign, and no zero in front. */
static bool read_number(const struct field *f, struct number *ret_number)
{
	struct number out = { .negative = is_negative(f) };
	size_t from = out.negative ? 1 : 0;

	if ((f->s[from] == '0' && f->n > from + 1) ||
	    !read_digits(f->s + from, f->n - from, 10, &out.magnitude))
		return false;
	out.negative = out.negative && out.magnitude > 0;
	*ret_number = out;
	return true;
}

/* As the kernel reads what is written. */
static bool read_written(const struct field *f, struct number *ret_number)
{
	struct number out = { .negative = is_negative(f) };
	const char *s = f->s + (out.negative ? 1 : 0);
	size_t n = f->n - (out.negative ? 1 : 0);
	unsigned base = 10;

	if (n > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
		n -= 2;
	} else if (n > 1 && s[0] == '0') {
		base = 8;
	}
	if (!read_digits(s, n, base, &out.magnitude))
		return false;
	out.negative = out.negative && out.magnitude > 0;
	*ret_number = out;
	return true;
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

bool sysctl_taken(const char *written, struct kc_buf *b)
{
	kc_cleanup(kc_buf_done) struct kc_buf taken = { 0 };
	bool differs = false;
	struct field f;

	while (next_field(&written, &f)) {
		struct number decimal, number;

		if ((*f.s == '#' || *f.s == ';') && taken.len > 0) {
			differs = true;
			break;
		}
		if (!read_written(&f, &number))
			return false;
		differs = differs || !read_number(&f, &decimal);
		kc_buf_addf(&taken, "%s%s%llu", taken.len > 0 ? " " : "",
			    number.negative ? "-" : "", (unsigned long long)number.magnitude);
	}
	if (!differs || kc_buf_error(&taken) < 0)
		return false;
	kc_buf_add(b, taken.data, taken.len);
	return true;
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
