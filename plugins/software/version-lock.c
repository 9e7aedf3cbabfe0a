/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "hold.h"

/* ---- versionlock.list ---- */

/* What a version begins with: a number, or a pattern that may stand for one. */
static bool begins_version(const char *text)
{
	return (*text >= '0' && *text <= '9') || *text == '*' || *text == '?' || *text == '[';
}

bool version_lock_names(const char *entry, const char *name, struct kc_arena *arena)
{
	size_t digits = strspn(entry, "0123456789");
	char *pattern, *dash;

	if (*entry == '!')
		return false;
	/* yum's EPOCH:NAME */
	if (digits && entry[digits] == ':')
		entry += digits + 1;
	pattern = kc_arena_strdup(arena, entry);
	if (!pattern)
		return false;
	if (fnmatch(pattern, name, 0) == 0)
		return true;
	/* Neither version nor release has a dash, so the name ends at the last or the one before.
	 */
	for (int i = 0; i < 2 && (dash = strrchr(pattern, '-')); i++) {
		*dash = '\0';
		if (begins_version(dash + 1) && fnmatch(pattern, name, 0) == 0)
			return true;
	}
	return false;
}

/* ---- versionlock.toml ---- */

struct toml_lock {
	const char *name; /* what is sought */
	bool named; /* the entry that is read names it */
	unsigned line; /* of that name */
	bool is_condition; /* a condition is read, else its entry */
};

/* KEY = "VALUE": in place; false when it is not that. */
static bool split_assignment(char *line, char **ret_key, char **ret_value)
{
	char *equals = strchr(line, '='), *value, *end, quote;

	if (!equals)
		return false;
	*equals = '\0';
	value = kc_strstrip(equals + 1);
	quote = *value;
	if (quote != '"' && quote != '\'')
		return false;
	end = strchr(++value, quote);
	if (!end || memchr(value, '\\', (size_t)(end - value)))
		return false;
	*end++ = '\0';
	end += strspn(end, " \t\r");
	*ret_key = kc_strstrip(line);
	*ret_value = value;
	return !*end || *end == '#';
}

/* 1: a lock; 0: go on; -EBADMSG. */
static int read_toml_line(struct toml_lock *lock, char *line, unsigned number)
{
	char *key, *value;

	line = kc_strstrip(line);
	if (!*line || *line == '#')
		return 0;
	if (kc_streq(line, "[[packages]]")) {
		lock->named = lock->is_condition = false;
		return 0;
	}
	if (kc_streq(line, "[[packages.conditions]]")) {
		lock->is_condition = true;
		return 0;
	}
	if (!split_assignment(line, &key, &value))
		return -EBADMSG;
	if (!lock->is_condition && kc_streq(key, "name")) {
		lock->named = fnmatch(value, lock->name, 0) == 0;
		lock->line = number;
	}
	return lock->is_condition && lock->named && kc_streq(key, "comparator") &&
	       (kc_streq(value, "=") || kc_streq(value, "==") || *value == '<');
}

int version_lock_toml(const char *text, size_t size, const char *name, struct kc_arena *arena,
		      unsigned *ret_line)
{
	struct toml_lock lock = { .name = name };
	char *rest = kc_arena_memdup(arena, text, size), *line;
	unsigned number = 0;
	int r = 0;

	if (!rest)
		return -ENOMEM;
	while (r == 0 && (line = strsep(&rest, "\n")))
		r = read_toml_line(&lock, line, ++number);
	if (r < 0)
		*ret_line = number;
	else
		*ret_line = r ? lock.line : 0;
	return KC_MIN(r, 0);
}
