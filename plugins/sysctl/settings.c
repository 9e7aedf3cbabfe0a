/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

enum {
	PATTERNS_MAX = 1024,
	CHAIN_MAX = 64, /* how far back the losers of a key are looked for */
};

/* A key, or a pattern as it is written, and the last line of it for each reader (plus 1; 0: none).
 */
struct sysctl_entry {
	const char *key;
	uint32_t hash;
	uint32_t next; /* in its bucket, plus 1 */
	uint32_t last[SYSCTL_READERS];
	uint32_t assigned; /* the last line that gives a value, for procps */
	uint32_t ignored; /* the last line of it that is no assignment, plus 1 */
};

struct sysctl_pattern {
	uint32_t entry;
	const char *const *alternatives;
};

static struct sysctl_entry *find(const struct sysctl_settings *s, const char *key, uint32_t hash)
{
	uint32_t i;

	if (s->n_buckets == 0)
		return NULL;
	for (i = s->bucket[hash & (s->n_buckets - 1)]; i > 0; i = s->entry[i - 1].next) {
		struct sysctl_entry *e = s->entry + i - 1;

		if (e->hash == hash && kc_streq(e->key, key))
			return e;
	}
	return NULL;
}

static struct sysctl_entry *find_or_add(struct sysctl_settings *s, const char *key)
{
	uint32_t hash = kc_hash(key, strlen(key));
	struct sysctl_entry *e = find(s, key, hash);
	uint32_t *bucket = s->bucket + (hash & (s->n_buckets - 1));

	if (e)
		return e;
	e = s->entry + s->n_entries++;
	*e = (struct sysctl_entry){ .key = key, .hash = hash, .next = *bucket };
	*bucket = (uint32_t)s->n_entries;
	return e;
}

static int add_pattern(struct sysctl_settings *s, struct kc_arena *arena,
		       const struct sysctl_entry *e)
{
	struct sysctl_pattern *p;
	int r;

	if (s->n_patterns == PATTERNS_MAX)
		return -E2BIG;
	p = kc_arena_grow(arena, s->pattern, s->n_patterns, &s->pattern_room, sizeof(*p));
	if (!p)
		return -ENOMEM;
	s->pattern = p;
	p += s->n_patterns;
	p->entry = (uint32_t)(e - s->entry);
	r = sysctl_pattern_expand(e->key, arena, &p->alternatives);
	if (r < 0)
		return r;
	s->n_patterns++;
	return 0;
}

static int add_line(struct sysctl_settings *s, struct kc_arena *arena, uint32_t i)
{
	const struct sysctl_line *line = s->lines.item + i;
	struct sysctl_entry *e = find_or_add(s, line->key);
	uint32_t before = e->last[SYSCTL_PROCPS];

	if (line->ignored) {
		if (i < s->n_systemd)
			e->ignored = i + 1;
		return 0;
	}
	s->beaten[i] = before;
	s->place[i] = i;
	/* An equal assignment leaves the earlier one in its place, as systemd's ordered table does.
	 */
	if (before > 0 && kc_streq0(s->lines.item[before - 1].value, line->value))
		s->place[i] = s->place[before - 1];
	e->last[SYSCTL_PROCPS] = i + 1;
	if (line->value)
		e->assigned = i + 1;
	if (i < s->n_systemd)
		e->last[SYSCTL_SYSTEMD] = i + 1;
	return line->glob && before == 0 ? add_pattern(s, arena, e) : 0;
}

