/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "policy-parts.h"

struct string {
	const char *at;
	size_t n;
};

/* A text of JSON behind its quote; the end of it, or NULL where there is none. */
static const char *read_string(const char *p, const char *end, struct string *ret)
{
	ret->at = p;
	while (p < end && *p != '"')
		p += *p == '\\' && p + 1 < end ? 2 : 1;
	if (p >= end)
		return NULL;
	ret->n = (size_t)(p - ret->at);
	return p + 1;
}

static const char *skip_white(const char *p, const char *end)
{
	while (p < end && strchr(" \t\r\n", *p) && *p)
		p++;
	return p;
}

/* Names are taken in any case there (Go's encoding/json), and may be written with escapes. */
static bool may_be_type(const struct string *key)
{
	return memchr(key->at, '\\', key->n) ||
	       (key->n == strlen("type") && strncasecmp(key->at, "type", key->n) == 0);
}

void kc_policy_cni_types(const char *text, size_t size, struct kc_buf *out)
{
	const char *end = text + size, *p = text;

	while (p < end && (p = memchr(p, '"', (size_t)(end - p)))) {
		struct string key, value = { .at = "?", .n = 1 };

		p = read_string(p + 1, end, &key);
		if (!p) {
			kc_buf_adds(out, "?\n");
			return;
		}
		p = skip_white(p, end);
		if (p == end || *p != ':' || !may_be_type(&key))
			continue;
		p = skip_white(p + 1, end);
		if (p < end && *p == '"')
			p = read_string(p + 1, end, &value);
		kc_buf_add(out, value.at, p ? value.n : 0);
		kc_buf_adds(out, p ? "\n" : "?\n");
		if (!p)
			return;
	}
}

bool kc_policy_cni_type(const char *line)
{
	return kc_streq(line, "?") || strpbrk(line, "/\\");
}
