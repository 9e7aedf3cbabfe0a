/* SPDX-License-Identifier: Apache-2.0 */
#include "swap.h"

/* The line at `text`, with its newline. */
static const char *line_end(const char *text, const char *end)
{
	const char *newline = memchr(text, '\n', (size_t)(end - text));

	return newline ? newline + 1 : end;
}

static bool is_one_of(unsigned line, const unsigned *lines, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lines[i] == line)
			return true;
	return false;
}

int swap_comment_lines(const char *text, size_t size, const unsigned *lines, size_t n,
		       struct kc_buf *out)
{
	const char *end = text + size;

	for (unsigned line = 1; text < end; line++) {
		const char *next = line_end(text, end);

		if (is_one_of(line, lines, n))
			kc_buf_adds(out, KC_MARK);
		kc_buf_add(out, text, (size_t)(next - text));
		text = next;
	}
	return kc_buf_error(out);
}

/* The name between brackets is the device's, white space around it left out. */
static bool is_header_of(const char *text, const char *end, const char *device)
{
	const char *close = memchr(text, ']', (size_t)(end - text));
	size_t n = strlen(device);

	if (!close)
		return false;
	for (text++; text < close && strchr(" \t", *text); text++)
		;
	while (close > text && strchr(" \t", close[-1]))
		close--;
	return (size_t)(close - text) == n && strncmp(text, device, n) == 0;
}

int swap_comment_device(const char *text, size_t size, const char *device, struct kc_buf *out)
{
	const char *end = text + size;
	bool inside = false;

	while (text < end) {
		const char *next = line_end(text, end), *first = text;

		while (first < next && strchr(" \t\r\n", *first))
			first++;
		if (first < next && *first == '[')
			inside = is_header_of(first, next, device);
		if (inside && first < next && *first != '#' && *first != ';')
			kc_buf_adds(out, KC_MARK);
		kc_buf_add(out, text, (size_t)(next - text));
		text = next;
	}
	return kc_buf_error(out);
}
