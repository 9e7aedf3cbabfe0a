/* SPDX-License-Identifier: Apache-2.0 */
#include "grub-script.h"

enum {
	TEXT_MAX = 1024 * 1024,
	VARIABLES_MAX = 384,
	FUNCTIONS_MAX = 64,
	ITEMS_MAX = 256,
	DEPTH_MAX = 32
};

/* What a condition comes to. */
enum truth {
	IS_FALSE = 0,
	IS_TRUE = 1,
	IS_UNKNOWN = 2
};

/* What ended a list of commands. */
enum end {
	END_TEXT = 1,
	END_BRACE,
	END_FI,
	END_ELIF,
	END_ELSE,
	END_DONE,
	END_THEN,
	END_DO
};

static int run_list(struct grub_script *s);

static const struct {
	const char *word;
	enum end end;
} ends[] = {
	{ "}", END_BRACE },   { "fi", END_FI },	    { "elif", END_ELIF }, { "else", END_ELSE },
	{ "done", END_DONE }, { "then", END_THEN }, { "do", END_DO },
};

/* ---- variables ---- */

static int set_variable(struct grub_script *s, const struct grub_variable *variable)
{
	for (size_t i = 0; i < s->n_variables; i++)
		if (kc_streq(s->variable[i].name, variable->name)) {
			s->variable[i] = *variable;
			return 0;
		}
	if (s->n_variables == VARIABLES_MAX)
		return -E2BIG;
	s->variable[s->n_variables++] = *variable;
	return 0;
}

/* NAME=VALUE, as an argument of set or as a command. */
static int assign(struct grub_script *s, const struct grub_word *word, unsigned line)
{
	const char *equals = strchr(word->text, '=');
	struct grub_variable variable = {
		.unknown = word->unknown || s->mode == GRUB_MAYBE,
		.line = line,
	};

	if (!equals || equals == word->text)
		return 0;
	variable.name = kc_arena_memdup(s->arena, word->text, (size_t)(equals - word->text));
	variable.value = equals + 1;
	return variable.name ? set_variable(s, &variable) : -ENOMEM;
}

/* A command that puts something which only GRUB knows into a variable. */
static int forget(struct grub_script *s, const char *name)
{
	return set_variable(s,
			    &(struct grub_variable){ .name = name, .value = "", .unknown = true });
}

static int forget_set(struct grub_script *s)
{
	int r = 0;

	for (size_t i = 1; !r && i < s->n_words; i++) {
		const char *name = kc_after_prefix(s->word[i].text, "--set=");

		if (kc_streq(s->word[i].text, "--set") && i + 1 < s->n_words)
			name = s->word[i + 1].text;
		if (name)
			r = forget(s, name);
	}
	return r;
}

/* ---- conditions ---- */

static enum truth negate(enum truth a)
{
	return a == IS_UNKNOWN ? a : a == IS_TRUE ? IS_FALSE : IS_TRUE;
}

static enum truth and_also(enum truth a, enum truth b)
{
	if (a == IS_FALSE || b == IS_FALSE)
		return IS_FALSE;
	return a == IS_TRUE && b == IS_TRUE ? IS_TRUE : IS_UNKNOWN;
}

static enum truth known(bool truth)
{
	return truth ? IS_TRUE : IS_FALSE;
}

/* -f, -s, -e, -d: the environment block is the one file that is known of. */
static enum truth test_file(const struct grub_script *s, const struct grub_word *path)
{
	return kc_endswith(path->text, "/grubenv") && s->have_environment ? IS_TRUE : IS_UNKNOWN;
}

static enum truth test_unary(const struct grub_script *s, const char *operator,
			     const struct grub_word * word)
{
	if (kc_strv_has((const char *const[]){ "-f", "-s", "-e", "-d", NULL }, operator))
		return test_file(s, word);
	if (word->unknown || (!kc_streq(operator, "-n") && !kc_streq(operator, "-z")))
		return IS_UNKNOWN;
	return known(!*word->text == kc_streq(operator, "-z"));
}

static enum truth test_binary(const struct grub_word *a, const char *operator,
			      const struct grub_word * b)
{
	bool equal = kc_streq(operator, "=") || kc_streq(operator, "==");

	if (a->unknown || b->unknown || (!equal && !kc_streq(operator, "!=")))
		return IS_UNKNOWN;
	return known(kc_streq(a->text, b->text) == equal);
}

