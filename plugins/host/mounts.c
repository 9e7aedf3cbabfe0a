/* SPDX-License-Identifier: Apache-2.0 */
#include "mounts.h"

enum {
	STACK_MAX = 256, /* mounts on the way to a path, those that lie on each other included */
	ID_DIGITS_MAX = 20,
};

struct field {
	const char *text;
	size_t size;
};

struct line {
	uint64_t id, parent;
	struct field point, type, source;
};

static struct field next_field(const char **text, const char *end)
{
	struct field field = { .text = *text };
	const char *space = memchr(*text, ' ', (size_t)(end - *text));

	if (!space)
		space = end;
	field.size = (size_t)(space - *text);
	*text = space < end ? space + 1 : end;
	return field;
}

static int read_id(const char **text, const char *end, uint64_t *ret_id)
{
	struct field field = next_field(text, end);
	char digits[ID_DIGITS_MAX + 1] = "";

	if (field.size > ID_DIGITS_MAX)
		return -EINVAL;
	memcpy(digits, field.text, field.size);
	return kc_parse_u64(digits, ret_id);
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAGS…] - TYPE SOURCE OPTIONS */
static int read_line(const char *text, const char *end, struct line *ret_line)
{
	struct field field = { 0 };
	struct line line;

	if (read_id(&text, end, &line.id) < 0 || read_id(&text, end, &line.parent) < 0)
		return -EINVAL;
	(void)next_field(&text, end);
	(void)next_field(&text, end);
	line.point = next_field(&text, end);
	(void)next_field(&text, end);
	do {
		if (text == end)
			return -EINVAL;
		field = next_field(&text, end);
	} while (field.size != 1 || *field.text != '-');
	line.type = next_field(&text, end);
	line.source = next_field(&text, end);
	if (line.point.size == 0 || line.type.size == 0)
		return -EINVAL;
	*ret_line = line;
	return 0;
}

/* The next line that can be read; false at the end. */
static bool next_line(const char **text, const char *end, struct line *ret_line)
{
	while (*text < end) {
		const char *start = *text, *stop = memchr(start, '\n', (size_t)(end - start));

		*text = stop ? stop + 1 : end;
		if (read_line(start, stop ? stop : end, ret_line) == 0)
			return true;
	}
	return false;
}

/* The character at *text, which is moved behind it: space, tab, newline and backslash are \ooo. */
static char next_char(const char **text, const char *end)
{
	const char *p = *text;
	unsigned code = 0;

	for (unsigned i = 1; i <= 3; i++) {
		if (*p != '\\' || end - p < 4 || p[i] < '0' || p[i] > '7') {
			*text = p + 1;
			return *p;
		}
		code = code * 8 + (unsigned)(p[i] - '0');
	}
	*text = p + 4;
	return (char)code;
}

/* How many characters of the path a mount point covers; 0 when the path is not behind it. */
static size_t covers(const struct field *point, const char *path)
{
	const char *p = point->text, *end = p + point->size;
	size_t n = 0;

	while (p < end) {
		if (!path[n] || next_char(&p, end) != path[n])
			return 0;
		n++;
	}
	return n == 1 || !path[n] || path[n] == '/' ? n : 0;
}

/* The mount that nothing else carries: of those at "/", what the others lie on. */
static int find_root(const char *text, const char *end, struct line *ret_root)
{
	struct line line, root = { 0 };
	bool found = false;

	for (const char *p = text; !found && next_line(&p, end, &line);) {
		found = covers(&line.point, "/") > 0;
		root = line;
	}
	if (!found)
		return -ENOENT;
	for (unsigned i = 0; i < STACK_MAX; i++) {
		bool carried = false;

		for (const char *p = text; !carried && next_line(&p, end, &line);)
			carried = line.id == root.parent && line.id != root.id &&
				  covers(&line.point, "/") > 0;
		if (!carried) {
			*ret_root = root;
			return 0;
		}
		root = line;
	}
	return -ELOOP;
}

/* The mount upon another that the way to the path enters first. */
static bool find_next(const char *text, const char *end, const char *path, struct line *at)
{
	struct line line, best = { 0 };
	size_t shortest = 0;

	while (next_line(&text, end, &line)) {
		size_t n = covers(&line.point, path);

		if (n == 0 || line.parent != at->id || line.id == at->id ||
		    (shortest > 0 && n > shortest))
			continue;
		shortest = n;
		best = line;
	}
	if (shortest == 0)
		return false;
	*at = best;
	return true;
}

static const char *unescape(const struct field *field, struct kc_arena *arena)
{
	const char *p = field->text, *end = p + field->size;
	char *text = kc_arena_alloc(arena, field->size + 1);
	size_t n = 0;

	if (!text)
		return NULL;
	while (p < end)
		text[n++] = next_char(&p, end);
	text[n] = 0;
	return text;
}

int host_mount_find(const char *mountinfo, size_t size, const char *path, struct kc_arena *arena,
		    struct host_mount *ret_mount)
{
	const char *end = mountinfo + size;
	struct host_mount mount;
	struct line at;
	unsigned depth = 0;
	int r;

	r = find_root(mountinfo, end, &at);
	if (r < 0)
		return r;
	while (find_next(mountinfo, end, path, &at)) {
		if (++depth > STACK_MAX)
			return -ELOOP;
	}
	mount.point = unescape(&at.point, arena);
	mount.type = unescape(&at.type, arena);
	mount.source = unescape(&at.source, arena);
	if (!mount.point || !mount.type || !mount.source)
		return -ENOMEM;
	*ret_mount = mount;
	return 0;
}
