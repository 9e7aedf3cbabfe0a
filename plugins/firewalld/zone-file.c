/* SPDX-License-Identifier: Apache-2.0 */
#include "zone-file.h"

enum {
	DEPTH_MAX = 16,
	ATTRIBUTES_MAX = 16,
};

struct span {
	const char *s;
	size_t n;
};

struct attribute {
	struct span name, value;
};

struct tag {
	struct span name;
	struct attribute attribute[ATTRIBUTES_MAX];
	size_t n_attributes;
	bool closes; /* </name> */
	bool empty; /* <name/> */
};

struct scan {
	const char *p, *end;
	unsigned line;
	struct kc_arena *arena;
	struct span open[DEPTH_MAX];
	size_t depth;
	bool had_root;
	struct firewalld_zone zone;
	size_t room;
	const char *fault;
};

static int bad(struct scan *s, const char *fault)
{
	s->fault = fault;
	return -EBADMSG;
}

static bool span_is(struct span span, const char *text)
{
	return span.n == strlen(text) && memcmp(span.s, text, span.n) == 0;
}

static bool at(const struct scan *s, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(s->end - s->p) >= n && memcmp(s->p, text, n) == 0;
}

static void advance(struct scan *s, const char *to)
{
	for (; s->p < to; s->p++)
		s->line += *s->p == '\n';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct scan *s)
{
	const char *p = s->p;

	while (p < s->end && is_space(*p))
		p++;
	advance(s, p);
}

/* Goes behind a mark; fault when it is not there. */
static int skip_past(struct scan *s, const char *mark, const char *fault)
{
	size_t n = strlen(mark);
	const char *found = memmem(s->p, (size_t)(s->end - s->p), mark, n);

	if (!found)
		return bad(s, fault);
	advance(s, found + n);
	return 0;
}

static struct span take_name(struct scan *s)
{
	const char *start = s->p;

	while (s->p < s->end && !is_space(*s->p) && !strchr("=/><\"'&", *s->p))
		s->p++;
	return (struct span){ start, (size_t)(s->p - start) };
}

/* NAME="VALUE" or NAME='VALUE' */
static int take_attribute(struct scan *s, struct tag *tag)
{
	struct attribute a = { .name = take_name(s) };
	const char *close;
	char quote;

	if (a.name.n == 0)
		return bad(s, "A tag has something in it that is no attribute.");
	skip_space(s);
	if (s->p == s->end || *s->p != '=')
		return bad(s, "An attribute has no value.");
	s->p++;
	skip_space(s);
	if (s->p == s->end || (*s->p != '"' && *s->p != '\''))
		return bad(s, "The value of an attribute is not in quotes.");
	quote = *s->p++;
	close = memchr(s->p, quote, (size_t)(s->end - s->p));
	if (!close)
		return bad(s, "A quote is left open.");
	a.value = (struct span){ s->p, (size_t)(close - s->p) };
	if (memchr(a.value.s, '<', a.value.n))
		return bad(s, "The value of an attribute has a \"<\" in it.");
	for (size_t i = 0; i < tag->n_attributes; i++)
		if (tag->attribute[i].name.n == a.name.n &&
		    memcmp(tag->attribute[i].name.s, a.name.s, a.name.n) == 0)
			return bad(s, "An attribute is there twice.");
	if (tag->n_attributes == ATTRIBUTES_MAX)
		return bad(s, "A tag has too many attributes.");
	advance(s, close + 1);
	tag->attribute[tag->n_attributes++] = a;
	return 0;
}

/* From behind the "<" to behind the ">". */
static int take_tag(struct scan *s, struct tag *tag)
{
	int r;

	if (s->p < s->end && *s->p == '/') {
		tag->closes = true;
		s->p++;
	}
	tag->name = take_name(s);
	if (tag->name.n == 0)
		return bad(s, "A tag has no name.");
	for (;;) {
		const char *before = s->p;

		skip_space(s);
		if (s->p == s->end)
			return bad(s, "A tag is left open.");
		if (*s->p == '>') {
			s->p++;
			return 0;
		}
		if (at(s, "/>") && !tag->closes) {
			tag->empty = true;
			s->p += 2;
			return 0;
		}
		if (tag->closes || s->p == before)
			return bad(s, "A tag is malformed.");
		r = take_attribute(s, tag);
		if (r)
			return r;
	}
}

static const struct span *attribute(const struct tag *tag, const char *name)
{
	for (size_t i = 0; i < tag->n_attributes; i++)
		if (span_is(tag->attribute[i].name, name))
			return &tag->attribute[i].value;
	return NULL;
}