/* One comparison, from word *at up to `end`, and moves behind it. */
static enum truth test_term(const struct grub_script *s, size_t *at, size_t end)
{
	const struct grub_word *w = s->word + *at;
	size_t left = end - *at;

	if (left >= 1 && grub_word_is(w, "!")) {
		++*at;
		return negate(test_term(s, at, end));
	}
	if (left >= 3 && !grub_word_is(w + 1, "-a") && !grub_word_is(w + 1, "-o") &&
	    w->text[0] != '-') {
		*at += 3;
		return test_binary(w, w[1].text, w + 2);
	}
	if (left >= 2 && w->text[0] == '-' && !w->quoted) {
		*at += 2;
		return test_unary(s, w->text, w + 1);
	}
	if (left >= 1) {
		++*at;
		return w->unknown ? IS_UNKNOWN : known(*w->text);
	}
	return IS_UNKNOWN;
}

/* [ … ] and test …: terms with -a between them, and -o between those. */
static enum truth test_words(const struct grub_script *s)
{
	size_t end = s->n_words, at = 1;
	enum truth any = IS_FALSE, all = IS_TRUE;

	if (kc_streq(s->word[0].text, "[") && !(end > 1 && kc_streq(s->word[--end].text, "]")))
		return IS_UNKNOWN;
	if (at == end)
		return IS_FALSE;
	while (at < end) {
		all = and_also(all, test_term(s, &at, end));
		if (at < end && grub_word_is(s->word + at, "-a")) {
			at++;
			continue;
		}
		any = negate(and_also(negate(any), negate(all)));
		all = IS_TRUE;
		if (at < end && !grub_word_is(s->word + at, "-o"))
			return IS_UNKNOWN;
		at += at < end;
	}
	return any;
}

/* Reads the commands of a condition up to `until`; what the last one comes to is returned. */
static int read_condition(struct grub_script *s, const char *until, enum truth *ret_truth)
{
	enum truth truth = IS_UNKNOWN;
	bool negated = false;
	int r;

	while ((r = grub_script_read_command(s)) > 0) {
		if (!s->n_words)
			continue;
		if (grub_word_is(s->word, until)) {
			*ret_truth = negated ? negate(truth) : truth;
			return 0;
		}
		if (grub_word_is(s->word, "!")) {
			negated = !negated;
			continue;
		}
		truth = IS_UNKNOWN;
		if (kc_streq(s->word[0].text, "[") || kc_streq(s->word[0].text, "test"))
			truth = test_words(s);
		else if (kc_streq(s->word[0].text, "true") || kc_streq(s->word[0].text, "false"))
			truth = known(kc_streq(s->word[0].text, "true"));
	}
	return r < 0 ? r : -EBADMSG;
}

/* ---- blocks ---- */

/* Runs a list in a mode of its own, within limits. */
static int run_nested(struct grub_script *s, enum grub_mode mode)
{
	enum grub_mode before = s->mode;
	int r;

	if (s->depth == DEPTH_MAX)
		return -E2BIG;
	s->depth++;
	s->mode = mode;
	r = run_list(s);
	s->mode = before;
	s->depth--;
	return r;
}

static int run_if(struct grub_script *s)
{
	enum grub_mode outer = s->mode, mode;
	bool taken = false, maybe = false;
	enum truth truth;
	int r;

	do {
		r = read_condition(s, "then", &truth);
		if (r < 0)
			return r;
		mode = taken || truth == IS_FALSE     ? GRUB_SKIP
		       : maybe || truth == IS_UNKNOWN ? GRUB_MAYBE
						      : outer;
		r = run_nested(s, outer == GRUB_SKIP ? outer : mode);
		taken = taken || truth == IS_TRUE;
		maybe = maybe || truth == IS_UNKNOWN;
	} while (r == END_ELIF);
	if (r == END_ELSE) {
		mode = taken ? GRUB_SKIP : maybe ? GRUB_MAYBE : outer;
		r = run_nested(s, outer == GRUB_SKIP ? outer : mode);
	}
	return r < 0 ? r : r == END_FI ? 0 : -EBADMSG;
}

/* while, until, for: how often they are run, and with what, is unknown. */
static int run_loop(struct grub_script *s)
{
	enum truth truth;
	int r = read_condition(s, "do", &truth);

	if (r == 0)
		r = run_nested(s, s->mode == GRUB_SKIP ? GRUB_SKIP : GRUB_MAYBE);
	return r < 0 ? r : r == END_DONE ? 0 : -EBADMSG;
}

