/* SPDX-License-Identifier: Apache-2.0 */
#include "environment-place.h"
#include "unit-internal.h"

struct reader {
	const char *text;
	size_t size, at;
};

static bool at_end(const struct reader *r)
{
	return r->at >= r->size;
}

static bool at_newline(const struct reader *r)
{
	return at_end(r) || strchr(KC_UNIT_NEWLINE, r->text[r->at]);
}

static void skip_white(struct reader *r, bool newlines)
{
	while (!at_end(r) && kc_unit_is_white(r->text[r->at]) && (newlines || !at_newline(r)))
		r->at++;
}

/* False for one that ends in a backslash, which goes on in the next line up to systemd 253. */
static bool skip_comment(struct reader *r)
{
	bool escaped = false;

	for (; !at_newline(r); r->at++)
		escaped = r->text[r->at] == '\\';
	return !escaped;
}

/* A part in quotes, from behind the first of them; false when there is no second. */
static bool skip_quoted(struct reader *r, char quote, struct kc_environment_place *place)
{
	for (; !at_end(r) && r->text[r->at] != quote; r->at++)
		if (r->text[r->at] == '\\') {
			place->odd = true;
			r->at += quote == '"';
		}
	return !at_end(r);
}

/* Without quotes, up to the end of the line. False where the text ends in what a backslash escapes,
 * so that a line behind it would go on with the value. */
static bool skip_plain(struct reader *r, struct kc_environment_place *place)
{
	for (; !at_newline(r); r->at++)
		if (r->text[r->at] == '\\') {
			place->odd = true;
			r->at++;
			if (r->at + 1 >= r->size)
				return false;
		}
	return true;
}

/* The value behind a "=", up to the end of its last line. */
static bool read_value(struct reader *r, struct kc_environment_place *place)
{
	*place = (struct kc_environment_place){ .start = r->at };
	for (unsigned parts = 0;; parts++) {
		size_t start;
		char quote;

		skip_white(r, false);
		if (at_newline(r))
			return true;
		place->odd |= parts > 0;
		quote = r->text[r->at];
		start = r->at;
		if (quote != '\'' && quote != '"') {
			if (!skip_plain(r, place))
				return false;
			place->start = start;
			place->size = r->at - start;
			while (kc_unit_is_white(r->text[start + place->size - 1]))
				place->size--;
			return true;
		}
		r->at++;
		if (!skip_quoted(r, quote, place))
			return false;
		place->start = start + 1;
		place->size = r->at - place->start;
		place->quote = quote;
		r->at++;
	}
}

/* The name before a "="; false for a line that has none. */
static bool read_key(struct reader *r, size_t *ret_start, size_t *ret_n)
{
	size_t start = r->at, n;

	/* To systemd's reader the first character is part of a name, even "=". */
	do {
		r->at++;
	} while (!at_newline(r) && r->text[r->at] != '=');
	if (at_newline(r))
		return false;
	n = r->at++ - start;
	while (n && kc_unit_is_white(r->text[start + n - 1]))
		n--;
	*ret_start = start;
	*ret_n = n;
	return true;
}

int kc_environment_find(const char *text, size_t size, const char *name,
			struct kc_environment_place *ret_place)
{
	struct reader r = { .text = text, .size = size };
	int found = 0;

	if (size > 0 && memchr(text, '\0', size))
		return -ENOTSUP;
	for (;;) {
		struct kc_environment_place place;
		size_t start, n;

		skip_white(&r, true);
		if (at_end(&r))
			return found;
		if (strchr(KC_UNIT_COMMENTS, text[r.at])) {
			if (!skip_comment(&r))
				return -ENOTSUP;
			continue;
		}
		if (!read_key(&r, &start, &n))
			continue;
		if (!read_value(&r, &place))
			return -ENOTSUP;
		if (strlen(name) == n && memcmp(text + start, name, n) == 0) {
			*ret_place = place;
			found = 1;
		}
	}
}
