/* SPDX-License-Identifier: Apache-2.0 */
#include "ini.h"

#define WHITE " \t\r"

enum {
	SIZE_MAX_BYTES = 1 << 20,
	SETTINGS_MAX = 16384,
	SECTIONS_MAX = 1024,
};

struct parser {
	struct kc_arena *arena;
	struct kc_ini ini;
	size_t room, room_sections;
	const char *section;
	unsigned line;
	bool open; /* the last setting may go on; its value is then in `value` */
	struct kc_buf value;
};

static void parser_done(struct parser *p)
{
	kc_buf_done(&p->value);
}

static void fault(struct parser *p, const char *what)
{
	if (p->ini.bad_line)
		return;
	p->ini.bad_line = p->line;
	p->ini.fault = what;
}

/* The value of the setting that went on up to here. */
static int close_setting(struct parser *p)
{
	if (!p->open)
		return 0;
	p->open = false;
	if (kc_buf_error(&p->value) < 0)
		return -ENOMEM;
	p->ini.item[p->ini.n - 1].value =
		kc_arena_memdup(p->arena, p->value.len ? p->value.data : "", p->value.len);
	return p->ini.item[p->ini.n - 1].value ? 0 : -ENOMEM;
}

static const struct kc_ini_section *find_section(const struct kc_ini *ini, const char *name,
						 size_t n)
{
	for (size_t i = 0; i < ini->n_sections; i++)
		if (strlen(ini->section[i].name) == n && memcmp(ini->section[i].name, name, n) == 0)
			return &ini->section[i];
	return NULL;
}

static int parse_header(struct parser *p, const char *text, const char *end)
{
	const char *close = memchr(text, ']', (size_t)(end - text)), *rest;
	const struct kc_ini_section *known;
	struct kc_ini_section *sections;

	if (!close || close == text + 1) {
		fault(p, close ? "a section without a name" : "a section without its \"]\"");
		return 0;
	}
	for (rest = close + 1; rest < end && strchr(WHITE, *rest); rest++)
		;
	if (rest < end && *rest != '#' && *rest != ';')
		fault(p, "text behind a section");
	known = find_section(&p->ini, text + 1, (size_t)(close - text - 1));
	if (known) {
		p->section = known->name;
		return 0;
	}
	if (p->ini.n_sections == SECTIONS_MAX)
		return -EFBIG;
	sections = kc_arena_grow(p->arena, p->ini.section, p->ini.n_sections, &p->room_sections,
				 sizeof(*sections));
	p->section = kc_arena_memdup(p->arena, text + 1, (size_t)(close - text - 1));
	if (!sections || !p->section)
		return -ENOMEM;
	p->ini.section = sections;
	sections[p->ini.n_sections++] = (struct kc_ini_section){ p->section, p->line };
	return 0;
}

static int parse_setting(struct parser *p, const char *text, const char *end)
{
	const char *sign = memchr(text, '=', (size_t)(end - text)), *behind;
	struct kc_ini_setting *items;
	bool colon = !sign;

	if (colon)
		sign = memchr(text, ':', (size_t)(end - text));
	if (!sign || sign == text) {
		fault(p, sign ? "a value without a key" : "neither a section nor KEY=VALUE");
		return 0;
	}
	if (p->ini.n == SETTINGS_MAX)
		return -EFBIG;
	items = kc_arena_grow(p->arena, p->ini.item, p->ini.n, &p->room, sizeof(*items));
	if (!items)
		return -ENOMEM;
	p->ini.item = items;
	behind = sign + 1;
	while (sign > text && strchr(WHITE, sign[-1]))
		sign--;
	while (behind < end && strchr(WHITE, *behind))
		behind++;
	items[p->ini.n] = (struct kc_ini_setting){
		.section = p->section,
		.key = kc_arena_memdup(p->arena, text, (size_t)(sign - text)),
		.line = p->line,
		.colon = colon,
	};
	if (!items[p->ini.n].key)
		return -ENOMEM;
	p->ini.n++;
	p->open = true;
	kc_buf_reset(&p->value);
	kc_buf_add(&p->value, behind, (size_t)(end - behind));
	return 0;
}

/* One line, without its end. Comments and empty lines do not end a value. */
static int parse_line(struct parser *p, const char *line, const char *end)
{
	const char *text = line;
	int r;

	while (text < end && strchr(WHITE, *text))
		text++;
	while (end > text && strchr(WHITE, end[-1]))
		end--;
	if (text == end || *line == '#' || *line == ';')
		return 0;
	if (text > line && *text != '[') {
		if (p->open) {
			kc_buf_addc(&p->value, '\n');
			kc_buf_add(&p->value, text, (size_t)(end - text));
		} else {
			fault(p, "a continuation of nothing");
		}
		return 0;
	}
	r = close_setting(p);
	if (r < 0)
		return r;
	return *text == '[' ? parse_header(p, text, end) : parse_setting(p, text, end);
}

int kc_ini_parse(const char *text, size_t size, struct kc_arena *arena, struct kc_ini *ret_ini)
{
	static const char mark[] = "\xef\xbb\xbf"; /* of byte order */
	kc_cleanup(parser_done) struct parser p = { .arena = arena, .section = "" };
	const char *end = text + size;
	int r = 0;

	if (size > SIZE_MAX_BYTES)
		return -EFBIG;
	if (size == 0) {
		*ret_ini = p.ini;
		return 0;
	}
	if (memchr(text, '\0', size))
		return -EBADMSG;
	if (size >= sizeof(mark) - 1 && memcmp(text, mark, sizeof(mark) - 1) == 0)
		text += sizeof(mark) - 1;
	while (r == 0 && text < end) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));

		p.line++;
		r = parse_line(&p, text, eol ? eol : end);
		text = eol ? eol + 1 : end;
	}
	if (r == 0)
		r = close_setting(&p);
	if (r < 0)
		return r;
	*ret_ini = p.ini;
	return 0;
}

const struct kc_ini_setting *kc_ini_get(const struct kc_ini *ini, const char *section,
					const char *key)
{
	for (size_t i = ini->n; i > 0; i--)
		if (kc_streq(ini->item[i - 1].section, section) &&
		    kc_streq(ini->item[i - 1].key, key))
			return &ini->item[i - 1];
	return NULL;
}

bool kc_ini_has_section(const struct kc_ini *ini, const char *section)
{
	return find_section(ini, section, strlen(section)) != NULL;
}
