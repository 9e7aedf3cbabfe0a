/* SPDX-License-Identifier: Apache-2.0 */
#include "kubelet-arguments.h"
#include "environment-place.h"
#include "unit.h"

#define WHITE " \t\n\r"

/* What may stand in a value without quotes, in the file as in the words that systemd makes of it.
 */
static bool is_safe(const char *value)
{
	for (; *value; value++)
		if (!(*value >= 'a' && *value <= 'z') && !(*value >= 'A' && *value <= 'Z') &&
		    !(*value >= '0' && *value <= '9') && !strchr("-_@%+=:,./", *value))
			return false;
	return true;
}

/* A word of the variable: where it stands, and what it is without its quotes. */
struct word {
	size_t start, end;
	const char *text;
};

struct words {
	struct word *item;
	size_t n, room;
};

/* 1: a word; 0: the end; -ENOTSUP: a quote is left open. */
static int next_word(const char *text, size_t *at, size_t end, struct kc_arena *arena,
		     struct word *ret_word)
{
	kc_cleanup(kc_buf_done) struct kc_buf plain = { 0 };
	char quote = 0;

	while (*at < end && strchr(WHITE, text[*at]))
		(*at)++;
	if (*at == end)
		return 0;
	ret_word->start = *at;
	for (; *at < end && (quote || !strchr(WHITE, text[*at])); (*at)++) {
		char c = text[*at];

		if (quote ? c == quote : c == '\'' || c == '"')
			quote = quote ? 0 : c;
		else
			kc_buf_addc(&plain, c);
	}
	ret_word->end = *at;
	if (quote)
		return -ENOTSUP;
	if (kc_buf_error(&plain))
		return -ENOMEM;
	ret_word->text = kc_arena_memdup(arena, plain.data ? plain.data : "", plain.len);
	return ret_word->text ? 1 : -ENOMEM;
}

static int read_words(const char *text, const struct kc_environment_place *place,
		      struct kc_arena *arena, struct words *words)
{
	size_t at = place->start;
	struct word word;
	int r;

	while ((r = next_word(text, &at, place->start + place->size, arena, &word)) > 0) {
		struct word *items =
			kc_arena_grow(arena, words->item, words->n, &words->room, sizeof(*items));

		if (!items)
			return -ENOMEM;
		words->item = items;
		items[words->n++] = word;
	}
	return r;
}

/* The flag's name in a word --NAME or --NAME=VALUE; NULL for another word. */
static const char *flag_of(const struct word *word, struct kc_arena *arena)
{
	char *name;

	if (strncmp(word->text, "--", 2) != 0)
		return "";
	name = kc_arena_memdup(arena, word->text + 2, strcspn(word->text + 2, "="));
	if (name)
		kc_kubelet_flag_name(name);
	return name;
}

/* Where the last of a flag stands: words [*ret_first, *ret_end). 1: found; 0: not. */
static int find_flag(const struct words *words, const char *flag, struct kc_arena *arena,
		     size_t *ret_first, size_t *ret_end)
{
	int found = 0;

	for (size_t i = 0, next; i < words->n; i = next) {
		const char *text = words->item[i].text, *name = flag_of(&words->item[i], arena);

		if (!name)
			return -ENOMEM;
		/* No flag, or "--": what follows is none, and -v takes its value in ways of its
		 * own. */
		if (!*name)
			return -ENOTSUP;
		next = i + (strchr(text, '=') || kc_kubelet_flag_is_boolean(name) ? 1 : 2);
		/* Of a flag that no table knows, what could be the next one could be its value. */
		if (next > words->n || (next == i + 2 && !kc_kubelet_flag_takes_value(name) &&
					words->item[i + 1].text[0] == '-'))
			return -ENOTSUP;
		if (!kc_streq(name, flag))
			continue;
		*ret_first = i;
		*ret_end = next;
		found = 1;
	}
	return found;
}

/* Puts `text` in the place of [start, end) of the buffer. */
static int replace(struct kc_buf *buffer, size_t start, size_t end, const char *text)
{
	struct kc_buf changed = { 0 };

	kc_buf_add(&changed, buffer->data, start);
	kc_buf_adds(&changed, text);
	kc_buf_add(&changed, buffer->data + end, buffer->len - end);
	if (kc_buf_error(&changed)) {
		kc_buf_done(&changed);
		return -ENOMEM;
	}
	kc_buf_done(buffer);
	*buffer = changed;
	return 0;
}

/* Sets one flag in a file that has the variable. */
static int set_flag(struct kc_buf *text, const char *variable, const struct kc_pair *flag,
		    struct kc_arena *arena)
{
	const char *word = kc_arena_printf(arena, "--%s=%s", flag->key, flag->value);
	struct kc_environment_place place;
	struct words words = { 0 };
	size_t first, end;
	int r = kc_environment_find(text->data, text->len, variable, &place);

	if (r > 0)
		r = place.odd ? -ENOTSUP : read_words(text->data, &place, arena, &words);
	if (r < 0 || !word)
		return r < 0 ? r : -ENOMEM;
	r = find_flag(&words, flag->key, arena, &first, &end);
	if (r < 0)
		return r;
	if (r > 0)
		return replace(text, words.item[first].start, words.item[end - 1].end, word);
	if (place.size > 0)
		word = kc_arena_printf(arena, " %s", word);
	return word ? replace(text, place.start + place.size, place.start + place.size, word)
		    : -ENOMEM;
}

static int add_line(struct kc_buf *text, const char *variable, const struct kc_pair *flags,
		    size_t n)
{
	if (text->len > 0 && text->data[text->len - 1] != '\n')
		kc_buf_addc(text, '\n');
	kc_buf_addf(text, "%s=", variable);
	for (size_t i = 0; i < n; i++)
		kc_buf_addf(text, "%s--%s=%s", i ? " " : "", flags[i].key, flags[i].value);
	kc_buf_addc(text, '\n');
	return kc_buf_error(text);
}

int kc_kubelet_arguments_edit(const char *text, size_t size, const char *variable,
			      const struct kc_pair *flags, size_t n, struct kc_arena *arena,
			      struct kc_buf *out)
{
	kc_cleanup(kc_buf_done) struct kc_buf edited = { 0 };
	struct kc_environment_place place;
	int r = kc_environment_find(text, size, variable, &place);

	for (size_t i = 0; r >= 0 && i < n; i++)
		if (!*flags[i].key || !is_safe(flags[i].key) || !is_safe(flags[i].value))
			r = -ENOTSUP;
	if (r < 0)
		return r;
	kc_buf_add(&edited, text, size);
	if (kc_buf_error(&edited))
		return -ENOMEM;
	if (r == 0)
		r = add_line(&edited, variable, flags, n);
	else
		for (size_t i = 0; r >= 0 && i < n; i++)
			r = set_flag(&edited, variable, &flags[i], arena);
	if (r < 0)
		return r;
	kc_buf_add(out, edited.data ? edited.data : "", edited.len);
	return kc_buf_error(out);
}
