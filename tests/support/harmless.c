/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "harmless.h"

static bool is_printable(uint32_t c)
{
	return (c >= 0x20 && c < 0x7f) ||
	       (c >= 0xa0 && !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
		!(c >= 0x2066 && c <= 0x2069) && c != 0xfeff);
}

static bool is_mark(const char *s)
{
	return strncmp(s, "##", 2) == 0 &&
	       s[2 + strspn(s + 2, "abcdefghijklmnopqrstuvwxyz")] == '[';
}

static bool is_command(const char *line)
{
	static const char *const marks[] = { "::",  "---", "+++",     "~~~",
					     "^^^", "1..", "not ok ", NULL };

	line += strspn(line, " ");
	KC_FOREACH_STR (mark, marks) {
		if (kc_after_prefix(line, mark))
			return true;
	}
	return line[0] == '<' && line[1] >= '0' && line[1] <= '9';
}

void kc_assert_harmless(const char *text, size_t size)
{
	bool begins = true;

	for (size_t i = 0; i < size;) {
		uint32_t c = 0;
		size_t n = kc_utf8_sequence(text + i, size - i, &c);

		if (n == 0 || (c != '\n' && !is_printable(c)) || (c == '#' && is_mark(text + i)) ||
		    (begins && is_command(text + i)))
			fail_msg("harm at byte %zu: %.60s", i, text + i);
		begins = c == '\n';
		i += n;
	}
}
