/* SPDX-License-Identifier: Apache-2.0 */
#include "layout.h"
#include "base/utf8.h"
#include "value.h"

enum {
	COLUMNS_MIN = 40,
	LEAD_MAX = 12,
};

static const char *ink_code(enum kc_ink ink)
{
	static const char *const codes[] = {
		[KC_INK_NONE] = "",	     [KC_INK_BOLD] = "\x1b[1m",
		[KC_INK_DIM] = "\x1b[2m",    [KC_INK_RED] = "\x1b[1;31m",
		[KC_INK_GREEN] = "\x1b[32m", [KC_INK_YELLOW] = "\x1b[33m",
		[KC_INK_CYAN] = "\x1b[36m",
	};

	return codes[ink];
}

static void put_spaces(FILE *out, size_t n)
{
	while (n-- > 0)
		(void)putc_unlocked(' ', out);
}

static void put_lead(struct kc_layout *l, enum kc_ink ink, const char *lead)
{
	bool dyed = l->color && ink != KC_INK_NONE && *lead;

	if (dyed)
		(void)fputs_unlocked(ink_code(ink), l->out);
	(void)fputs_unlocked(lead, l->out);
	if (dyed)
		(void)fputs_unlocked("\x1b[0m", l->out);
}

/* Words are kept whole, a path can then be copied; one that is wider than the terminal sticks out.
 */
static void put_wrapped(struct kc_layout *l, size_t column, size_t hang, const char *text)
{
	size_t limit = KC_MAX(l->columns, (unsigned)COLUMNS_MIN);
	bool first = true;

	while (*text) {
		size_t spaces = strspn(text, " "), n = strcspn(text + spaces, " "), wide;
		const char *word = text + spaces;

		kc_buf_reset(&l->word);
		kc_buf_add(&l->word, word, n);
		wide = l->word.failed ? n : kc_columns(l->word.data);
		if (!first && n > 0 && column + spaces + wide > limit && !kc_begins_command(word)) {
			(void)putc_unlocked('\n', l->out);
			put_spaces(l->out, hang);
			column = hang;
			spaces = 0;
		}
		put_spaces(l->out, spaces);
		(void)fwrite_unlocked(word, 1, n, l->out);
		column += spaces + wide;
		text = word + n;
		first = false;
	}
}

void kc_layout_line(struct kc_layout *l, unsigned indent, enum kc_ink ink, const char *lead,
		    unsigned width, const char *text)
{
	size_t wide = kc_columns(lead), limit = KC_MAX(l->columns, (unsigned)COLUMNS_MIN), pad,
	       hang;

	put_spaces(l->out, indent);
	put_lead(l, ink, lead);
	if (*text) {
		pad = width == 0 ? (size_t)(wide > 0) : wide < width ? width - wide + 2 : 2;
		put_spaces(l->out, pad);
		hang = indent + wide + pad + l->hang;
		if (hang > limit / 2 || (width == 0 && wide > LEAD_MAX))
			hang = indent + 4;
		if (l->columns == 0)
			(void)fputs_unlocked(text, l->out);
		else
			put_wrapped(l, indent + wide + pad, hang, text);
	}
	(void)putc_unlocked('\n', l->out);
}