int sysctl_settings_index(struct sysctl_settings *settings, struct kc_arena *arena)
{
	struct sysctl_settings *s = settings;

	for (s->n_buckets = 64; s->n_buckets < s->lines.n;)
		s->n_buckets *= 2;
	s->bucket = kc_arena_zalloc(arena, s->n_buckets, sizeof(*s->bucket));
	s->entry = kc_arena_zalloc(arena, s->lines.n + 1, sizeof(*s->entry));
	s->beaten = kc_arena_zalloc(arena, s->lines.n + 1, sizeof(*s->beaten));
	s->place = kc_arena_zalloc(arena, s->lines.n + 1, sizeof(*s->place));
	if (!s->bucket || !s->entry || !s->beaten || !s->place)
		return -ENOMEM;
	for (size_t i = 0; i < s->lines.n; i++) {
		int r = add_line(s, arena, (uint32_t)i);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool matches(const struct sysctl_settings *s, const struct sysctl_pattern *p,
		    enum sysctl_reader reader, const char *key)
{
	/* procps calls glob(3) without GLOB_BRACE. */
	if (reader == SYSCTL_PROCPS)
		return sysctl_pattern_matches(s->entry[p->entry].key, key);
	KC_FOREACH_STR (alternative, p->alternatives) {
		if (sysctl_pattern_matches(alternative, key))
			return true;
	}
	return false;
}

/* The line of an entry that counts. For procps "-key" does not take back what was assigned before.
 */
static uint32_t last_of(const struct sysctl_entry *e, enum sysctl_reader reader)
{
	return reader == SYSCTL_PROCPS && e->assigned ? e->assigned : e->last[reader];
}

static uint32_t place_of(const struct sysctl_settings *s, uint32_t last, enum sysctl_reader reader)
{
	return reader == SYSCTL_PROCPS ? last - 1 : s->place[last - 1];
}

void sysctl_settings_find(const struct sysctl_settings *settings, enum sysctl_reader reader,
			  const char *key, struct sysctl_winner *ret_winner)
{
	const struct sysctl_settings *s = settings;
	const struct sysctl_entry *e = find(s, key, kc_hash(key, strlen(key)));
	struct sysctl_winner w = { 0 };

	if (e && e->ignored)
		w.ignored = s->lines.item + e->ignored - 1;
	if (e && last_of(e, reader)) {
		const struct sysctl_line *line = s->lines.item + last_of(e, reader) - 1;

		if (line->value)
			w.line = line;
		else
			w.excluded = line;
		w.place = place_of(s, last_of(e, reader), reader);
		*ret_winner = w;
		return;
	}
	for (size_t i = 0; i < s->n_patterns; i++) {
		uint32_t last = last_of(s->entry + s->pattern[i].entry, reader);

		if (!last || !s->lines.item[last - 1].value ||
		    !matches(s, s->pattern + i, reader, key))
			continue;
		if (w.line && place_of(s, last, reader) < w.place)
			continue;
		w.line = s->lines.item + last - 1;
		w.place = place_of(s, last, reader);
	}
	*ret_winner = w;
}

/* The lines of one entry, from its last one back. */
static size_t list_chain(const struct sysctl_settings *s, const struct sysctl_entry *e,
			 const struct sysctl_line *winner, const struct sysctl_line **list,
			 size_t n, size_t max)
{
	uint32_t i = e->last[SYSCTL_SYSTEMD];

	for (unsigned steps = 0; i > 0 && steps < CHAIN_MAX && n < max; steps++) {
		const struct sysctl_line *line = s->lines.item + i - 1;

		if (line != winner && line->value)
			list[n++] = line;
		i = s->beaten[i - 1];
	}
	return n;
}

size_t sysctl_settings_beaten(const struct sysctl_settings *settings, const char *key,
			      const struct sysctl_line *winner, const struct sysctl_line **list,
			      size_t max)
{
	const struct sysctl_settings *s = settings;
	const struct sysctl_entry *e = find(s, key, kc_hash(key, strlen(key)));
	size_t n = 0;

	if (e)
		n = list_chain(s, e, winner, list, n, max);
	for (size_t i = 0; i < s->n_patterns && n < max; i++) {
		if (matches(s, s->pattern + i, SYSCTL_SYSTEMD, key))
			n = list_chain(s, s->entry + s->pattern[i].entry, winner, list, n, max);
	}
	return n;
}
