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

static unsigned count_lines(const char *from, const char *to)
{
	unsigned n = 1;

	while ((from = memchr(from, '\n', (size_t)(to - from)))) {
		from++;
		n++;
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
static size_t index_of(const char *value, const char *end, const char *const *names, size_t n,
		       const struct kc_dpkg_package *packages)
{
	for (size_t i = 0; i < n; i++) {
		size_t length = strlen(names[i]);

		if (!packages[i].version && (size_t)(end - value) >= length &&
		    memcmp(value, names[i], length) == 0 &&
		    (value + length == end || kc_isspace(value[length])))
			return i;
	}
	return n;
}

int kc_dpkg_find_each(const char *text, size_t size, const char *const *names, size_t n,
		      struct kc_arena *arena, struct kc_dpkg_package *packages)
{
	static const char field[] = "Package: ";
	const size_t length = sizeof(field) - 1;
	const char *end = text + size;
	int found = 0;

	for (const char *at = text; (at = memmem(at, (size_t)(end - at), field, length));
	     at += length) {
		struct kc_dpkg_package package;
		struct stanza s;
		size_t i;
		int r;

		if (at > text && at[-1] != '\n')
			continue;
		i = index_of(at + length, end, names, n, packages);
		if (i == n)
			continue;
		s = stanza_around(text, size, at);
		if (!is_installed(&s))
			continue;
		r = read_version(&s, arena, &package.version);
		if (r < 0)
			return r;
		package.line = count_lines(text, at);
		package.held = is_held(&s);
		packages[i] = package;
		found++;
	}
	return found;
}

int kc_dpkg_find(const char *text, size_t size, const char *name, struct kc_arena *arena,
		 struct kc_dpkg_package *ret_package)
{
	struct kc_dpkg_package package = { 0 };
	int r = kc_dpkg_find_each(text, size, &name, 1, arena, &package);

	if (r > 0)
		*ret_package = package;
	return r;
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