/* Passes over a block whose brace has been read. */
static int skip_block(struct grub_script *s)
{
	unsigned depth = 1;
	int r;

	while (depth && (r = grub_script_read_command(s)) > 0) {
		if (s->n_words && grub_word_is(s->word, "}"))
			depth--;
		depth += s->opens;
	}
	return depth ? (r < 0 ? r : -EBADMSG) : 0;
}

static int add_function(struct grub_script *s)
{
	if (s->n_words < 2 || !s->opens)
		return -EBADMSG;
	if (s->mode == GRUB_SKIP)
		return skip_block(s);
	if (s->n_functions == FUNCTIONS_MAX)
		return -E2BIG;
	s->function[s->n_functions++] = (struct grub_function){
		.name = s->word[1].text,
		.at = s->at,
		.line = s->line,
	};
	return skip_block(s);
}

/* menuentry, submenu: the title is the first word that is no option. */
static int add_item(struct grub_script *s)
{
	static const char *const with_value[] = { "--class",  "--users", "--hotkey",
						  "--source", "--id",	 NULL };
	struct grub_item item = {
		.at = s->at,
		.line = s->line,
		.submenu = kc_streq(s->word[0].text, "submenu"),
		.maybe = s->mode == GRUB_MAYBE,
	};

	for (size_t i = 1; i < s->n_words; i++) {
		const char *text = s->word[i].text, *id = kc_after_prefix(text, "--id=");

		if (id)
			item.id = id;
		else if (kc_strv_has(with_value, text) && i + 1 < s->n_words)
			item.id = kc_streq(text, "--id") ? s->word[++i].text : (i++, item.id);
		else if (!item.title && !kc_after_prefix(text, "--"))
			item.title = text;
	}
	if (s->mode == GRUB_SKIP)
		return s->opens ? skip_block(s) : 0;
	if (!item.title || !s->opens)
		return -EBADMSG;
	if (s->n_items == ITEMS_MAX)
		return -E2BIG;
	s->item[s->n_items++] = item;
	return skip_block(s);
}

/* ---- commands ---- */

/* As grub_create_loader_cmdline() joins the arguments of a kernel. */
static int join_options(struct grub_script *s, const char **ret_options)
{
	kc_cleanup(kc_buf_done) struct kc_buf options = { 0 };

	for (size_t i = 2; i < s->n_words; i++) {
		const struct grub_word *word = &s->word[i];

		if (i > 2)
			kc_buf_addc(&options, ' ');
		if (word->one)
			kc_buf_addc(&options, '"');
		for (const char *c = word->text; *c; c++) {
			if (*c == '\\' || *c == '\'' || *c == '"')
				kc_buf_addc(&options, '\\');
			kc_buf_addc(&options, *c);
		}
		if (word->one)
			kc_buf_addc(&options, '"');
	}
	if (kc_buf_error(&options) < 0)
		return -ENOMEM;
	*ret_options = kc_arena_memdup(s->arena, options.data ? options.data : "", options.len);
	return *ret_options ? 0 : -ENOMEM;
}

static int load_kernel(struct grub_script *s, unsigned line)
{
	struct grub_kernel kernel = {
		.unexpanded = s->unexpanded,
		.line = line,
		.maybe = s->mode == GRUB_MAYBE,
	};
	int r;

	if (s->n_words < 2)
		return 0;
	kernel.path = s->word[1].text;
	r = join_options(s, &kernel.options);
	if (r == 0)
		s->kernel = kernel;
	return r;
}

static int call_function(struct grub_script *s, const struct grub_function *function)
{
	const char *const *outer = s->argument;
	size_t at = s->at, n = s->n_words - 1;
	unsigned line = s->line;
	const char **argument = kc_arena_zalloc(s->arena, n + 1, sizeof(*argument));
	int r;

	if (!argument)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		argument[i] = s->word[i + 1].text;
	s->argument = argument;
	s->at = function->at;
	s->line = function->line;
	r = run_nested(s, s->mode);
	s->argument = outer;
	s->at = at;
	s->line = line;
	return r < 0 ? r : r == END_BRACE ? 0 : -EBADMSG;
}

