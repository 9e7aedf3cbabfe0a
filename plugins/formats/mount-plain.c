/* SPDX-License-Identifier: Apache-2.0 */
#include "mount-plain.h"

enum {
	DIGITS_MAX = 9, /* that fit into an int */
	FSTAB_FIELDS = 6,
	OPTIONAL_MAX = 16,
	INFO_FIELDS = 6 + OPTIONAL_MAX + 1 + 3,
};

struct field {
	const char *text;
	size_t n;
};

static bool is_plain(char c, bool quotes)
{
	return (quotes && c == '"') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("/_.:=,@%+-[]", c));
}

/*
 * Takes a line apart at its white space: of the kernel's own, where quotes may be in a field, each
 * single space parts two fields. 0: it begins with one, has more fields than `max`, or a character
 * that is not plain. Its newline is no part of it.
 */
static size_t split(const char *line, size_t size, bool is_kernels, struct field *fields,
		    size_t max)
{
	const char *blanks = is_kernels ? " " : " \t";
	size_t n = 0, at = 0;

	if (size && line[size - 1] == '\n')
		size--;
	while (at < size) {
		const size_t from = at;

		while (at < size && is_plain(line[at], is_kernels))
			at++;
		if (at == from || n == max)
			return 0;
		fields[n++] = (struct field){ line + from, at - from };
		while (at < size && line[at] && strchr(blanks, line[at])) {
			at++;
			if (is_kernels)
				break;
		}
	}
	return n;
}

static bool is(const struct field *field, const char *text)
{
	return field->n == strlen(text) && memcmp(field->text, text, field->n) == 0;
}

static bool is_number(const struct field *field)
{
	for (size_t i = 0; i < field->n; i++)
		if (field->text[i] < '0' || field->text[i] > '9')
			return false;
	return field->n <= DIGITS_MAX;
}

/* Each begins with a letter or a digit: none is empty or has no name. */
static bool is_option_list(const struct field *field)
{
	for (size_t i = 0; i < field->n; i++)
		if ((i == 0 || field->text[i - 1] == ',') && strchr("/_.:=,@%+-[]", field->text[i]))
			return false;
	return true;
}

bool kc_mount_plain_but_swap(const char *line, size_t size)
{
	struct field fields[FSTAB_FIELDS];
	size_t n = split(line, size, false, fields, FSTAB_FIELDS);

	if (n < 4 || is(&fields[2], "swap") || !is_option_list(&fields[3]))
		return false;
	for (size_t i = 4; i < n; i++)
		if (!is_number(&fields[i]))
			return false;
	return true;
}

static int parse_int(const struct field *field)
{
	int value = 0;

	for (size_t i = 0; i < field->n; i++)
		value = value * 10 + (field->text[i] - '0');
	return value;
}

/* "8:1" */
static bool parse_device(const struct field *field, struct kc_mount_entry *e)
{
	const char *colon = memchr(field->text, ':', field->n);
	struct field major, minor;

	if (!colon)
		return false;
	major = (struct field){ field->text, (size_t)(colon - field->text) };
	minor = (struct field){ colon + 1, field->n - major.n - 1 };
	if (!major.n || !minor.n || !is_number(&major) || !is_number(&minor))
		return false;
	e->major = (unsigned)parse_int(&major);
	e->minor = (unsigned)parse_int(&minor);
	return true;
}

/* Quotes are for values of the file system's options, and closed (context="…,…"). */
static bool are_quotes_right(const struct field *fields, size_t n)
{
	bool is_open = false;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < fields[i].n; k++) {
			const char *c = fields[i].text + k;

			if (*c != '"')
				continue;
			if (i + 1 < n || (!is_open && (k == 0 || c[-1] != '=')))
				return false;
			is_open = !is_open;
		}
	return !is_open;
}

/* The separator, behind optional fields; 0: there is none, or there are too many of them. */
static size_t find_separator(const struct field *fields, size_t n)
{
	for (size_t i = 6; i < n; i++)
		if (is(&fields[i], "-"))
			return i;
	return 0;
}

int kc_mount_plain_place(const char *line, size_t size, struct kc_arena *arena,
			 struct kc_mount_entry *ret_entry)
{
	struct field fields[INFO_FIELDS];
	struct kc_mount_entry e = { .line = ret_entry->line, .options = "" };
	size_t n = split(line, size, true, fields, INFO_FIELDS), at = find_separator(fields, n);

	if (!at || at + 4 != n || !are_quotes_right(fields, n) || !is_number(&fields[0]) ||
	    !is_number(&fields[1]) || !parse_device(&fields[2], &e) || fields[4].text[0] != '/' ||
	    !is_option_list(&fields[5]) || !is_option_list(&fields[at + 3]))
		return 0;
	e.id = parse_int(&fields[0]);
	e.parent = parse_int(&fields[1]);
	e.root = kc_arena_memdup(arena, fields[3].text, fields[3].n);
	e.where = kc_arena_memdup(arena, fields[4].text, fields[4].n);
	e.type = kc_arena_memdup(arena, fields[at + 1].text, fields[at + 1].n);
	e.what = kc_arena_memdup(arena, fields[at + 2].text, fields[at + 2].n);
	if (!e.root || !e.where || !e.type || !e.what)
		return -ENOMEM;
	*ret_entry = e;
	return 1;
}
