/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel-arguments.h"

enum {
	TEXT_MAX = 64 * 1024
};

/* The kernel's table of characters is Latin-1: a no-break space separates, too. */
static bool is_space(char c)
{
	return kc_isspace(c) || c == '\xa0';
}

/* The length of the argument at s, and where the "=" behind its name is (0: none). */
static size_t argument_length(const char *s, bool quoted, size_t *ret_equals)
{
	size_t i = 0, equals = 0;

	for (; s[i] && (quoted || !is_space(s[i])); i++) {
		if (s[i] == '=' && !equals)
			equals = i;
		if (s[i] == '"')
			quoted = !quoted;
	}
	*ret_equals = equals;
	return i;
}

/* Cuts the argument that begins at *text, in place, and moves behind it. */
static void cut_argument(char **text, struct kc_kernel_argument *argument)
{
	bool quoted = **text == '"';
	char *s = *text + quoted, *value = NULL;
	size_t n, equals;

	n = argument_length(s, quoted, &equals);
	*text = s + n + (s[n] ? 1 : 0);
	s[n] = '\0';
	if (equals) {
		s[equals] = '\0';
		value = s + equals + 1;
	}
	/* One quote at the end goes: that of the value, or that of the whole. */
	if (value && *value == '"') {
		value++;
		quoted = true;
	}
	if (quoted && n && s[n - 1] == '"')
		s[n - 1] = '\0';
	argument->name = s;
	argument->value = value;
}

int kc_kernel_arguments_parse(const char *text, size_t size, struct kc_arena *arena,
			      struct kc_kernel_argument **ret_arguments, size_t *ret_n)
{
	struct kc_kernel_argument *arguments = NULL;
	bool for_init = false;
	size_t n = 0, room = 0;
	char *s;

	if (size > TEXT_MAX)
		return -EFBIG;
	s = kc_arena_memdup(arena, text, size);
	if (!s)
		return -ENOMEM;
	for (;;) {
		arguments = kc_arena_grow(arena, arguments, n, &room, sizeof(*arguments));
		if (!arguments)
			return -ENOMEM;
		while (is_space(*s))
			s++;
		if (!*s)
			break;
		cut_argument(&s, &arguments[n]);
		arguments[n].for_init = for_init;
		if (!for_init && kc_streq(arguments[n].name, "--") && !arguments[n].value)
			for_init = true;
		else
			n++;
	}
	*ret_arguments = arguments;
	*ret_n = n;
	return 0;
}

bool kc_kernel_argument_is(const struct kc_kernel_argument *argument, const char *name)
{
	const char *a = argument->name;

	for (; *a && *name; a++, name++)
		if ((*a == '-' ? '_' : *a) != (*name == '-' ? '_' : *name))
			return false;
	return *a == *name;
}

const struct kc_kernel_argument *kc_kernel_argument_last(const struct kc_kernel_argument *arguments,
							 size_t n, const char *name)
{
	while (n--)
		if (!arguments[n].for_init && kc_kernel_argument_is(&arguments[n], name))
			return &arguments[n];
	return NULL;
}
