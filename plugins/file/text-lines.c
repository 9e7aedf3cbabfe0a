/* SPDX-License-Identifier: Apache-2.0 */
#include "text-lines.h"

static void trim(const char **text, size_t *length)
{
	while (*length > 0 && kc_isspace(**text)) {
		(*text)++;
		(*length)--;
	}
	while (*length > 0 && kc_isspace((*text)[*length - 1]))
		(*length)--;
}

bool file_line_next(const char **at, size_t *left, unsigned *number, const char *comment,
		    struct file_line *ret_line)
{
	size_t n_comment = strlen(comment);

	while (*left > 0) {
		const char *line = *at, *newline = memchr(line, '\n', *left);
		size_t n = newline ? (size_t)(newline - line) : *left;
		size_t step = newline ? n + 1 : n;

		*at += step;
		*left -= step;
		(*number)++;
		trim(&line, &n);
		if (n == 0 ||
		    (n_comment > 0 && n >= n_comment && memcmp(line, comment, n_comment) == 0))
			continue;
		*ret_line = (struct file_line){ .text = line, .length = n, .number = *number };
		return true;
	}
	return false;
}

unsigned file_line_of_nul(const char *text, size_t size)
{
	const char *nul = size > 0 ? memchr(text, 0, size) : NULL;
	unsigned line = 1;

	for (const char *p = text; nul && p < nul; p++)
		line += *p == '\n';
	return nul ? line : 0;
}

bool file_line_equals(const struct file_line *line, const char *text)
{
	size_t n = strlen(text);

	trim(&text, &n);
	return n == line->length && memcmp(text, line->text, n) == 0;
}
