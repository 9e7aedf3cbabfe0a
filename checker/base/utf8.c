/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

#include "utf8.h"

size_t kc_utf8_sequence(const char *s, size_t n, uint32_t *ret_code_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)s;
	uint32_t c;
	size_t len;

	if (n == 0)
		return 0;
	if (p[0] < 0x80) {
		*ret_code_point = p[0];
		return 1;
	}
	if (p[0] >= 0xc2 && p[0] <= 0xdf) {
		len = 2;
		c = p[0] & 0x1fu;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		c = p[0] & 0x0fu;
	} else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
		len = 4;
		c = p[0] & 0x07u;
	} else {
		return 0;
	}
	if (len > n)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_code_point = c;
	return len;
}

/*
 * Controls; what Unicode 15.1 has as general category Cf, Zl or Zp (bidirectional marks, joiners,
 * annotations, tags) or as Default_Ignorable_Code_Point (fillers, variation selectors); and the
 * noncharacters of the first plane. In order.
 */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x7f, 0x9f },	      { 0xad, 0xad },	    { 0x34f, 0x34f },	  { 0x600, 0x605 },
	{ 0x61c, 0x61c },     { 0x6dd, 0x6dd },	    { 0x70f, 0x70f },	  { 0x890, 0x891 },
	{ 0x8e2, 0x8e2 },     { 0x115f, 0x1160 },   { 0x17b4, 0x17b5 },	  { 0x180b, 0x180f },
	{ 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },	  { 0x3164, 0x3164 },
	{ 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },	  { 0xffa0, 0xffa0 },
	{ 0xfff0, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static bool unsafe(uint32_t c)
{
	if (c < 0x20 || (c & 0xfffe) == 0xfffe)
		return true;
	for (size_t i = 0; i < KC_ARRAY_SIZE(unseen) && c >= unseen[i].first; i++) {
		if (c <= unseen[i].last)
			return true;
	}
	return false;
}

void kc_escape(struct kc_buf *b, const char *s, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint32_t c = 0;
		size_t len = kc_utf8_sequence(s + i, n - i, &c);

		if (len == 0) {
			kc_buf_addf(b, "\\x%02x", (unsigned)(unsigned char)s[i]);
			i++;
			continue;
		}
		if (c == '\n')
			kc_buf_adds(b, "\\n");
		else if (c == '\t')
			kc_buf_adds(b, "\\t");
		else if (c == '\r')
			kc_buf_adds(b, "\\r");
		else if (unsafe(c) && c < 0x100)
			kc_buf_addf(b, "\\x%02x", (unsigned)c);
		else if (unsafe(c))
			kc_buf_addf(b, "\\u{%x}", (unsigned)c);
		else
			kc_buf_add(b, s + i, len);
		i += len;
	}
	kc_buf_add(b, NULL, 0);
}

static bool wide(uint32_t c)
{
	return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
	       (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
	       (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
}

size_t kc_columns(const char *s)
{
	size_t n = strlen(s), columns = 0;

	while (n > 0) {
		uint32_t c = 0;
		size_t len = kc_utf8_sequence(s, n, &c);

		columns += len > 0 && wide(c) ? 2 : 1;
		len = len > 0 ? len : 1;
		s += len;
		n -= len;
	}
	return columns;
}
