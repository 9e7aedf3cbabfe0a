/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>

#include "base/str.h"
#include "toml-scan.h"

/*
 * The scan must agree with the parser on where strings and comments end for as long as the text is
 * valid. From the first fault on it need not: the parser stops there.
 */
struct scan {
	const char *name;
	const char *text;
	size_t size, at;
	size_t line, line_start; /* for messages */
	bool fresh; /* nothing but blanks on this line so far */
	unsigned depth; /* open brackets and braces */
	unsigned parts; /* of the key that is being read */
	size_t values;
	struct kc_err *err;
};

static int refuse(const struct scan *s, int code, const char *what)
{
	return kc_err_set(s->err, code, "%s:%zu:%zu: %s", s->name, s->line,
			  s->at - s->line_start + 1, what);
}

static bool looking_at(const struct scan *s, const char *token)
{
	size_t n = strlen(token);

	return s->size - s->at >= n && memcmp(s->text + s->at, token, n) == 0;
}

/* One character that is allowed anywhere; keeps count of lines. */
static int advance(struct scan *s)
{
	unsigned char c = (unsigned char)s->text[s->at];

	if (c == '\r' && !looking_at(s, "\r\n"))
		return refuse(s, -EINVAL, "a carriage return without a line feed");
	if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f)
		return refuse(s, -EINVAL, "a control character, which TOML forbids");
	s->at++;
	if (c == '\n') {
		s->line++;
		s->line_start = s->at;
	}
	return 0;
}

static int skip(struct scan *s, size_t n)
{
	while (n-- > 0 && s->at < s->size) {
		int r = advance(s);

		if (r < 0)
			return r;
	}
	return 0;
}

static int scan_comment(struct scan *s)
{
	while (s->at < s->size && s->text[s->at] != '\n') {
		int r = advance(s);

		if (r < 0)
			return r;
	}
	return 0;
}

/* A string that begins here: on one line, or, behind three quotes, over several. */
static int scan_string(struct scan *s)
{
	const char quote[] = { s->text[s->at], '\0' };
	const char triple[] = { quote[0], quote[0], quote[0], '\0' };
	bool multi = looking_at(s, triple), escapes = quote[0] == '"';
	int r = skip(s, multi ? 3 : 1);

	while (r == 0 && s->at < s->size) {
		if (looking_at(s, multi ? triple : quote)) {
			r = skip(s, multi ? 3 : 1);
			/* Up to two quotes may be the string's own, right before its end. */
			for (int i = 0; multi && i < 2 && r == 0 && looking_at(s, quote); i++)
				r = skip(s, 1);
			return r;
		}
		if (!multi && s->text[s->at] == '\n')
			return 0;
		r = skip(s, escapes && s->text[s->at] == '\\' ? 2 : 1);
	}
	return r;
}

/* The name behind the brackets of a table header; toml++ 3.3 takes for granted that one begins
 * there. */
static int scan_header(struct scan *s)
{
	size_t i = s->at + (looking_at(s, "[[") ? 2 : 1);
	unsigned char c;

	while (i < s->size && (s->text[i] == ' ' || s->text[i] == '\t'))
		i++;
	c = i < s->size ? (unsigned char)s->text[i] : 0;
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c && strchr("_-\"'", c)))
		return 0;
	return refuse(s, -EINVAL, "a table header without a name");
}

static int scan_structure(struct scan *s)
{
	bool fresh = s->fresh;

	if ((unsigned char)s->text[s->at] >= 0x80)
		return refuse(s, -EINVAL, "a character that is not ASCII, outside of a string");
	s->fresh = s->text[s->at] == '\n' || (fresh && strchr(" \t\r", s->text[s->at]));
	if (fresh && s->depth == 0 && s->text[s->at] == '[') {
		int r = scan_header(s);

		if (r < 0)
			return r;
	}
	switch (s->text[s->at]) {
	case '[':
	case '{':
		if (++s->depth > KC_TOML_DEPTH_MAX)
			return refuse(s, -EFBIG, "brackets are nested too deep (more than 32)");
		s->parts = 0;
		s->values++;
		break;
	case ']':
	case '}':
		if (s->depth > 0)
			s->depth--;
		break;
	case '.':
		if (++s->parts >= KC_TOML_DEPTH_MAX)
			return refuse(s, -EFBIG, "a key has too many parts (more than 32)");
		s->values++;
		break;
	case '=':
	case ',':
		s->parts = 0;
		s->values++;
		break;
	case '\n':
		s->parts = 0;
		break;
	default:
		break;
	}
	if (s->values > KC_TOML_VALUES_MAX)
		return refuse(s, -EFBIG, "too many values (more than 16384)");
	return advance(s);
}

int kc_toml_scan(const char *name, const char *text, size_t size, struct kc_err *err)
{
	struct scan s = {
		.name = name, .text = text, .size = size, .line = 1, .fresh = true, .err = err
	};
	int r = 0;

	if (size > KC_TOML_SIZE_MAX)
		return kc_err_set(err, -EFBIG, "%s: larger than 1 MiB, which no configuration is",
				  name);
	if (looking_at(&s, "\xef\xbb\xbf")) /* a byte order mark is allowed here alone */
		s.at = s.line_start = 3;
	while (r == 0 && s.at < s.size) {
		switch (text[s.at]) {
		case '#':
			r = scan_comment(&s);
			break;
		case '"':
		case '\'':
			s.fresh = false;
			r = scan_string(&s);
			break;
		default:
			r = scan_structure(&s);
		}
	}
	return r;
}

const struct kc_toml_node *kc_toml_get(const struct kc_toml_node *table, const char *key)
{
	if (!table || table->type != KC_TOML_TABLE)
		return NULL;
	for (uint32_t i = 0; i < table->n; i++)
		if (kc_streq(table->child[i].key, key))
			return &table->child[i];
	return NULL;
}

const char *kc_toml_type_name(uint32_t type)
{
	static const char *const names[] = { "nothing",	 "a table", "a list",	 "a string",
					     "a number", "a float", "a boolean", "a date or time" };

	return names[type < KC_ARRAY_SIZE(names) ? type : 0];
}
