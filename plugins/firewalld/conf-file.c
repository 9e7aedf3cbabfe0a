/* SPDX-License-Identifier: Apache-2.0 */
#include "conf-file.h"

/* Bytes of one white space character at s, as Python's str.strip() has it; 0 when there is none. */
static size_t space_at(const char *s, size_t n)
{
	static const char *const wide[] = { "\xc2\x85",	    "\xc2\xa0",	    "\xe1\x9a\x80",
					    "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
					    "\xe2\x81\x9f", "\xe3\x80\x80", NULL };

	if (n == 0)
		return 0;
	if (kc_isspace(s[0]) || (s[0] >= 0x1c && s[0] <= 0x1f))
		return 1;
	KC_FOREACH_STR (w, wide) {
		size_t len = strlen(w);

		if (n >= len && memcmp(s, w, len) == 0)
			return len;
	}
	/* U+2000 to U+200A */
	if (n >= 3 && memcmp(s, "\xe2\x80", 2) == 0 && (unsigned char)s[2] >= 0x80 &&
	    (unsigned char)s[2] <= 0x8a)
		return 3;
	return 0;
}

/* Cuts white space at both ends of *s, *n. */
static void strip(const char **s, size_t *n)
{
	size_t cut;

	while ((cut = space_at(*s, *n)) > 0) {
		*s += cut;
		*n -= cut;
	}
	for (;;) {
		cut = 0;
		for (size_t len = 1; len <= 3 && len <= *n && !cut; len++)
			if (space_at(*s + *n - len, len) == len)
				cut = len;
		if (!cut)
			return;
		*n -= cut;
	}
}

static bool is_utf8(const char *s, size_t n)
{
	uint32_t code_point;

	while (n > 0) {
		size_t len = (unsigned char)*s < 0x80 ? 1 : kc_utf8_sequence(s, n, &code_point);

		if (!len)
			return false;
		s += len;
		n -= len;
	}
	return true;
}

static bool is_key(const char *s, size_t n, const char *key)
{
	return n == strlen(key) && memcmp(s, key, n) == 0;
}

static int set(struct firewalld_setting *setting, const char *value, size_t n, unsigned line,
	       struct kc_arena *arena)
{
	setting->value = kc_arena_memdup(arena, value, n);
	setting->line = line;
	return setting->value ? 0 : -ENOMEM;
}

/* A line of DefaultZone that firewalld leaves out; the first is remembered. */
static int ignore(struct firewalld_conf *conf, const char *text, size_t n, unsigned line,
		  const char *why, struct kc_arena *arena)
{
	if (conf->ignored_why)
		return 0;
	conf->ignored_why = why;
	return set(&conf->ignored, text, n, line, arena);
}

static int parse_line(const char *s, size_t n, unsigned line, struct kc_arena *arena,
		      struct firewalld_conf *conf)
{
	const char *equals, *value;
	size_t key_len, value_len;
	bool zone;

	strip(&s, &n);
	if (n == 0 || *s == '#' || *s == ';')
		return 0;
	equals = memchr(s, '=', n);
	if (!equals)
		return 0;
	key_len = (size_t)(equals - s);
	value = equals + 1;
	value_len = n - key_len - 1;
	strip(&s, &key_len);
	strip(&value, &value_len);
	zone = is_key(s, key_len, "DefaultZone");
	if (!zone && !is_key(s, key_len, "CleanupOnExit"))
		return 0;
	if (memchr(value, '=', value_len))
		return zone ? ignore(conf, value, value_len, line, "it has a second \"=\"", arena)
			    : 0;
	if (value_len == 0)
		return zone ? ignore(conf, "", 0, line, "it gives no value", arena) : 0;
	if (!zone)
		return conf->cleanup_on_exit.value
			       ? 0
			       : set(&conf->cleanup_on_exit, value, value_len, line, arena);
	if (conf->default_zone.value)
		return ignore(conf, value, value_len, line, "the first line of a key counts",
			      arena);
	return set(&conf->default_zone, value, value_len, line, arena);
}

int firewalld_conf_parse(const char *text, size_t size, struct kc_arena *arena,
			 struct firewalld_conf *ret_conf)
{
	struct firewalld_conf conf = { 0 };
	const char *end = text + size;
	unsigned line = 0;

	if (size > FIREWALLD_CONF_MAX)
		return -EFBIG;
	if (memchr(text, 0, size))
		return -EBADMSG;
	while (text < end) {
		const char *stop = text;
		int r;

		/* Python's universal newlines: \n, \r\n, and a lone \r. */
		while (stop < end && *stop != '\n' && *stop != '\r')
			stop++;
		line++;
		if (!conf.undecodable && !is_utf8(text, (size_t)(stop - text)))
			conf.undecodable = line;
		r = parse_line(text, (size_t)(stop - text), line, arena, &conf);
		if (r)
			return r;
		if (stop < end && *stop == '\r' && stop + 1 < end && stop[1] == '\n')
			stop++;
		text = stop < end ? stop + 1 : end;
	}
	*ret_conf = conf;
	return 0;
}
