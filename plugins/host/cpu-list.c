/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu-list.h"

/* A decimal number at *text, which is moved behind it. */
static int read_number(const char **text, const char *end, unsigned *ret_number)
{
	const char *p = *text;
	unsigned number = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		number = number * 10 + (unsigned)(*p - '0');
		if (number >= HOST_CPUS_MAX)
			return -ERANGE;
	}
	if (p == *text)
		return -EINVAL;
	*text = p;
	*ret_number = number;
	return 0;
}

/* "3" or "0-3". */
static int read_range(const char **text, const char *end, struct host_cpus *cpus)
{
	unsigned first, last;
	int r;

	r = read_number(text, end, &first);
	if (r < 0)
		return r;
	last = first;
	if (*text < end && **text == '-') {
		++*text;
		r = read_number(text, end, &last);
		if (r < 0)
			return r;
	}
	if (last < first)
		return -EINVAL;
	for (unsigned i = first; i <= last; i++)
		cpus->bits[i / 64] |= (uint64_t)1 << i % 64;
	return 0;
}

int host_cpus_parse(const char *text, size_t size, struct host_cpus *ret_cpus)
{
	struct host_cpus cpus = { 0 };
	const char *end = text + size;

	if (text < end && end[-1] == '\n')
		end--;
	while (text < end) {
		int r = read_range(&text, end, &cpus);

		if (r < 0)
			return r;
		if (text == end)
			break;
		if (*text++ != ',' || text == end)
			return -EINVAL;
	}
	*ret_cpus = cpus;
	return 0;
}

unsigned host_cpus_count(const struct host_cpus *cpus)
{
	unsigned n = 0;

	for (size_t i = 0; i < KC_ARRAY_SIZE(cpus->bits); i++)
		n += (unsigned)__builtin_popcountll(cpus->bits[i]);
	return n;
}

void host_cpus_intersect(struct host_cpus *cpus, const struct host_cpus *others)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(cpus->bits); i++)
		cpus->bits[i] &= others->bits[i];
}
