/* SPDX-License-Identifier: Apache-2.0 */
#include "module-lines.h"

#include <fnmatch.h>

enum {
	LINES_MAX = 65536,
	PATTERN_MAX = 512,
	STARS_MAX = 4, /* fnmatch() tries all ways in which they may match */
};

static int add(struct kc_module_lines *lines, struct kc_arena *arena,
	       const struct kc_module_line *line)
{
	struct kc_module_line *items;

	if (lines->n == LINES_MAX)
		return -E2BIG;
	items = kc_arena_grow(arena, lines->item, lines->n, &lines->room, sizeof(*items));
	if (!items)
		return -ENOMEM;
	lines->item = items;
	lines->item[lines->n++] = *line;
	return 0;
}

/* As libkmod's underscores(): what stands in brackets is a set of characters. */
static const char *normalize(char *name)
{
	bool bracket = false;

	for (char *p = name; *p; p++) {
		if (*p == '[')
			bracket = true;
		else if (*p == ']')
			bracket = false;
		else if (*p == '-' && !bracket)
			*p = '_';
	}
	return name;
}

int kc_modules_load_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
			  struct kc_module_lines *lines)
{
	char *at = kc_arena_memdup(arena, text, size);

	if (!at)
		return -ENOMEM;
	if (memchr(text, 0, size))
		return -EBADMSG;
	for (unsigned number = 1; at; number++) {
		struct kc_module_line line = {
			.verb = KC_MODULE_LOAD,
			.rest = "",
			.place = { .file = file, .line = number },
		};
		char *end = strchr(at, '\n'), *name;
		int r;

		if (end)
			*end = 0;
		name = kc_strstrip(at);
		at = end ? end + 1 : NULL;
		if (!*name || *name == '#' || *name == ';')
			continue;
		line.name = normalize(name);
		r = add(lines, arena, &line);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * The next line of modprobe.d, in place; *at moves behind it, *number by the lines it takes. A
 * backslash joins two lines, and is dropped before any other character.
 */
static char *next_line(char **at, unsigned *number)
{
	char *start = *at, *out = start, *p = start;

	if (!start)
		return NULL;
	for (; *p && *p != '\n'; p++) {
		if (*p == '\\' && p[1]) {
			p++;
			if (*p == '\n') {
				++*number;
				continue;
			}
		}
		*out++ = *p;
	}
	++*number;
	*at = *p ? p + 1 : NULL;
	*out = 0;
	return start;
}

/* The next word, ended in place; NULL at the end. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t"), *end = word + strcspn(word, " \t");

	if (end == word)
		return NULL;
	*at = *end ? end + 1 : end;
	*end = 0;
	return word;
}

static const struct {
	const char *word;
	uint32_t verb;
} verbs[] = {
	{ "alias", KC_MODULE_ALIAS },
	{ "blacklist", KC_MODULE_BLACKLIST },
	{ "install", KC_MODULE_INSTALL },
	{ "softdep", KC_MODULE_SOFTDEP },
};

/* False for a line that says nothing here. */
static bool parse_line(char *text, struct kc_module_line *line)
{
	char *verb, *name, *rest;

	if (*text == '#')
		return false;
	verb = next_word(&text);
	for (size_t i = 0; verb && i < KC_ARRAY_SIZE(verbs); i++) {
		if (kc_streq(verb, verbs[i].word))
			line->verb = verbs[i].verb;
	}
	if (!line->verb)
		return false;
	name = next_word(&text);
	if (!name)
		return false;
	line->name = normalize(name);
	line->rest = "";
	if (line->verb == KC_MODULE_BLACKLIST)
		return true;
	rest = line->verb == KC_MODULE_ALIAS ? next_word(&text) : text;
	if (!rest || !*rest)
		return false;
	line->rest = line->verb == KC_MODULE_ALIAS ? normalize(rest) : kc_strstrip(rest);
	return true;
}

int kc_modprobe_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		      struct kc_module_lines *lines)
{
	char *at = kc_arena_memdup(arena, text, size), *start;
	unsigned number = 1, next = 1;

	if (!at)
		return -ENOMEM;
	if (memchr(text, 0, size))
		return -EBADMSG;
	for (; (start = next_line(&at, &next)); number = next) {
		struct kc_module_line line = { .place = { .file = file, .line = number } };
		int r = parse_line(start, &line) ? add(lines, arena, &line) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

bool kc_module_is(const char *word, size_t n, const char *module)
{
	if (strlen(module) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((word[i] == '-' ? '_' : word[i]) != (module[i] == '-' ? '_' : module[i]))
			return false;
	}
	return true;
}

int kc_module_matches(const char *pattern, const char *name)
{
	size_t plain = strcspn(pattern, "*?[\\"), stars = 0;

	if (strncmp(pattern, name, plain) != 0)
		return 0;
	if (!pattern[plain])
		return !name[plain];
	for (const char *p = pattern; *p; p++)
		stars += *p == '*';
	if (stars > STARS_MAX || strlen(pattern) > PATTERN_MAX)
		return -E2BIG;
	return fnmatch(pattern, name, 0) == 0;
}

enum kc_module_install kc_module_install_effect(const char *command)
{
	static const char *const nothing[] = { "true", "false", ":", "exit" };
	size_t n = strcspn(command, " \t;&|"), from = n;

	while (from > 0 && command[from - 1] != '/')
		from--;
	for (size_t i = 0; i < KC_ARRAY_SIZE(nothing); i++) {
		if (n - from == strlen(nothing[i]) && !memcmp(command + from, nothing[i], n - from))
			return KC_MODULE_INSTALL_NOTHING;
	}
	if (strstr(command, "modprobe") || strstr(command, "insmod"))
		return KC_MODULE_INSTALL_LOADS;
	return KC_MODULE_INSTALL_UNKNOWN;
}
