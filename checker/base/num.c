/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "num.h"

/* Reads digits from *s on and moves it behind them. */
static int scan_u64(const char **s, uint64_t *ret_value)
{
	const char *p = *s;
	uint64_t v = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(v, 10u, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	}
	*s = p;
	*ret_value = v;
	return 0;
}

int kc_parse_u64(const char *s, uint64_t *ret_value)
{
	uint64_t v;
	int r = scan_u64(&s, &v);

	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	*ret_value = v;
	return 0;
}

int kc_parse_i64(const char *s, int64_t *ret_value)
{
	bool minus = *s == '-';
	uint64_t v;
	int r = kc_parse_u64(s + minus, &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + minus)
		return -ERANGE;
	*ret_value = minus ? (int64_t)(0 - v) : (int64_t)v;
	return 0;
}

int kc_parse_bool(const char *s, bool *ret_value)
{
	static const char *const yes[] = { "true", "yes", "on" }, *const no[] = { "false", "no",
										  "off" };

	for (size_t i = 0; i < KC_ARRAY_SIZE(yes); i++) {
		if (strcmp(s, yes[i]) == 0) {
			*ret_value = true;
			return 0;
		}
		if (strcmp(s, no[i]) == 0) {
			*ret_value = false;
			return 0;
		}
	}
	return -EINVAL;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int scan_unit(const char **s, const struct unit *units, size_t n, uint64_t *ret_factor)
{
	const struct unit *best = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(units[i].name);

		if (strncmp(*s, units[i].name, len) == 0 && (!best || len > strlen(best->name)))
			best = units + i;
	}
	if (!best)
		return -EINVAL;
	*s += strlen(best->name);
	*ret_factor = best->factor;
	return 0;
}

int kc_parse_duration(const char *s, uint64_t *ret_usec)
{
	static const struct unit units[] = { { "us", 1 },
					     { "ms", 1000 },
					     { "s", 1000000 },
					     { "m", 60000000 },
					     { "h", 3600000000ull } };
	uint64_t sum = 0, v, factor;
	int r;

	if (kc_parse_u64(s, &v) == 0) {
		if (__builtin_mul_overflow(v, 1000000u, &sum))
			return -ERANGE;
		*ret_usec = sum;
		return 0;
	}
	do {
		r = scan_u64(&s, &v);
		if (r < 0)
			return r;
		r = scan_unit(&s, units, KC_ARRAY_SIZE(units), &factor);
		if (r < 0)
			return r;
		if (__builtin_mul_overflow(v, factor, &v) || __builtin_add_overflow(sum, v, &sum))
			return -ERANGE;
	} while (*s);
	*ret_usec = sum;
	return 0;
}

int kc_parse_size(const char *s, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "k", 1000 },
		{ "K", 1000 },
		{ "M", 1000000 },
		{ "G", 1000000000 },
		{ "T", 1000000000000 },
		{ "Ki", 1ull << 10 },
		{ "Mi", 1ull << 20 },
		{ "Gi", 1ull << 30 },
		{ "Ti", 1ull << 40 },
	};
	uint64_t v, factor;
	int r;

	r = scan_u64(&s, &v);
	if (r < 0)
		return r;
	r = scan_unit(&s, units, KC_ARRAY_SIZE(units), &factor);
	if (r < 0)
		return r;
	if (*s)
		return -EINVAL;
	if (__builtin_mul_overflow(v, factor, &v))
		return -ERANGE;
	*ret_bytes = v;
	return 0;
}

int kc_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}
