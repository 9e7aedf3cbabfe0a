/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

/* What systemd takes a backslash from within double quotes: "\"\\`$". */
#define SHELL_ESCAPED "\"\\`$"

enum state {
	BEFORE_KEY,
	KEY,
	BEFORE_VALUE, /* and between quoted parts of it */
	VALUE,
	VALUE_ESCAPE,
	SINGLE_QUOTED,
	DOUBLE_QUOTED,
	DOUBLE_QUOTED_ESCAPE,
	COMMENT,
	COMMENT_ESCAPE,
};

struct reader {
	const char *file;
	struct kc_arena *arena;
	struct kc_environment environment;
	struct kc_buf key, value;
	size_t solid; /* length of the value up to where white space at its end began */
	unsigned line, key_line;
	enum state state;
};

static void reader_done(struct reader *reader)
{
	kc_buf_done(&reader->key);
	kc_buf_done(&reader->value);
}

bool kc_environment_name_valid(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = name[i];

		if (c != '_' && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(i && c >= '0' && c <= '9'))
			return false;
	}
	return n;
}

int kc_environment_set(struct kc_environment *environment, struct kc_arena *arena,
		       const struct kc_environment_variable *variable)
{
	struct kc_environment_variable *items;

	for (size_t i = 0; i < environment->n; i++)
		if (kc_streq(environment->item[i].name, variable->name)) {
			environment->item[i] = *variable;
			return 0;
		}
	if (environment->n >= KC_UNIT_VARIABLES_MAX)
		return -E2BIG;
	items = kc_arena_grow(arena, environment->item, environment->n, &environment->size,
			      sizeof(*items));
	if (!items)
		return -ENOMEM;
	environment->item = items;
	items[environment->n++] = *variable;
	return 0;
}

/* Keeps the variable that has been read; one whose name no variable can have is left out. */
static int push(struct reader *r)
{
	struct kc_environment_variable variable = { .place = { r->file, r->key_line } };
	size_t n = r->key.len;

	if (kc_buf_error(&r->key) || kc_buf_error(&r->value))
		return -ENOMEM;
	while (n && kc_unit_is_white(r->key.data[n - 1]))
		n--;
	if (!kc_unit_is_utf8(r->key.data, n) ||
	    (r->value.len && !kc_unit_is_utf8(r->value.data, r->value.len)))
		return -EBADMSG;
	if (!kc_environment_name_valid(r->key.data, n))
		return 0;
	variable.name = kc_arena_memdup(r->arena, r->key.data, n);
	variable.value = kc_arena_memdup(r->arena, r->value.len ? r->value.data : "", r->value.len);
	if (!variable.name || !variable.value)
		return -ENOMEM;
	return kc_environment_set(&r->environment, r->arena, &variable);
}

static bool is_newline(char c)
{
	return c == '\n' || c == '\r';
}

static int end_of_value(struct reader *r)
{
	if (r->state == VALUE)
		r->value.len = KC_MIN(r->value.len, r->solid);
	r->state = BEFORE_KEY;
	return push(r);
}

static void read_before_key(struct reader *r, char c)
{
	if (strchr(KC_UNIT_COMMENTS, c)) {
		r->state = COMMENT;
	} else if (!kc_unit_is_white(c)) {
		kc_buf_reset(&r->key);
		kc_buf_addc(&r->key, c);
		r->key_line = r->line;
		r->state = KEY;
	}
}

static void read_key(struct reader *r, char c)
{
	if (is_newline(c)) {
		r->state = BEFORE_KEY;
	} else if (c == '=') {
		kc_buf_reset(&r->value);
		r->solid = 0;
		r->state = BEFORE_VALUE;
	} else {
		kc_buf_addc(&r->key, c);
	}
}

static void add_to_value(struct reader *r, char c)
{
	kc_buf_addc(&r->value, c);
	r->solid = r->value.len;
}

