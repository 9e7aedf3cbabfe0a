/* SPDX-License-Identifier: Apache-2.0 */
#include "sysctl-file.h"

#define GLOB_CHARS "*?["
#define WHITE	   " \t\r\n"

/* Ends of lines as systemd's read_line() has them: of LF, CR and NUL each once in a row. */
static size_t end_of_line(const char *s, size_t n)
{
	static const char marks[] = { '\n', '\r', 0 };
	unsigned seen = 0;
	size_t i = 0;

	while (i < n) {
		const char *mark = memchr(marks, s[i], sizeof(marks));
		unsigned bit;

		if (!mark)
			break;
		bit = 1u << (mark - marks);
		if (seen & bit)
			break;
		seen |= bit;
		i++;
	}
	return i;
}

static size_t line_length(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] != '\n' && s[i] != '\r' && s[i] != 0)
		i++;
	return i;
}

static char *strip(char *s)
{
	size_t n;

	s += strspn(s, WHITE);
	n = strlen(s);
	while (n > 0 && strchr(WHITE, s[n - 1]))
		n--;
	s[n] = 0;
	return s;
}

void sysctl_normalize(char *key)
{
	char *out = key;

	if (key[strcspn(key, "./")] == '.') {
		for (char *p = key; *p; p++)
			*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	}
	for (const char *p = key; *p;) {
		size_t n = strcspn(p, "/");

		if (n > 0 && !(n == 1 && *p == '.')) {
			if (out != key)
				*out++ = '/';
			memmove(out, p, n);
			out += n;
		}
		p += n;
		p += strspn(p, "/");
	}
	*out = 0;
}

bool sysctl_key_valid(const char *key)
{
	for (const char *p = key;; p++) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n <= 2 && p[0] == '.' && p[n - 1] == '.'))
			return false;
		p += n;
		if (!*p)
			return strlen(key) < 4000;
	}
}

static struct sysctl_line *new_line(struct kc_arena *arena, struct sysctl_lines *lines,
				    int *ret_code)
{
	size_t room = lines->room ? lines->room * 2 : 64;
	struct sysctl_line *grown;

	if (lines->n == SYSCTL_LINES_MAX) {
		*ret_code = -E2BIG;
		return NULL;
	}
	if (lines->n < lines->room)
		return lines->item + lines->n++;
	grown = kc_arena_zalloc(arena, room, sizeof(*grown));
	if (!grown) {
		*ret_code = -ENOMEM;
		return NULL;
	}
	if (lines->n > 0)
		memcpy(grown, lines->item, lines->n * sizeof(*grown));
	lines->item = grown;
	lines->room = room;
	return lines->item + lines->n++;
}

/* One line, which is changed. */
static int parse_line(const char *file, unsigned number, char *text, struct kc_arena *arena,
		      struct sysctl_lines *lines)
{
	struct sysctl_line *line;
	char *key = strip(text), *value;
	int r = 0;

	if (!*key || *key == '#' || *key == ';')
		return 0;
	line = new_line(arena, lines, &r);
	if (!line)
		return r;
	*line = (struct sysctl_line){ .file = file, .line = number };
	value = strchr(key, '=');
	if (value) {
		*value++ = 0;
		line->value = strip(value);
	} else if (*key != '-') {
		line->ignored = true;
		key[strcspn(key, " \t:")] = 0;
	}
	if (*key == '-')
		key++;
	key = strip(key);
	sysctl_normalize(key);
	line->key = key;
	line->glob = !line->ignored && strpbrk(key, GLOB_CHARS);
	return 0;
}

int sysctl_file_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		      struct sysctl_lines *lines)
{
	unsigned number = 0;

	while (size > 0) {
		size_t n = line_length(text, size);
		size_t end = n + end_of_line(text + n, size - n);
		char *copy = kc_arena_memdup(arena, text, n);
		int r;

		if (!copy)
			return -ENOMEM;
		r = parse_line(file, ++number, copy, arena, lines);
		if (r < 0)
			return r;
		text += end;
		size -= end;
	}
	return 0;
}

/* Behind a bracket expression; NULL when it is not closed and "[" stands for itself. */
static const char *bracket_end(const char *p)
{
	p++;
	if (*p == '!' || *p == '^')
		p++;
	if (*p == ']')
		p++;
	while (*p && *p != ']' && *p != '/')
		p += *p == '\\' && p[1] ? 2 : 1;
	return *p == ']' ? p + 1 : NULL;
}

