/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"
#include "base/utf8.h"

/* Where to cut so that no UTF-8 sequence is broken by it. */
static size_t cut_at(const char *s, size_t n, size_t max)
{
	size_t at = max;

	if (n <= max)
		return n;
	while (at > 0 && max - at < 3 && ((unsigned char)s[at] & 0xc0) == 0x80)
		at--;
	return at;
}

static void add_note(struct kc_buf *b, size_t shown, size_t n)
{
	if (shown < n)
		kc_buf_addf(b, " ... (cut here: %zu bytes in all)", n);
}

/* Printable ASCII without "#", as nearly every value is: nothing to escape. */
static bool is_plain(const char *s, size_t n)
{
	unsigned odd = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		odd |= (unsigned)(c < 0x20) | (unsigned)(c > 0x7e) | (unsigned)(c == '#');
	}
	return odd == 0;
}

size_t kc_ci_mark(const char *s)
{
	size_t n = 2;

	if (s[0] != '#' || s[1] != '#')
		return 0;
	while ((s[n] >= 'a' && s[n] <= 'z') || (s[n] >= 'A' && s[n] <= 'Z'))
		n++;
	return s[n] == '[' ? n + 1 : 0;
}

/* As kc_escape() writes it, without the cost of printf() for a megabyte of such bytes. */
static void add_byte(struct kc_buf *b, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char text[4] = { '\\', 'x', digits[c >> 4], digits[c & 15] };

	kc_buf_add(b, text, sizeof(text));
}

static bool is_priority(const char *s)
{
	size_t n = *s == '<' ? strspn(s + 1, "0123456789") : 0;

	return n > 0 && s[n + 1] == '>';
}

/* "ok" and "not ok" are English words as well: the protocol has nothing or a space behind them. */
static bool is_test_line(const char *s)
{
	const char *rest = kc_after_prefix(s, "not ");

	rest = kc_after_prefix(rest ? rest : s, "ok");
	return rest && (!*rest || *rest == ' ' || *rest == '\n' || *rest == '\t');
}

bool kc_begins_command(const char *s)
{
	static const char *const marks[] = { "::",	     "---",	    "+++",
					     "~~~",	     "^^^",	    "1..",
					     "Bail out!",    "TAP version", "section_start:",
					     "section_end:", "travis_",	    NULL };

	s += strspn(s, " \t\r\v\f");
	KC_FOREACH_STR (mark, marks) {
		if (kc_after_prefix(s, mark))
			return true;
	}
	return is_priority(s) || is_test_line(s);
}

void kc_value_add_line(struct kc_buf *b, const char *s, size_t max)
{
	size_t blank;

	if (!s || !kc_begins_command(s)) {
		kc_value_add(b, s, max);
		return;
	}
	/* The mark is ASCII, and may be cut like the rest. */
	blank = strspn(s, " \t\r\v\f");
	kc_escape(b, s, blank);
	add_byte(b, (unsigned char)s[blank]);
	kc_value_add(b, s + blank + 1, max);
}

void kc_value_add(struct kc_buf *b, const char *s, size_t max)
{
	size_t n = s ? strlen(s) : 0, shown, from = 0;

	if (n == 0)
		return;
	shown = cut_at(s, n, max);
	if (is_plain(s, shown)) {
		kc_buf_add(b, s, shown);
		add_note(b, shown, n);
		return;
	}
	for (size_t i = 0; i + 1 < shown; i++) {
		if (s[i] != '#' || kc_ci_mark(s + i) == 0)
			continue;
		kc_escape(b, s + from, i + 1 - from);
		kc_buf_adds(b, "\\x23");
		from = i + 2;
	}
	if (from < shown)
		kc_escape(b, s + from, shown - from);
	add_note(b, shown, n);
}

void kc_value_add_utf8(struct kc_buf *b, const char *s, size_t max)
{
	size_t n = s ? strlen(s) : 0, shown = n > 0 ? cut_at(s, n, max) : 0, from = 0, i = 0;

	while (i < shown) {
		uint32_t c = 0;
		size_t len = kc_utf8_sequence(s + i, shown - i, &c);

		if (len > 0 && c != 0x7f) {
			i += len;
			continue;
		}
		kc_buf_add(b, s + from, i - from);
		add_byte(b, (unsigned char)s[i]);
		from = ++i;
	}
	if (from < shown)
		kc_buf_add(b, s + from, shown - from);
	if (n > 0)
		add_note(b, shown, n);
}
