/* SPDX-License-Identifier: Apache-2.0 */
#include "dpkg.h"

enum {
	VERSION_MAX = 256
};

struct stanza {
	const char *begin, *end;
};

/* The value of a field in a stanza, without the spaces around it; -ENOENT when it is not there. */
static int find_field(const struct stanza *s, const char *field, const char **ret_value,
		      size_t *ret_n)
{
	size_t n = strlen(field);

	for (const char *line = s->begin; line < s->end;) {
		const char *end = memchr(line, '\n', (size_t)(s->end - line));
		const char *p = line + n;

		if (!end)
			end = s->end;
		if ((size_t)(end - line) > n && memcmp(line, field, n) == 0 && *p == ':') {
			for (p++; p < end && kc_isspace(*p); p++)
				;
			while (end > p && kc_isspace(end[-1]))
				end--;
			*ret_value = p;
			*ret_n = (size_t)(end - p);
			return 0;
		}
		line = end + 1;
	}
	return -ENOENT;
}

/* The stanza around a place: from one empty line, or an end of the text, to the next. */
static struct stanza stanza_around(const char *text, size_t size, const char *at)
{
	struct stanza s = { .begin = at, .end = text + size };
	const char *next = memmem(at, (size_t)(text + size - at), "\n\n", 2);

	while (s.begin > text &&
	       !(s.begin[-1] == '\n' && (s.begin - 1 == text || s.begin[-2] == '\n')))
		s.begin--;
	if (next)
		s.end = next + 1;
	return s;
}

static bool is_installed(const struct stanza *s)
{
	/* Of dpkg(1): all of them configured; never "half-installed" or "not-installed". */
	static const char *const words[] = { "installed", "triggers-pending", "triggers-awaited",
					     NULL };
	const char *value;
	size_t n;

	if (find_field(s, "Status", &value, &n) < 0)
		return true;
	KC_FOREACH_STR (word, words) {
		size_t length = strlen(word);

		if (n > length && kc_isspace(value[n - length - 1]) &&
		    memcmp(value + n - length, word, length) == 0)
			return true;
	}
	return false;
}

static int read_version(const struct stanza *s, struct kc_arena *arena, const char **ret_version)
{
	const char *value;
	char *copy;
	size_t n;

	if (find_field(s, "Version", &value, &n) < 0 || n == 0 || n > VERSION_MAX)
		return -EBADMSG;
	copy = kc_arena_memdup(arena, value, n);
	if (!copy)
		return -ENOMEM;
	if (strspn(copy, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-:~") !=
	    n)
		return -EBADMSG;
	*ret_version = copy;
	return 0;
}

/* In blocks whose count fits a byte, of which the compiler adds up 16 and more at once. */
static unsigned count_lines(const char *text, size_t size)
{
	unsigned n = 0;

	while (size > 0) {
		const size_t block = KC_MIN(size, (size_t)240);
		uint8_t lines = 0;

		for (size_t i = 0; i < block; i++)
			lines = (uint8_t)(lines + (text[i] == '\n'));
		n += lines;
		text += block;
		size -= block;
	}
	return n;
}

static bool is_held(const struct stanza *s)
{
	static const char word[] = "hold";
	const char *value;
	size_t n;

	return find_field(s, "Status", &value, &n) == 0 && n > sizeof(word) - 1 &&
	       memcmp(value, word, sizeof(word) - 1) == 0 && kc_isspace(value[sizeof(word) - 1]);
}

/* Which of the names, not found yet, a "Package:" field has; n for none. */
static size_t index_of(const struct kc_dpkg_scan *scan, const char *value, const char *end)
{
	for (size_t i = 0; i < scan->n && value < end; i++) {
		const char *name = scan->names[i];
		size_t length;

		if (*name != *value || scan->packages[i].version)
			continue;
		length = strlen(name);
		if ((size_t)(end - value) >= length && memcmp(value, name, length) == 0 &&
		    (value + length == end || kc_isspace(value[length])))
			return i;
	}
	return scan->n;
}

/*
 * The value of the next "Package:" field; NULL when there is none. By its first letter, of which
 * there are few: that passes over the rest several times as fast as a search for the word.
 */
static const char *next_package(const char *text, const char *at, const char *end)
{
	static const char field[] = "Package: ";
	const size_t length = sizeof(field) - 1;

	while ((at = memchr(at, *field, (size_t)(end - at)))) {
		if ((at == text || at[-1] == '\n') && (size_t)(end - at) >= length &&
		    memcmp(at, field, length) == 0)
			return at + length;
		at++;
	}
	return NULL;
}

/* dpkg refuses such a file: stanzas run together where the lines between them are not empty. */
static bool has_two_packages(const struct stanza *s)
{
	const char *first = next_package(s->begin, s->begin, s->end);

	return first && next_package(s->begin, first, s->end);
}

/* How many of the bytes are whole stanzas; all of them at the end of the text. */
static size_t whole_stanzas(const char *part, size_t size, bool at_end)
{
	if (at_end)
		return size;
	for (size_t i = size; i >= 2; i--) {
		if (part[i - 1] == '\n' && part[i - 2] == '\n')
			return i;
	}
	return 0;
}

int kc_dpkg_scan(struct kc_dpkg_scan *scan, const char *part, size_t size, bool at_end,
		 size_t *ret_used)
{
	const size_t used = whole_stanzas(part, size, at_end);
	const char *end = part + used;
	int left = 0;

	for (const char *at = part; (at = next_package(part, at, end));) {
		struct kc_dpkg_package package;
		struct stanza s;
		size_t i = index_of(scan, at, end);
		int r;

		if (i == scan->n)
			continue;
		s = stanza_around(part, used, at);
		if (has_two_packages(&s))
			return -EBADMSG;
		if (!is_installed(&s))
			continue;
		r = read_version(&s, scan->arena, &package.version);
		if (r < 0)
			return r;
		package.line = scan->line + 1 + count_lines(part, (size_t)(at - part));
		package.held = is_held(&s);
		scan->packages[i] = package;
	}
	for (size_t i = 0; i < scan->n; i++)
		left += !scan->packages[i].version;
	scan->line += count_lines(part, used);
	*ret_used = used;
	return left;
}

int kc_dpkg_find(const char *text, size_t size, const char *name, struct kc_arena *arena,
		 struct kc_dpkg_package *ret_package)
{
	struct kc_dpkg_package package = { 0 };
	struct kc_dpkg_scan scan = {
		.names = &name,
		.n = 1,
		.arena = arena,
		.packages = &package,
	};
	size_t used;
	int r = kc_dpkg_scan(&scan, text, size, true, &used);

	if (r == 0)
		*ret_package = package;
	return r < 0 ? r : r == 0;
}

const char *kc_dpkg_upstream(const char *version, struct kc_arena *arena)
{
	const char *colon = strchr(version, ':');
	size_t n;

	if (colon)
		version = colon + 1;
	n = strspn(version, "0123456789.");
	while (n > 0 && version[n - 1] == '.')
		n--;
	return kc_arena_memdup(arena, version, n);
}