static int add_binding(struct scan *s, const char *prefix, const struct span *value, bool source)
{
	struct firewalld_binding *b;

	if (s->zone.n_bindings == FIREWALLD_BINDINGS_MAX)
		return -E2BIG;
	b = kc_arena_grow(s->arena, s->zone.binding, s->zone.n_bindings, &s->room, sizeof(*b));
	if (!b)
		return -ENOMEM;
	s->zone.binding = b;
	b += s->zone.n_bindings;
	b->name = kc_arena_printf(s->arena, "%s%.*s", prefix, (int)value->n, value->s);
	b->line = s->line;
	b->source = source;
	if (!b->name)
		return -ENOMEM;
	s->zone.n_bindings++;
	return 0;
}

/* What is bound stands directly below <zone>; a <source> in a <rule> is another matter. */
static int note_child(struct scan *s, const struct tag *tag)
{
	const struct span *value;

	if (span_is(tag->name, "interface")) {
		value = attribute(tag, "name");
		return value ? add_binding(s, "", value, false)
			     : bad(s, "An <interface> has no name.");
	}
	if (!span_is(tag->name, "source"))
		return 0;
	value = attribute(tag, "address");
	if (!value)
		value = attribute(tag, "mac");
	if (value)
		return add_binding(s, "", value, true);
	value = attribute(tag, "ipset");
	return value ? add_binding(s, "ipset:", value, true) : 0;
}

static int note_open(struct scan *s, const struct tag *tag)
{
	const struct span *target;
	int r = 0;

	if (s->depth == 0) {
		if (s->had_root || !span_is(tag->name, "zone"))
			return bad(s, "It has another element where one <zone> should be.");
		s->had_root = true;
		target = attribute(tag, "target");
		if (target) {
			s->zone.target = kc_arena_memdup(s->arena, target->s, target->n);
			if (!s->zone.target)
				return -ENOMEM;
		}
	} else if (s->depth == 1) {
		r = note_child(s, tag);
	}
	if (r || tag->empty)
		return r;
	if (s->depth == DEPTH_MAX)
		return bad(s, "Its elements are nested too deeply.");
	s->open[s->depth++] = tag->name;
	return 0;
}

static int note_close(struct scan *s, const struct tag *tag)
{
	const struct span *open;

	if (s->depth == 0)
		return bad(s, "An end tag has no start tag.");
	open = &s->open[s->depth - 1];
	if (open->n != tag->name.n || memcmp(open->s, tag->name.s, open->n) != 0)
		return bad(s, "An end tag has another name than its start tag.");
	s->depth--;
	return 0;
}

/* At a "<". */
static int take_markup(struct scan *s)
{
	struct tag tag = { 0 };
	int r;

	if (at(s, "<!--")) {
		s->p += 4;
		return skip_past(s, "-->", "A comment is left open.");
	}
	if (at(s, "<?")) {
		s->p += 2;
		return skip_past(s, "?>", "A processing instruction is left open.");
	}
	if (at(s, "<![CDATA[") && s->depth > 0) {
		s->p += 9;
		return skip_past(s, "]]>", "A CDATA section is left open.");
	}
	if (at(s, "<!"))
		return bad(s, "It has a declaration, which no zone file has.");
	s->p++;
	r = take_tag(s, &tag);
	if (r)
		return r;
	return tag.closes ? note_close(s, &tag) : note_open(s, &tag);
}

/* expat refuses a file whose bytes are not of its encoding; zone files have no other than this. */
static bool is_utf8(const char *text, size_t size)
{
	uint32_t code_point;

	while (size > 0) {
		const size_t n = kc_utf8_sequence(text, size, &code_point);

		if (n == 0)
			return false;
		text += n;
		size -= n;
	}
	return true;
}

static int scan_all(struct scan *s)
{
	if (at(s, "\xef\xbb\xbf"))
		s->p += 3;
	while (s->p < s->end) {
		int r;

		if (*s->p == '<') {
			r = take_markup(s);
			if (r)
				return r;
			continue;
		}
		if (s->depth == 0 && !is_space(*s->p))
			return bad(s, "It has text outside of <zone>.");
		advance(s, s->p + 1);
	}
	if (s->depth > 0)
		return bad(s, "It ends before its elements do.");
	return s->had_root ? 0 : bad(s, "It has no <zone> in it.");
}

int firewalld_zone_parse(const char *text, size_t size, struct kc_arena *arena,
			 struct firewalld_zone *ret_zone, unsigned *ret_line,
			 const char **ret_fault)
{
	struct scan s = { .p = text, .end = text + size, .line = 1, .arena = arena };
	int r;

	if (size > FIREWALLD_ZONE_MAX)
		return -EFBIG;
	if (memchr(text, 0, size))
		r = bad(&s, "It has NUL bytes.");
	else if (!is_utf8(text, size))
		r = bad(&s, "It is not in UTF-8.");
	else
		r = scan_all(&s);
	if (r == -EBADMSG) {
		*ret_line = s.line;
		*ret_fault = s.fault;
	}
	if (!r)
		*ret_zone = s.zone;
	return r;
}
