/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest-brief.h"

/*
 * What people read of a manifest is most of its text, and a run that judges needs none of it: `doc`
 * everywhere, and of a check what its results mean, what it reads, what a repair may touch, and
 * where to read on. Leaving that out before YAML is read takes two thirds of the time that
 * manifests take. Lines are told apart by their indentation, whatever its steps are; what looks
 * like no plain mapping is kept, so that the worst that can happen is that nothing is saved.
 */

enum {
	LEVELS = 5 /* checks, ID, parameters, NAME, doc */
};

/* The keys that lead to a line, by the indentation of each. */
struct place {
	size_t indent[LEVELS];
	struct kc_span {
		const char *s;
		size_t n;
	} key[LEVELS];
	size_t depth;
};

static bool is_key(const struct kc_span *key, const char *name)
{
	return key->n == strlen(name) && !memcmp(key->s, name, key->n);
}

/* The plain key that a line begins with; 0 when it begins with none. */
static size_t key_length(const char *s, size_t n)
{
	size_t k = 0;

	while (k < n && ((s[k] >= 'a' && s[k] <= 'z') || (s[k] >= '0' && s[k] <= '9') ||
			 s[k] == '-' || s[k] == '.'))
		k++;
	return k > 0 && s[0] != '-' && k < n && s[k] == ':' && (k + 1 == n || s[k + 1] == ' ') ? k
											       : 0;
}

/* Enters a key into the place. False when it lies deeper than a manifest goes. */
static bool enter(struct place *p, size_t indent, const char *s, size_t n)
{
	while (p->depth > 0 && p->indent[p->depth - 1] >= indent)
		p->depth--;
	if (p->depth == LEVELS)
		return false;
	p->indent[p->depth] = indent;
	p->key[p->depth++] = (struct kc_span){ s, n };
	return true;
}

static bool is_prose(const struct place *p)
{
	static const char *const of_check[] = { "doc",	   "results",	 "reads",
						"touches", "references", NULL };

	if (p->depth == 1)
		return is_key(&p->key[0], "doc");
	if (!is_key(&p->key[0], "checks"))
		return false;
	if (p->depth == 5)
		return is_key(&p->key[2], "parameters") && is_key(&p->key[4], "doc");
	KC_FOREACH_STR (name, of_check) {
		if (p->depth == 3 && is_key(&p->key[2], name))
			return true;
	}
	return false;
}

/* Whether the value behind a key is text whose lines are no keys: | or >. */
static bool begins_block(const char *value, size_t n)
{
	while (n > 0 && *value == ' ') {
		value++;
		n--;
	}
	return n > 0 && (*value == '|' || *value == '>');
}

void kc_manifest_brief(const char *text, size_t size, struct kc_buf *out)
{
	struct place place = { .depth = 0 };
	size_t below = 0; /* the indentation whose deeper lines are a value */
	bool in_value = false, dropped = false;

	for (size_t at = 0, n; at < size; at += n) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t length, indent = 0, key;

		n = end ? (size_t)(end - text) - at + 1 : size - at;
		length = end ? n - 1 : n;
		while (indent < length && text[at + indent] == ' ')
			indent++;
		if (in_value && (indent == length || indent > below)) {
			if (!dropped)
				kc_buf_add(out, text + at, n);
			continue;
		}
		in_value = dropped = false;
		key = key_length(text + at + indent, length - indent);
		if (key > 0 && enter(&place, indent, text + at + indent, key)) {
			below = indent;
			dropped = is_prose(&place);
			in_value = dropped || begins_block(text + at + indent + key + 1,
							   length - indent - key - 1);
		}
		if (!dropped)
			kc_buf_add(out, text + at, n);
		else if (is_key(&place.key[place.depth - 1], "doc"))
			kc_buf_addf(out, "%*sdoc: left out\n", (int)indent, "");
	}
}