static int add_entries(struct grub_script *s)
{
	for (size_t i = 0; i < s->n_items; i++)
		if (s->item[i].entries)
			return 0;
	if (s->n_items == ITEMS_MAX)
		return -E2BIG;
	s->item[s->n_items++] =
		(struct grub_item){ .entries = true, .maybe = s->mode == GRUB_MAYBE };
	return 0;
}

/* A command that is neither a block nor part of one. */
static int run_command(struct grub_script *s, unsigned line)
{
	static const char *const kernels[] = { "linux", "linux16", "linuxefi", NULL };
	const char *name = s->word[0].text;
	const char *equals = strchr(name, '=');

	if (s->mode == GRUB_SKIP)
		return s->opens ? skip_block(s) : 0;
	for (size_t i = s->n_functions; i--;)
		if (kc_streq(s->function[i].name, name))
			return call_function(s, &s->function[i]);
	if (kc_streq(name, "set") && s->n_words > 1)
		return assign(s, &s->word[1], line);
	if (equals)
		return assign(s, &s->word[0], line);
	if (kc_streq(name, "unset") && s->n_words > 1)
		return set_variable(s, &(struct grub_variable){
					       .name = s->word[1].text,
					       .value = "",
					       .unknown = s->mode == GRUB_MAYBE,
				       });
	if (kc_strv_has(kernels, name))
		return load_kernel(s, line);
	if (kc_streq(name, "blscfg") || kc_streq(name, "bls_import"))
		return add_entries(s);
	return forget_set(s);
}

/* 0, an end, or a negative errno. */
static int run_one(struct grub_script *s, unsigned line)
{
	const struct grub_word *word = s->word;
	int r;

	if (!s->n_words) {
		r = s->opens ? run_nested(s, s->mode) : 0;
		return r == END_BRACE ? 0 : r <= 0 ? r : -EBADMSG;
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(ends); i++)
		if (grub_word_is(word, ends[i].word))
			return (int)ends[i].end;
	if (grub_word_is(word, "if"))
		return run_if(s);
	if (grub_word_is(word, "while") || grub_word_is(word, "until") || grub_word_is(word, "for"))
		return run_loop(s);
	if (grub_word_is(word, "function"))
		return add_function(s);
	if (grub_word_is(word, "menuentry") || grub_word_is(word, "submenu"))
		return add_item(s);
	return run_command(s, line);
}

/* Runs commands up to one that ends a block, or the text; returns which. */
static int run_list(struct grub_script *s)
{
	for (;;) {
		unsigned line = s->line;
		int r = grub_script_read_command(s);

		if (r == 0)
			return END_TEXT;
		if (r > 0)
			r = run_one(s, line);
		if (r)
			return r;
	}
}

int grub_script_run(struct grub_script *s)
{
	int r = run_nested(s, GRUB_RUN);

	if (r < 0)
		return r;
	return r == END_TEXT || r == END_BRACE ? 0 : -EBADMSG;
}

int grub_script_open(struct grub_script *script, const char *text, size_t size,
		     const struct kc_grub_environment *environment, struct kc_arena *arena)
{
	struct grub_script s = {
		.arena = arena,
		.text = text,
		.size = size,
		.line = 1,
		.mode = GRUB_RUN,
		.have_environment = environment != NULL,
	};
	int r = 0;

	if (size > TEXT_MAX)
		return -EFBIG;
	if (memchr(text, '\0', size))
		return -EBADMSG;
	s.word = kc_arena_zalloc(arena, GRUB_WORDS_MAX, sizeof(*s.word));
	s.variable = kc_arena_zalloc(arena, VARIABLES_MAX, sizeof(*s.variable));
	s.function = kc_arena_zalloc(arena, FUNCTIONS_MAX, sizeof(*s.function));
	s.item = kc_arena_zalloc(arena, ITEMS_MAX, sizeof(*s.item));
	if (!s.word || !s.variable || !s.function || !s.item)
		return -ENOMEM;
	for (size_t i = 0; !r && environment && i < environment->n; i++)
		r = set_variable(&s, &(struct grub_variable){
					     .name = environment->item[i].name,
					     .value = environment->item[i].value,
					     .in_environment = true,
					     .line = environment->item[i].line,
				     });
	if (r == 0)
		*script = s;
	return r;
}

void grub_script_done(struct grub_script *script)
{
	kc_buf_done(&script->scratch);
}
