/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

/* A command of an ExecStart= before its variables are replaced. */
struct raw {
	struct kc_word *word; /* word[0] is the program */
	size_t n, size;
	bool no_variables; /* prefix ":" */
	bool ignored; /* prefix "-": what systemd cannot read is left out, not refused */
};

/* Reads the commands of settings, one after another. */
struct command_reader {
	struct kc_arena *arena;
	const struct kc_unit_file *unit;
	const struct kc_environment *environment;
	const char *fault;
	size_t n_commands;
	struct raw last;
	struct kc_place place; /* of last */
};

static int words_add(struct raw *raw, struct kc_arena *arena, const char *text,
		     const struct kc_place *place)
{
	struct kc_word *words;

	if (raw->n >= KC_UNIT_WORDS_MAX)
		return -E2BIG;
	words = kc_arena_grow(arena, raw->word, raw->n, &raw->size, sizeof(*words));
	if (!words)
		return -ENOMEM;
	raw->word = words;
	words[raw->n++] = (struct kc_word){ .text = text, .place = *place };
	return 0;
}

static int refuse(struct command_reader *c, const struct raw *raw,
		  const struct kc_unit_setting *setting, const char *what)
{
	if (c->fault || raw->ignored)
		return 0;
	c->fault = kc_arena_printf(c->arena, "%s:%u: ExecStart=%s", setting->place.file,
				   setting->place.line, what);
	return c->fault ? 0 : -ENOMEM;
}

/* Cuts the prefixes of a program; *ret_own_name: "@", so that the next word is its argv[0]. */
static const char *cut_prefixes(const char *word, struct raw *raw, bool *ret_own_name)
{
	bool own_name = false, plus = false;
	unsigned marks = 0;

	for (;; word++) {
		if (*word == '-' && !raw->ignored)
			raw->ignored = true;
		else if (*word == '@' && !own_name)
			own_name = true;
		else if (*word == ':' && !raw->no_variables)
			raw->no_variables = true;
		else if (*word == '+' && !plus && !marks)
			plus = true;
		else if (*word == '!' && !plus && marks < 2)
			marks++;
		else
			break;
	}
	*ret_own_name = own_name;
	return word;
}

static const char *program_fault(const char *path)
{
	if (!*path)
		return " has no program";
	if (kc_endswith(path, "/"))
		return " names a folder as its program";
	if (*path != '/' && (strchr(path, '/') || kc_streq(path, ".") || kc_streq(path, "..")))
		return " names a program by a relative path";
	return NULL;
}

/* A lone ";" (or "\;", an argument) at s. */
static bool is_lone(const char *s, const char *what)
{
	const char *rest = s ? kc_after_prefix(s, what) : NULL;

	return rest && (!*rest || kc_unit_is_white(*rest));
}

/* The arguments up to the end of the command. */
static int read_arguments(struct command_reader *c, const struct kc_unit_setting *setting,
			  const char **text, struct raw *raw)
{
	const char *resolved;
	char *word;
	int r;

	while (*text && !is_lone(*text, ";")) {
		if (is_lone(*text, "\\;")) {
			*text += 2 + strspn(*text + 2, KC_UNIT_WHITE);
			r = words_add(raw, c->arena, ";", &setting->place);
			if (r)
				return r;
			continue;
		}
		r = kc_unit_word(text, KC_WORD_CUNESCAPE, c->arena, &word);
		if (r == -EINVAL) {
			raw->n = 0;
			*text = NULL;
			return refuse(c, raw, setting, " has a quote that is not closed");
		}
		if (r <= 0)
			return r;
		r = kc_unit_specifiers(c->unit->canonical, word, c->arena, &resolved);
		if (!r)
			r = words_add(raw, c->arena, resolved, &setting->place);
		if (r)
			return r;
	}
	if (*text) {
		(*text)++;
		*text += strspn(*text, KC_UNIT_WHITE);
	}
	return 0;
}

/* One command; *text moves behind it and its ";". */
static int read_command(struct command_reader *c, const struct kc_unit_setting *setting,
			const char **text)
{
	struct raw raw = { 0 };
	const char *path, *fault;
	bool own_name;
	char *word;
	int r;

	r = kc_unit_word(text, KC_WORD_CUNESCAPE, c->arena, &word);
	if (r == -EINVAL)
		*text = NULL;
	if (r <= 0)
		return r == -EINVAL ? 0 : r;
	if (kc_streq(word, ";"))
		return 0;
	path = cut_prefixes(word, &raw, &own_name);
	r = kc_unit_specifiers(c->unit->canonical, path, c->arena, &path);
	if (r)
		return r;
	fault = program_fault(path);
	if (fault) {
		*text = NULL;
		return refuse(c, &raw, setting, fault);
	}
	r = words_add(&raw, c->arena, path, &setting->place);
	if (!r)
		r = read_arguments(c, setting, text, &raw);
	if (r || !raw.n)
		return r;
	if (own_name) {
		if (raw.n < 2) {
			*text = NULL;
			return refuse(c, &raw, setting,
				      " has \"@\" without a name behind the program");
		}
		memmove(&raw.word[1], &raw.word[2], (raw.n - 2) * sizeof(raw.word[0]));
		raw.n--;
	}
	c->n_commands++;
	c->last = raw;
	c->place = setting->place;
	return 0;
}

