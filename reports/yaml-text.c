/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml-text.h"
#include "base/utf8.h"
#include "value.h"

enum {
	COMMENT_MAX = 2048, /* bytes of a line */
};

bool kc_yaml_can_hold(const char *s, size_t n)
{
	for (size_t at = 0; at < n;) {
		uint32_t c;
		size_t len = kc_utf8_sequence(s + at, n - at, &c);

		if (len == 0 || c == 0)
			return false;
		at += len;
	}
	return true;
}

static void add_spaces(struct kc_buf *b, unsigned n)
{
	while (n-- > 0)
		kc_buf_addc(b, ' ');
}

/* Jinja's: "{{", "{%", "{#". */
static bool is_template(const char *s, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (s[i] == '{' && memchr("{%#", s[i + 1], 3))
			return true;
	}
	return false;
}

static void add_code_point(struct kc_buf *b, uint32_t c)
{
	if (c < 0x100)
		kc_buf_addf(b, "\\x%02x", c);
	else if (c < 0x10000)
		kc_buf_addf(b, "\\u%04x", c);
	else
		kc_buf_addf(b, "\\U%08x", c);
}

static void add_plain(struct kc_buf *b, char c)
{
	if (c == '"' || c == '\\')
		kc_buf_addc(b, '\\');
	kc_buf_addc(b, c);
}

/*
 * A line without its newline. Where a line of the playbook begins with it, white space in front
 * would be taken for indentation, and a command of CI systems for one.
 */
static void add_line(struct kc_buf *b, const char *s, size_t n, bool begins)
{
	size_t blank = strspn(s, " \t\r\v\f");
	bool command = begins && kc_begins_command(s);

	for (size_t at = 0; at < n;) {
		uint32_t c = (unsigned char)s[at];
		size_t mark = c == '#' ? kc_ci_mark(s + at) : 0, len = 1;

		if (begins && at == 0 && c == ' ') {
			kc_buf_adds(b, "\\ ");
		} else if (c == '\t') {
			kc_buf_adds(b, "\\t");
		} else if (mark > 0) {
			kc_buf_adds(b, "#\\x23");
			len = 2;
		} else if (c >= 0x20 && c < 0x7f && !(command && at == blank)) {
			add_plain(b, (char)c);
		} else {
			if (c >= 0x80)
				len = kc_utf8_sequence(s + at, n - at, &c);
			add_code_point(b, c);
		}
		at += KC_MAX(len, (size_t)1);
	}
}

/* NUL-terminated: what looks for marks reads on to the end. */
static void add_quoted(struct kc_buf *b, const char *s, unsigned indent)
{
	const char *end = strchr(s, '\n');
	bool below = end && end[1];

	kc_buf_addc(b, '"');
	while (*s) {
		size_t n = strcspn(s, "\n");

		if (below) {
			kc_buf_adds(b, "\\\n");
			add_spaces(b, indent);
		}
		add_line(b, s, n, below);
		s += n;
		if (*s) {
			kc_buf_adds(b, "\\n");
			s++;
		}
	}
	kc_buf_addc(b, '"');
}

void kc_yaml_add_scalar(struct kc_buf *b, const char *s, size_t n, unsigned indent)
{
	kc_cleanup(kc_buf_done) struct kc_buf copy = { 0 };

	kc_buf_add(&copy, s, n);
	if (copy.failed) {
		b->failed = true;
		return;
	}
	if (is_template(s, n))
		kc_buf_adds(b, "!unsafe ");
	add_quoted(b, copy.data, indent);
}

/* YAML takes U+2028 and U+2029 for ends of a line, and has no place for U+FEFF and beyond U+FFFD.
 */
static bool in_comments(uint32_t c)
{
	return (c >= 0xa0 && c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe &&
		c != 0xffff) ||
	       (c >= 0x20 && c < 0x7f);
}

static void add_comment_line(struct kc_buf *b, const char *s, unsigned indent)
{
	kc_cleanup(kc_buf_done) struct kc_buf escaped = { 0 };

	kc_value_add(&escaped, s, COMMENT_MAX);
	add_spaces(b, indent);
	kc_buf_addc(b, '#');
	if (escaped.len > 0)
		kc_buf_addc(b, ' ');
	for (size_t at = 0; at < escaped.len;) {
		uint32_t c = 0;
		size_t len = kc_utf8_sequence(escaped.data + at, escaped.len - at, &c);

		if (len > 0 && in_comments(c))
			kc_buf_add(b, escaped.data + at, len);
		else
			kc_buf_addf(b, "\\u{%x}", c);
		at += KC_MAX(len, (size_t)1);
	}
	kc_buf_addc(b, '\n');
	b->failed = b->failed || escaped.failed;
}

void kc_yaml_add_comment(struct kc_buf *b, const char *s, unsigned indent)
{
	while (*s) {
		size_t n = strcspn(s, "\n");
		kc_cleanup(kc_freep) char *part = strndup(s, n);

		if (!part) {
			b->failed = true;
			return;
		}
		add_comment_line(b, part, indent);
		s += n;
		s += *s == '\n';
	}
}
