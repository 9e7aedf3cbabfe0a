/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "unit-internal.h"

/* The state between the lines of one file. */
struct parser {
	const char *file;
	struct kc_arena *arena;
	struct kc_unit_settings *settings;
	struct kc_buf joined; /* lines that were continued so far */
	bool continuing;
	bool bom_seen;
	unsigned line, first_line; /* of the text; where the logical line began */
	const char *section; /* NULL before the first header */
	const char *fault;
};

static void parser_done(struct parser *p)
{
	kc_buf_done(&p->joined);
}

bool kc_unit_is_utf8(const char *s, size_t n)
{
	uint32_t code_point;

	while (n) {
		size_t length = kc_utf8_sequence(s, n, &code_point);

		if (!length || !code_point)
			return false;
		s += length;
		n -= length;
	}
	return true;
}

/* Cuts white space at both ends, in place. */
static char *strip(char *s)
{
	size_t n;

	s += strspn(s, KC_UNIT_WHITE);
	n = strlen(s);
	while (n && kc_unit_is_white(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

static int parser_fault(struct parser *p, const char *what)
{
	p->fault = kc_arena_printf(p->arena, "%s:%u: %s, so systemd reads no further in it",
				   p->file, p->first_line, what);
	return p->fault ? 0 : -ENOMEM;
}

static int parse_header(struct parser *p, const char *line)
{
	size_t n = strlen(line);

	if (line[n - 1] != ']' || n < 2)
		return parser_fault(p, "a section header without its closing bracket");
	for (size_t i = 1; i < n - 1; i++)
		if ((unsigned char)line[i] < ' ' || strchr("\"'\\\x7f", line[i]))
			return parser_fault(p,
					    "a section header with characters that none may have");
	p->section = kc_arena_memdup(p->arena, line + 1, n - 2);
	return p->section ? 0 : -ENOMEM;
}

static int parse_assignment(struct parser *p, char *line)
{
	struct kc_unit_settings *list = p->settings;
	char *value = strchr(line, '=');
	struct kc_unit_setting *items;

	if (!p->section || !value || value == line)
		return 0;
	*value++ = '\0';
	if (list->n >= KC_UNIT_SETTINGS_MAX)
		return -E2BIG;
	items = kc_arena_grow(p->arena, list->item, list->n, &list->size, sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->item = items;
	items[list->n] = (struct kc_unit_setting){
		.section = p->section,
		.key = kc_arena_strdup(p->arena, strip(line)),
		.value = kc_arena_strdup(p->arena, strip(value)),
		.place = { p->file, p->first_line },
	};
	if (!items[list->n].key || !items[list->n].value)
		return -ENOMEM;
	list->n++;
	return 0;
}

/* A line with what it continues. */
static int parse_logical(struct parser *p, char *line)
{
	line = strip(line);
	if (!*line)
		return 0;
	if (!kc_unit_is_utf8(line, strlen(line)))
		return parser_fault(p, "a line is not UTF-8");
	return *line == '[' ? parse_header(p, line) : parse_assignment(p, line);
}

/*
 * True when an odd backslash ends the line, which is then continued. The parts before it need no
 * look: the backslash at the end of each has become a space.
 */
static bool is_continued(const char *part, size_t n)
{
	bool escaped = false;

	for (size_t i = 0; i < n; i++)
		escaped = !escaped && part[i] == '\\';
	return escaped;
}

static int parse_physical(struct parser *p, const char *line, size_t n)
{
	size_t i = 0;
	int r;

	p->line++;
	while (i < n && kc_unit_is_white(line[i]))
		i++;
	/* A comment between continued lines is left out, and the next line goes on. */
	if (i < n && strchr(KC_UNIT_COMMENTS, line[i]))
		return 0;
	if (!p->bom_seen && n >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
		p->bom_seen = true;
		line += 3;
		n -= 3;
	}
	if (!p->continuing) {
		kc_buf_reset(&p->joined);
		p->first_line = p->line;
	}
	kc_buf_add(&p->joined, line, n);
	r = kc_buf_error(&p->joined);
	if (r)
		return r;
	p->continuing = is_continued(line, n);
	if (p->continuing) {
		p->joined.data[p->joined.len - 1] = ' ';
		return 0;
	}
	return p->joined.len ? parse_logical(p, p->joined.data) : 0;
}

/*
 * The length of the end of line at s: LF, CR and NUL end one, and those of different kinds that
 * follow each other (CR LF) are one end.
 */
static size_t end_of_line(const char *s, size_t n)
{
	size_t length = 0;

	while (length < n && length < 3 && (s[length] == '\n' || s[length] == '\r' || !s[length]) &&
	       !memchr(s, s[length], length))
		length++;
	return length;
}

int kc_unit_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		  struct kc_unit_settings *settings, const char **ret_fault)
{
	kc_cleanup(parser_done) struct parser p = { .file = file,
						    .arena = arena,
						    .settings = settings };
	size_t i = 0;
	int r = 0;

	while (i < size && !r && !p.fault) {
		size_t start = i;

		while (i < size && text[i] != '\n' && text[i] != '\r' && text[i])
			i++;
		r = parse_physical(&p, text + start, i - start);
		i += end_of_line(text + i, size - i);
	}
	if (!r && !p.fault && p.continuing)
		r = parse_logical(&p, p.joined.data);
	if (r)
		return r;
	*ret_fault = p.fault;
	return 0;
}

int kc_unit_file_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		       struct kc_unit_setting **ret_settings, size_t *ret_n)
{
	struct kc_unit_settings settings = { 0 };
	const char *fault;
	int r;

	if (size > KC_UNIT_FILE_MAX)
		return -EFBIG;
	file = kc_arena_strdup(arena, file);
	if (!file)
		return -ENOMEM;
	r = kc_unit_parse(file, text, size, arena, &settings, &fault);
	if (r)
		return r;
	if (fault)
		return -EBADMSG;
	*ret_settings = settings.item;
	*ret_n = settings.n;
	return 0;
}

const struct kc_unit_setting *kc_unit_file_last(const struct kc_unit_file *unit,
						const char *section, const char *key)
{
	for (size_t i = unit->n_settings; i > 0; i--) {
		const struct kc_unit_setting *s = &unit->setting[i - 1];

		if (kc_streq(s->key, key) && kc_streq(s->section, section))
			return s;
	}
	return NULL;
}

int kc_unit_file_list(const struct kc_unit_file *unit, const char *section, const char *key,
		      struct kc_arena *arena, const struct kc_unit_setting ***ret_list,
		      size_t *ret_n)
{
	const struct kc_unit_setting **list = NULL;
	size_t n = 0, size = 0;

	for (size_t i = 0; i < unit->n_settings; i++) {
		const struct kc_unit_setting *s = &unit->setting[i];

		if (!kc_streq(s->key, key) || !kc_streq(s->section, section))
			continue;
		if (!*s->value) {
			n = 0;
			continue;
		}
		list = kc_arena_grow(arena, list, n, &size, sizeof(*list));
		if (!list)
			return -ENOMEM;
		list[n++] = s;
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}
