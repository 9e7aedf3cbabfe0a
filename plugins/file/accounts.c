/* SPDX-License-Identifier: Apache-2.0 */
#include "accounts.h"

enum {
	ID_DIGITS = 10,
};

struct account {
	const char *name;
	size_t length;
	uint32_t id;
};

/* An id as it stands there: digits alone. */
static bool read_id(const char *text, size_t n, uint32_t *ret_id)
{
	char digits[ID_DIGITS + 1];
	uint64_t value;

	if (n == 0 || n > ID_DIGITS)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (kc_parse_u64(digits, &value) < 0 || value > UINT32_MAX)
		return false;
	*ret_id = (uint32_t)value;
	return true;
}

static bool read_account(const char *line, size_t n, struct account *ret_account)
{
	const char *end = line + n;
	const char *first = memchr(line, ':', n);
	const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
	const char *third = second ? memchr(second + 1, ':', (size_t)(end - second - 1)) : NULL;
	uint32_t id;

	if (!third || first == line || !read_id(second + 1, (size_t)(third - second - 1), &id))
		return false;
	*ret_account = (struct account){ .name = line, .length = (size_t)(first - line), .id = id };
	return true;
}

/* The next line with an account; false at the end. *at and *left go on behind it. */
static bool next_account(const char **at, size_t *left, struct account *ret_account)
{
	while (*left > 0) {
		const char *line = *at, *newline = memchr(line, '\n', *left);
		size_t n = newline ? (size_t)(newline - line) : *left;
		size_t step = newline ? n + 1 : n;

		*at += step;
		*left -= step;
		if (read_account(line, n, ret_account))
			return true;
	}
	return false;
}

int file_account_id(const char *text, size_t size, const char *name, uint32_t *ret_id)
{
	size_t n = strlen(name);
	struct account account;

	while (next_account(&text, &size, &account)) {
		if (account.length == n && memcmp(account.name, name, n) == 0) {
			*ret_id = account.id;
			return 0;
		}
	}
	return -ENOENT;
}

const char *file_account_name(const char *text, size_t size, uint32_t id, struct kc_arena *arena)
{
	struct account account;

	while (next_account(&text, &size, &account))
		if (account.id == id)
			return kc_arena_memdup(arena, account.name, account.length);
	return NULL;
}