static int read_before_value(struct reader *r, char c)
{
	if (is_newline(c))
		return end_of_value(r);
	if (c == '\'') {
		r->state = SINGLE_QUOTED;
	} else if (c == '"') {
		r->state = DOUBLE_QUOTED;
	} else if (c == '\\') {
		r->state = VALUE_ESCAPE;
	} else if (!kc_unit_is_white(c)) {
		r->state = VALUE;
		add_to_value(r, c);
	}
	return 0;
}

static int read_value(struct reader *r, char c)
{
	if (is_newline(c))
		return end_of_value(r);
	if (c == '\\') {
		r->state = VALUE_ESCAPE;
		/* White space before a backslash is not at the end. */
		r->solid = r->value.len;
	} else {
		kc_buf_addc(&r->value, c);
		if (!kc_unit_is_white(c))
			r->solid = r->value.len;
	}
	return 0;
}

static void read_quoted(struct reader *r, char c)
{
	if (c == (r->state == SINGLE_QUOTED ? '\'' : '"'))
		r->state = BEFORE_VALUE;
	else if (c == '\\' && r->state == DOUBLE_QUOTED)
		r->state = DOUBLE_QUOTED_ESCAPE;
	else
		add_to_value(r, c);
}

static void read_escaped(struct reader *r, char c)
{
	if (r->state == VALUE_ESCAPE) {
		r->state = VALUE;
		if (!is_newline(c))
			add_to_value(r, c);
		else
			r->solid = r->value.len;
		return;
	}
	r->state = DOUBLE_QUOTED;
	if (c == '\n')
		return;
	if (!strchr(SHELL_ESCAPED, c))
		add_to_value(r, '\\');
	add_to_value(r, c);
}

static void read_comment(struct reader *r, char c)
{
	if (r->state == COMMENT_ESCAPE)
		r->state = is_newline(c) ? BEFORE_KEY : COMMENT;
	else if (c == '\\')
		r->state = COMMENT_ESCAPE;
	else if (is_newline(c))
		r->state = BEFORE_KEY;
}

static int read_char(struct reader *r, char c)
{
	switch (r->state) {
	case BEFORE_KEY:
		read_before_key(r, c);
		return 0;
	case KEY:
		read_key(r, c);
		return 0;
	case BEFORE_VALUE:
		return read_before_value(r, c);
	case VALUE:
		return read_value(r, c);
	case SINGLE_QUOTED:
	case DOUBLE_QUOTED:
		read_quoted(r, c);
		return 0;
	case VALUE_ESCAPE:
	case DOUBLE_QUOTED_ESCAPE:
		read_escaped(r, c);
		return 0;
	case COMMENT:
	case COMMENT_ESCAPE:
		read_comment(r, c);
		return 0;
	}
	return -EINVAL;
}

int kc_environment_file_parse(const char *file, const char *text, size_t size,
			      struct kc_arena *arena,
			      struct kc_environment_variable **ret_variables, size_t *ret_n)
{
	kc_cleanup(reader_done) struct reader reader = { .arena = arena, .line = 1 };
	int r = 0;

	if (size > KC_UNIT_FILE_MAX)
		return -EFBIG;
	if (memchr(text, '\0', size))
		return -EBADMSG;
	reader.file = kc_arena_strdup(arena, file);
	if (!reader.file)
		return -ENOMEM;
	for (size_t i = 0; i < size && !r; i++) {
		r = read_char(&reader, text[i]);
		reader.line += text[i] == '\n' ||
			       (text[i] == '\r' && !(i + 1 < size && text[i + 1] == '\n'));
	}
	if (!r && reader.state >= BEFORE_VALUE && reader.state <= DOUBLE_QUOTED_ESCAPE)
		r = end_of_value(&reader);
	if (r)
		return r;
	*ret_variables = reader.environment.item;
	*ret_n = reader.environment.n;
	return 0;
}
