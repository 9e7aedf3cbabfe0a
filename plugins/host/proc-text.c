/* SPDX-License-Identifier: Apache-2.0 */
#include "proc-text.h"

const char *host_proc_field(const char *text, size_t size, const char *name, size_t *ret_size)
{
	const char *end = text + size, *stop;
	size_t n = strlen(name);

	for (; text < end; text = stop < end ? stop + 1 : end) {
		const char *value = text + n + 1, *behind;

		stop = memchr(text, '\n', (size_t)(end - text));
		if (!stop)
			stop = end;
		if ((size_t)(stop - text) <= n || memcmp(text, name, n) != 0 || text[n] != ':')
			continue;
		for (behind = stop; value < behind && kc_isspace(*value);)
			value++;
		while (behind > value && kc_isspace(behind[-1]))
			behind--;
		*ret_size = (size_t)(behind - value);
		return value;
	}
	return NULL;
}

int host_proc_kilobytes(const char *text, size_t size, const char *name, uint64_t *ret_bytes)
{
	static const char unit[] = " kB";
	char digits[24] = "";
	uint64_t number;
	const char *value;
	size_t n;
	int r;

	value = host_proc_field(text, size, name, &n);
	if (!value)
		return -ENOENT;
	if (n < sizeof(unit) || n - (sizeof(unit) - 1) >= sizeof(digits) ||
	    memcmp(value + n - (sizeof(unit) - 1), unit, sizeof(unit) - 1) != 0)
		return -EINVAL;
	memcpy(digits, value, n - (sizeof(unit) - 1));
	r = kc_parse_u64(digits, &number);
	if (r < 0)
		return r;
	return __builtin_mul_overflow(number, (uint64_t)1024, ret_bytes) ? -ERANGE : 0;
}
