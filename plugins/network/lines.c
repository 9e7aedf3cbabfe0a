/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

enum {
	BUFFER_SIZE = 64 * 1024,
	LINE_MAX_SIZE = 16 * 1024,
	LINES_MAX = 8 * 1024 * 1024,
};

int network_lines_open(const struct kc_host *host, struct kc_run *run, const char *path,
		       size_t chunk, struct network_lines *ret_lines)
{
	struct network_lines lines = { .fd = -EBADF, .chunk = chunk ? chunk : BUFFER_SIZE };
	int r;

	lines.buffer = kc_alloc(host, run, BUFFER_SIZE);
	if (!lines.buffer)
		return -ENOMEM;
	r = kc_open_file(host, run, path, 0, &lines.fd);
	if (r)
		return r;
	*ret_lines = lines;
	return 0;
}

/* Moves what is left to the front, and reads behind it. */
static int fill(struct network_lines *lines)
{
	size_t room;
	ssize_t n;

	memmove(lines->buffer, lines->buffer + lines->begin, lines->end - lines->begin);
	lines->end -= lines->begin;
	lines->begin = 0;
	room = KC_MIN(BUFFER_SIZE - 1 - lines->end, lines->chunk);
	do
		n = read(lines->fd, lines->buffer + lines->end, room);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	lines->ended = n == 0;
	lines->end += (size_t)n;
	return 0;
}

int network_lines_next(struct network_lines *lines, const char **ret_line)
{
	char *newline, *line;
	size_t n;

	for (;;) {
		int r;

		newline = memchr(lines->buffer + lines->begin, '\n', lines->end - lines->begin);
		if (newline || lines->ended)
			break;
		if (lines->end - lines->begin > LINE_MAX_SIZE)
			return -EBADMSG;
		r = fill(lines);
		if (r)
			return r;
	}
	if (!newline && lines->begin == lines->end)
		return 0;
	if (!newline)
		newline = lines->buffer + lines->end;
	line = lines->buffer + lines->begin;
	n = (size_t)(newline - line);
	*newline = 0;
	lines->begin = KC_MIN(lines->begin + n + 1, lines->end);
	lines->number++;
	if (n > LINE_MAX_SIZE || strlen(line) != n)
		return -EBADMSG;
	if (lines->number > LINES_MAX)
		return -EFBIG;
	*ret_line = line;
	return 1;
}

void network_lines_close(struct network_lines *lines)
{
	lines->fd = kc_close(lines->fd);
}
