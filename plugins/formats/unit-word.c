/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

/* n digits of a base (8 or 16) as a number; -1 when they are not there. */
static int64_t digits(const char *s, unsigned n, int base)
{
	int64_t value = 0;

	for (unsigned i = 0; i < n; i++) {
		int digit = kc_hex_digit(s[i]);

		if (digit < 0 || digit >= base)
			return -1;
		value = value * base + digit;
	}
	return value;
}

static void add_code_point(struct kc_buf *b, uint32_t c)
{
	if (c < 0x80) {
		kc_buf_addc(b, (char)c);
		return;
	}
	if (c < 0x800) {
		kc_buf_addc(b, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			kc_buf_addc(b, (char)(0xe0 | c >> 12));
		} else {
			kc_buf_addc(b, (char)(0xf0 | c >> 18));
			kc_buf_addc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		kc_buf_addc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	kc_buf_addc(b, (char)(0x80 | (c & 0x3f)));
}

/* \xNN, \NNN, \uNNNN and \UNNNNNNNN: the length behind the backslash, 0 when it is none of them. */
static size_t unescape_number(const char *s, struct kc_buf *b)
{
	bool is_byte = *s == 'x' || (*s >= '0' && *s <= '7');
	size_t skip = *s >= '0' && *s <= '7' ? 0 : 1;
	unsigned n = *s == 'x' ? 2 : *s == 'u' ? 4 : *s == 'U' ? 8 : 3;
	int64_t value = digits(s + skip, n, skip ? 16 : 8);

	if (value <= 0 || (is_byte && value > 255))
		return 0;
	if (is_byte) {
		kc_buf_addc(b, (char)value);
	} else {
		if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
			return 0;
		add_code_point(b, (uint32_t)value);
	}
	return skip + n;
}

/* Appends what a C escape stands for; the length behind the backslash, 0 when it is none. */
static size_t unescape(const char *s, struct kc_buf *b)
{
	static const char from[] = "abfnrtv\\\"'s", to[] = "\a\b\f\n\r\t\v\\\"' ";
	const char *known = *s ? strchr(from, *s) : NULL;

	if (known) {
		kc_buf_addc(b, to[known - from]);
		return 1;
	}
	if (*s == 'x' || *s == 'u' || *s == 'U' || (*s >= '0' && *s <= '7'))
		return unescape_number(s, b);
	return 0;
}

/* What a backslash at s does; the length of both. */
static size_t word_escape(const char *s, unsigned flags, struct kc_buf *b)
{
	size_t n;

	if (!(flags & KC_WORD_CUNESCAPE)) {
		if (s[1])
			kc_buf_addc(b, s[1]);
		return s[1] ? 2 : 1;
	}
	n = unescape(s + 1, b);
	if (n)
		return n + 1;
	kc_buf_add(b, s, s[1] ? 2 : 1);
	return s[1] ? 2 : 1;
}

int kc_unit_word(const char **text, unsigned flags, struct kc_arena *arena, char **ret_word)
{
	kc_cleanup(kc_buf_done) struct kc_buf word = { 0 };
	const char *s = *text;
	char quote = '\0';

	s = s ? s + strspn(s, KC_UNIT_WHITE) : "";
	if (!*s) {
		*text = NULL;
		return 0;
	}
	while (*s && (quote || !kc_unit_is_white(*s))) {
		if (*s == '\\' && !(flags & KC_WORD_RETAIN)) {
			/* Within quotes a backslash that ends the text leaves the quote open. */
			s += word_escape(s, flags, &word);
			continue;
		}
		if (quote ? *s == quote : *s == '\'' || *s == '"')
			quote = quote ? '\0' : *s;
		else
			kc_buf_addc(&word, *s);
		s++;
	}
	if (quote && !(flags & KC_WORD_RELAX))
		return -EINVAL;
	if (kc_buf_error(&word))
		return -ENOMEM;
	*ret_word = kc_arena_memdup(arena, word.len ? word.data : "", word.len);
	if (!*ret_word)
		return -ENOMEM;
	s += strspn(s, KC_UNIT_WHITE);
	*text = *s ? s : NULL;
	return 1;
}

/* Undoes the escaping of unit names: "-" is "/", \xNN a byte. */
static void unescape_name(struct kc_buf *b, const char *s)
{
	for (; *s; s++) {
		int64_t value = s[0] == '\\' && s[1] == 'x' ? digits(s + 2, 2, 16) : -1;

		if (value > 0) {
			kc_buf_addc(b, (char)value);
			s += 3;
		} else {
			kc_buf_addc(b, *s == '-' ? '/' : *s);
		}
	}
}

/* The last part of a prefix, behind its last dash. */
static const char *last_part(const char *prefix)
{
	const char *dash = strrchr(prefix, '-');

	return dash ? dash + 1 : prefix;
}

/* Specifiers that are the same on every host, for PID 1. */
static const char *constant_specifier(char c)
{
	switch (c) {
	case '%':
		return "%";
	case 't':
		return "/run";
	case 'S':
		return "/var/lib";
	case 'C':
		return "/var/cache";
	case 'L':
		return "/var/log";
	case 'E':
		return "/etc";
	case 'h':
		return "/root";
	case 'u':
	case 'g':
		return "root";
	case 'U':
	case 'G':
		return "0";
	default:
		return NULL;
	}
}

static bool add_name_specifier(struct kc_buf *b, char c, const char *name, const char *prefix,
			       const char *instance)
{
	switch (c) {
	case 'n':
		kc_buf_adds(b, name);
		return true;
	case 'N':
		kc_buf_add(b, name, (size_t)(strrchr(name, '.') - name));
		return true;
	case 'p':
		kc_buf_adds(b, prefix);
		return true;
	case 'P':
		unescape_name(b, prefix);
		return true;
	case 'i':
		kc_buf_adds(b, instance);
		return true;
	case 'I':
		unescape_name(b, instance);
		return true;
	case 'j':
		kc_buf_adds(b, last_part(prefix));
		return true;
	case 'J':
		unescape_name(b, last_part(prefix));
		return true;
	default:
		return false;
	}
}

int kc_unit_specifiers(const char *name, const char *text, struct kc_arena *arena,
		       const char **ret_text)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const char *prefix, *instance;

	if (!strchr(text, '%')) {
		*ret_text = text;
		return 0;
	}
	prefix = kc_unit_name_prefix(arena, name);
	instance = kc_unit_name_instance(arena, name);
	if (!prefix || !instance)
		return -ENOMEM;
	for (; *text; text++) {
		const char *constant;

		if (*text != '%' || !text[1]) {
			kc_buf_addc(&b, *text);
			continue;
		}
		text++;
		constant = constant_specifier(*text);
		if (constant)
			kc_buf_adds(&b, constant);
		else if (!add_name_specifier(&b, *text, name, prefix, instance))
			kc_buf_addf(&b, "%%%c", *text);
	}
	if (kc_buf_error(&b))
		return -ENOMEM;
	*ret_text = kc_arena_memdup(arena, b.len ? b.data : "", b.len);
	return *ret_text ? 0 : -ENOMEM;
}
