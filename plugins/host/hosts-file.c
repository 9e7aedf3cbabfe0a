/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "hosts-file.h"

/* The next field of a line, at *text, which is moved behind it; NULL at its end. */
static const char *next_field(const char **text, const char *end, size_t *ret_size)
{
	const char *p = *text, *start;

	while (p < end && kc_isspace(*p))
		p++;
	for (start = p; p < end && !kc_isspace(*p);)
		p++;
	*text = p;
	*ret_size = (size_t)(p - start);
	return p > start ? start : NULL;
}

static bool line_names(const char *text, const char *end, const char *name)
{
	const size_t length = strlen(name);
	const char *field;
	size_t n;

	while ((field = next_field(&text, end, &n))) {
		if (n == length && strncasecmp(field, name, n) == 0)
			return true;
	}
	return false;
}

int host_hosts_find(const char *text, size_t size, const char *name, struct kc_arena *arena,
		    struct host_hosts_entry *ret_entries, size_t max)
{
	const char *end = text + size;
	int found = 0;

	for (unsigned line = 1; text < end; line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text)), *hash, *address;
		const char *from = text;
		size_t n;

		if (!stop)
			stop = end;
		text = stop < end ? stop + 1 : end;
		hash = memchr(from, '#', (size_t)(stop - from));
		if (hash)
			stop = hash;
		address = next_field(&from, stop, &n);
		if (!address || !line_names(from, stop, name))
			continue;
		if ((size_t)found < max) {
			const char *copy = kc_arena_memdup(arena, address, n);

			if (!copy)
				return -ENOMEM;
			ret_entries[found] = (struct host_hosts_entry){ copy, line };
		}
		found++;
	}
	return found;
}
