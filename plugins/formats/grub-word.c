/* SPDX-License-Identifier: Apache-2.0 */
#include "grub-script.h"

enum {
	WORD_MAX = 64 * 1024,
	STEPS_MAX = 256 * 1024,
	TAKEN_MAX = 16 * 1024 * 1024,
	EXPANDED_MAX = 4 * 1024 * 1024
};

/* What only GRUB itself knows. */
static const char *const of_the_machine[] = { "root",
					      "prefix",
					      "cmdpath",
					      "?",
					      "grub_platform",
					      "grub_cpu",
					      "lockdown",
					      "shim_lock",
					      "config_directory",
					      "config_file",
					      NULL };

bool grub_word_is(const struct grub_word *word, const char *text)
{
	return !word->quoted && !word->unknown && kc_streq(word->text, text);
}

static char peek(const struct grub_script *s)
{
	return s->at < s->size ? s->text[s->at] : '\0';
}

static char take(struct grub_script *s)
{
	char c = peek(s);

	s->at += c != '\0';
	s->taken++;
	s->line += c == '\n';
	return c;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_name(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '_';
}

const struct grub_variable *grub_script_variable(const struct grub_script *script, const char *name)
{
	for (size_t i = 0; i < script->n_variables; i++)
		if (kc_streq(script->variable[i].name, name))
			return &script->variable[i];
	return NULL;
}

/* The value of a name or of an argument's number; "" when it has none. */
static const char *value_of(const struct grub_script *s, const char *name, bool *ret_unknown)
{
	const struct grub_variable *variable;
	uint64_t number;

	*ret_unknown = false;
	if (kc_parse_u64(name, &number) == 0)
		return number && number <= kc_strv_len(s->argument) ? s->argument[number - 1] : "";
	variable = grub_script_variable(s, name);
	if (variable) {
		*ret_unknown = variable->unknown;
		return variable->value;
	}
	/* Since GRUB 2.00, each of these is there. */
	if (kc_after_prefix(name, "feature_"))
		return "y";
	*ret_unknown = kc_strv_has(of_the_machine, name);
	return "";
}

static int note_unexpanded(struct grub_script *s, const char *name)
{
	/* A handful is enough to look for. */
	if (s->unexpanded && strlen(s->unexpanded) > 200)
		return 0;
	s->unexpanded = kc_arena_printf(s->arena, "%s%s$%.64s", s->unexpanded ? s->unexpanded : "",
					s->unexpanded ? ", " : "", name);
	return s->unexpanded ? 0 : -ENOMEM;
}

static int add_variable(struct grub_script *s, const char *name, bool quoted,
			struct grub_word *word)
{
	bool unknown;
	const char *value = value_of(s, name, &unknown);
	size_t n = strlen(value);

	s->expanded += n + 1;
	if (s->expanded > EXPANDED_MAX)
		return -E2BIG;
	kc_buf_add(&s->scratch, value, n);
	if (quoted && strpbrk(value, " \t"))
		word->one = true;
	if (!unknown)
		return 0;
	word->unknown = true;
	return note_unexpanded(s, name);
}

/* What stands behind a "$": a name, one in braces, or a sign. */
static int read_variable(struct grub_script *s, bool quoted, struct grub_word *word)
{
	bool braced = peek(s) == '{';
	size_t start, n;
	const char *name;

	if (braced)
		(void)take(s);
	start = s->at;
	if (peek(s) == '?' || peek(s) == '#' || peek(s) == '@' || peek(s) == '*')
		(void)take(s);
	else
		while (is_name(peek(s)))
			(void)take(s);
	n = s->at - start;
	if (braced && peek(s) == '}')
		(void)take(s);
	if (!n) {
		/* Nothing that GRUB takes for a variable. */
		kc_buf_addc(&s->scratch, '$');
		return 0;
	}
	name = kc_arena_memdup(s->arena, s->text + start, n);
	return name ? add_variable(s, name, quoted, word) : -ENOMEM;
}

static void add_quoted(struct grub_script *s, char c, struct grub_word *word)
{
	if (is_blank(c) || c == '\n')
		word->one = true;
	kc_buf_addc(&s->scratch, c);
}

static void read_single_quotes(struct grub_script *s, struct grub_word *word)
{
	char c;

	while ((c = take(s)) && c != '\'')
		add_quoted(s, c, word);
}

static int read_double_quotes(struct grub_script *s, struct grub_word *word)
{
	char c;
	int r = 0;

	while (!r && (c = take(s)) && c != '"') {
		if (c == '$') {
			r = read_variable(s, true, word);
			continue;
		}
		if (c == '\\' && peek(s) == '\n') {
			(void)take(s);
			continue;
		}
		if (c == '\\' && (peek(s) == '$' || peek(s) == '"' || peek(s) == '\\'))
			c = take(s);
		add_quoted(s, c, word);
	}
	return r;
}

static int read_part(struct grub_script *s, struct grub_word *word)
{
	char c = take(s);

	if (c == '\'' || c == '"') {
		word->quoted = true;
		if (c == '"')
			return read_double_quotes(s, word);
		read_single_quotes(s, word);
	} else if (c == '$') {
		/* $"…" asks for a translation. */
		return peek(s) == '"' ? 0 : read_variable(s, false, word);
	} else if (c == '\\') {
		c = take(s);
		if (c && c != '\n')
			add_quoted(s, c, word);
		word->quoted = true;
	} else {
		kc_buf_addc(&s->scratch, c);
	}
	return 0;
}

/* Up to the next word, or to what ends a command. */
static void skip_blanks(struct grub_script *s)
{
	for (;;) {
		if (is_blank(peek(s))) {
			(void)take(s);
		} else if (peek(s) == '\\' && s->at + 1 < s->size && s->text[s->at + 1] == '\n') {
			(void)take(s);
			(void)take(s);
		} else if (peek(s) == '#') {
			while (peek(s) && peek(s) != '\n')
				(void)take(s);
		} else {
			return;
		}
	}
}

static bool ends_word(char c)
{
	return !c || is_blank(c) || c == '\n' || c == ';';
}

/* The next word of a command; 0 where the command ends. */
static int read_word(struct grub_script *s, struct grub_word *ret_word)
{
	struct grub_word word = { 0 };
	int r = 0;

	skip_blanks(s);
	if (ends_word(peek(s)))
		return 0;
	kc_buf_reset(&s->scratch);
	while (!r && !ends_word(peek(s))) {
		r = read_part(s, &word);
		if (!r && s->scratch.len > WORD_MAX)
			r = -E2BIG;
	}
	if (!r)
		r = kc_buf_error(&s->scratch);
	if (r)
		return r;
	word.text =
		kc_arena_memdup(s->arena, s->scratch.data ? s->scratch.data : "", s->scratch.len);
	if (!word.text)
		return -ENOMEM;
	*ret_word = word;
	return 1;
}

/* A word that is a command of its own: what follows begins another. */
static bool is_prefix(const struct grub_word *word)
{
	static const char *const words[] = { "if",    "elif",  "else", "then", "do",
					     "while", "until", "!",    "}",    NULL };

	return !word->quoted && kc_strv_has(words, word->text);
}

int grub_script_read_command(struct grub_script *s)
{
	s->n_words = 0;
	s->opens = false;
	s->unexpanded = NULL;
	if (++s->steps > STEPS_MAX || s->taken > TAKEN_MAX)
		return -E2BIG;
	for (;;) {
		struct grub_word word;
		int r = read_word(s, &word);

		if (r < 0)
			return r;
		if (r == 0) {
			bool end = !peek(s);

			(void)take(s);
			return s->n_words || !end;
		}
		/* An empty variable without quotes is no word. */
		if (!*word.text && !word.quoted && !word.unknown)
			continue;
		if (grub_word_is(&word, "{")) {
			s->opens = true;
			return 1;
		}
		if (s->n_words == GRUB_WORDS_MAX)
			return -E2BIG;
		s->word[s->n_words++] = word;
		if (s->n_words == 1 && is_prefix(&word))
			return 1;
	}
}