static const struct kc_environment_variable *find_variable(const struct kc_environment *environment,
							   const char *name, size_t n)
{
	for (size_t i = 0; i < environment->n; i++)
		if (strlen(environment->item[i].name) == n &&
		    memcmp(environment->item[i].name, name, n) == 0)
			return &environment->item[i];
	return NULL;
}

/* $NAME as a word of its own: the words of its value, or none. */
static int add_split(const struct command_reader *c, const char *name, struct raw *out)
{
	const struct kc_environment_variable *variable;
	const char *text;
	char *word;
	int r;

	variable = find_variable(c->environment, name, strlen(name));
	text = variable ? variable->value : NULL;
	while ((r = kc_unit_word(&text, KC_WORD_RELAX, c->arena, &word)) > 0) {
		r = words_add(out, c->arena, word, &variable->place);
		if (r)
			return r;
	}
	return r;
}

/* ${NAME} anywhere in a word, and $$; other uses of $ stay as they are. */
static int add_replaced(const struct command_reader *c, const struct kc_word *word, struct raw *out)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_place place = word->place;
	const char *s = word->text, *text;

	while (*s) {
		size_t n = s[0] == '$' && s[1] == '{' ? strcspn(s + 2, "}:") : 0;
		bool is_variable = s[0] == '$' && s[1] == '{' && s[2 + n] == '}';

		if (is_variable) {
			const struct kc_environment_variable *variable;

			variable = find_variable(c->environment, s + 2, n);
			if (variable) {
				kc_buf_adds(&b, variable->value);
				place = variable->place;
			}
			s += n + 3;
		} else {
			bool escaped = s[0] == '$' && s[1] == '$';

			kc_buf_addc(&b, *s);
			s += escaped ? 2 : 1;
		}
	}
	if (kc_buf_error(&b))
		return -ENOMEM;
	text = kc_arena_memdup(c->arena, b.len ? b.data : "", b.len);
	return text ? words_add(out, c->arena, text, &place) : -ENOMEM;
}

static int replace_variables(const struct command_reader *c, const struct raw *raw,
			     struct kc_command *ret_command)
{
	struct raw out = { 0 };
	int r = 0;

	if (raw->n)
		r = words_add(&out, c->arena, raw->word[0].text, &raw->word[0].place);
	for (size_t i = 1; !r && i < raw->n; i++) {
		const struct kc_word *word = &raw->word[i];
		const char *text = word->text;

		if (raw->no_variables || !strchr(text, '$'))
			r = words_add(&out, c->arena, text, &word->place);
		else if (*text == '$' && text[1] != '{' && text[1] != '$')
			r = add_split(c, text + 1, &out);
		else
			r = add_replaced(c, word, &out);
	}
	if (r)
		return r;
	ret_command->word = out.word;
	ret_command->n = out.n;
	ret_command->place = c->place;
	return 0;
}

/* systemd refuses a service with several commands unless it ends before the next begins. */
static int check_count(struct command_reader *c)
{
	const struct kc_unit_setting *type = kc_unit_file_last(c->unit, "Service", "Type");

	if (c->fault || c->n_commands < 2 || (type && kc_streq(type->value, "oneshot")))
		return 0;
	c->fault = kc_arena_printf(c->arena,
				   "%s:%u: a second ExecStart=, which only Type=oneshot may have "
				   "(an empty ExecStart= before it takes the first back)",
				   c->place.file, c->place.line);
	return c->fault ? 0 : -ENOMEM;
}

int kc_unit_service_command(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			    const struct kc_unit_file *unit, struct kc_service_command *ret_service)
{
	struct kc_service_command service = { 0 };
	struct kc_environment environment = { 0 };
	struct command_reader c = { .arena = arena, .unit = unit, .environment = &environment };
	const struct kc_unit_setting **list;
	size_t n;
	int r;

	r = kc_unit_environment(host, run, arena, unit, &environment, &service.fault);
	if (!r)
		r = kc_unit_file_list(unit, "Service", "ExecStart", arena, &list, &n);
	for (size_t i = 0; !r && i < n; i++) {
		const char *text = list[i]->value;

		while (!r && text)
			r = read_command(&c, list[i], &text);
	}
	if (!r)
		r = check_count(&c);
	if (!r)
		r = replace_variables(&c, &c.last, &service.command);
	if (r)
		return r;
	if (c.fault)
		service.fault = c.fault;
	service.environment = environment.item;
	service.n_environment = environment.n;
	*ret_service = service;
	return 0;
}
