/* SPDX-License-Identifier: Apache-2.0 */
#include <regex.h>

#include "file.h"
#include "text-lines.h"

enum {
	PATTERN_MAX = 1024,
	/* What of a line is matched. Time and memory of a match grow with the line, which is
	 * anybody's. */
	MATCH_MAX = 4096,
	SHOWN_MAX = 256,
};

/* A back-reference, which would make matching exponential. */
static bool has_reference(const char *pattern)
{
	for (const char *p = pattern; *p; p++) {
		if (*p != '\\')
			continue;
		if (p[1] >= '1' && p[1] <= '9')
			return true;
		if (p[1])
			p++;
	}
	return false;
}

static int compile(const struct file_place *place, const char *pattern, regex_t *ret_regex,
		   const char **ret_why)
{
	char text[256];
	int r;

	if (strlen(pattern) > PATTERN_MAX || has_reference(pattern)) {
		*ret_why =
			kc_text(place->host, place->run, "\"%.100s\" %s.", pattern,
				has_reference(pattern)
					? "refers back to a part of itself, which is not supported"
					: "is longer than an expression may be (1024 bytes)");
		return -EINVAL;
	}
	r = regcomp(ret_regex, pattern, REG_EXTENDED | REG_NOSUB);
	if (r == REG_ESPACE)
		return -ENOMEM;
	if (r == 0)
		return 0;
	(void)regerror(r, ret_regex, text, sizeof(text));
	*ret_why = kc_text(place->host, place->run, "\"%s\" is no regular expression: %s.", pattern,
			   text);
	return -EINVAL;
}

static int match(const struct file_place *place, const regex_t *regex, const char *comment,
		 const struct kc_bytes *bytes, struct file_match *found)
{
	const char *at = bytes->data;
	size_t left = bytes->size;
	unsigned number = 0;
	struct file_line line;
	char text[MATCH_MAX + 1];

	while (file_line_next(&at, &left, &number, comment, &line)) {
		size_t n = KC_MIN(line.length, (size_t)MATCH_MAX);
		int r;

		memcpy(text, line.text, n);
		text[n] = '\0';
		/* Its end is not the line's: "$" must not find one there. */
		r = regexec(regex, text, 0, NULL, n < line.length ? REG_NOTEOL : 0);
		if (r == REG_ESPACE)
			return -ENOMEM;
		if (r == 0) {
			found->text = kc_text(place->host, place->run, "%.*s",
					      (int)KC_MIN(n, (size_t)SHOWN_MAX), text);
			found->number = line.number;
			found->cut = 0;
			return 0;
		}
		if (n < line.length && !found->cut)
			found->cut = line.number;
	}
	return 0;
}

int file_match_lines(const struct file_place *place, const char *pattern, const char *comment,
		     const struct kc_bytes *bytes, struct file_match *ret_match,
		     const char **ret_why)
{
	struct file_match found = { 0 };
	regex_t regex;
	int r = compile(place, pattern, &regex, ret_why);

	if (r < 0)
		return r;
	r = match(place, &regex, comment, bytes, &found);
	regfree(&regex);
	if (r == 0)
		*ret_match = found;
	return r;
}