static bool bracket_matches(const char *p, const char *end, char c)
{
	bool negated, found = false;

	p++;
	negated = *p == '!' || *p == '^';
	p += negated;
	for (end--; p < end; p++) {
		unsigned char from, to;

		if (*p == '\\' && p + 1 < end)
			p++;
		from = to = (unsigned char)*p;
		if (p + 2 < end && p[1] == '-') {
			to = (unsigned char)p[2];
			p += 2;
		}
		found = found || ((unsigned char)c >= from && (unsigned char)c <= to);
	}
	return found != negated;
}

/* One element of the pattern but "*" against one character. Returns what follows it, or NULL. */
static const char *match_one(const char *pattern, char c)
{
	const char *end;

	if (*pattern == '?')
		return c != '/' ? pattern + 1 : NULL;
	if (*pattern == '[' && (end = bracket_end(pattern)))
		return c != '/' && bracket_matches(pattern, end, c) ? end : NULL;
	if (*pattern == '\\' && pattern[1])
		pattern++;
	return *pattern == c ? pattern + 1 : NULL;
}

bool sysctl_pattern_matches(const char *pattern, const char *path)
{
	const char *star = NULL, *mark = NULL;

	while (*path) {
		const char *next;

		if (*pattern == '*') {
			star = ++pattern;
			mark = path;
			continue;
		}
		next = *pattern ? match_one(pattern, *path) : NULL;
		if (next) {
			/* A slash ends what a star may take, so that none before it is tried again.
			 */
			if (*path == '/')
				star = NULL;
			pattern = next;
			path++;
			continue;
		}
		if (!star || *mark == '/')
			return false;
		pattern = star;
		path = ++mark;
	}
	pattern += strspn(pattern, "*");
	return !*pattern;
}

enum {
	ALTERNATIVES_MAX = 64
};

/* The first brace that has its end, and that end; false when there is none. */
static bool find_braces(const char *s, size_t *ret_open, size_t *ret_close)
{
	for (const char *open = strchr(s, '{'); open; open = strchr(open + 1, '{')) {
		unsigned depth = 0;

		for (const char *p = open; *p; p++) {
			depth += *p == '{';
			depth -= *p == '}';
			if (depth > 0)
				continue;
			if (p == open + 1) /* {} stands for itself */
				break;
			*ret_open = (size_t)(open - s);
			*ret_close = (size_t)(p - s);
			return true;
		}
	}
	return false;
}

/* Appends the alternatives of one pair of braces to the list. */
static int split(const char *s, size_t open, size_t close, struct kc_arena *arena,
		 const char **list, size_t *n)
{
	size_t from = open + 1;
	unsigned depth = 0;

	for (size_t i = from; i <= close; i++) {
		depth += s[i] == '{';
		depth -= s[i] == '}' && i < close;
		if (depth > 0 || (s[i] != ',' && i < close))
			continue;
		if (*n == ALTERNATIVES_MAX)
			return -E2BIG;
		list[*n] = kc_arena_printf(arena, "%.*s%.*s%s", (int)open, s, (int)(i - from),
					   s + from, s + close + 1);
		if (!list[(*n)++])
			return -ENOMEM;
		from = i + 1;
	}
	return 0;
}

int sysctl_pattern_expand(const char *pattern, struct kc_arena *arena, const char *const **ret_list)
{
	const char **list = kc_arena_zalloc(arena, ALTERNATIVES_MAX + 1, sizeof(*list));
	size_t n = 1, open, close;

	if (!list)
		return -ENOMEM;
	if (strlen(pattern) > 4096)
		return -E2BIG;
	list[0] = pattern;
	/* Every round takes a pair of braces out of one text, so that there is an end. */
	for (size_t i = 0; i < n;) {
		const char *s = list[i];
		int r;

		if (!find_braces(s, &open, &close)) {
			i++;
			continue;
		}
		list[i] = list[--n];
		r = split(s, open, close, arena, list, &n);
		if (r < 0)
			return r;
	}
	list[n] = NULL;
	*ret_list = list;
	return 0;
}
