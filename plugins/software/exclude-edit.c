/* SPDX-License-Identifier: Apache-2.0 */
#include "exclude-edit.h"
#include "formats/ini.h"

#define WHITE " \t\r"

enum {
	MEMORY_MAX = 16 << 20
};

static const char *line_end(const char *text, const char *end)
{
	const char *newline = memchr(text, '\n', (size_t)(end - text));

	return newline ? newline + 1 : end;
}

/* Where the text of the line of that number ends, white space left out. */
static size_t end_of_line(const char *text, size_t size, unsigned number)
{
	const char *end = text + size, *p = text, *next = line_end(p, end);

	while (number-- > 1) {
		p = next;
		next = line_end(p, end);
	}
	while (next > p && strchr(WHITE "\n", next[-1]))
		next--;
	return (size_t)(next - text);
}

/* The last line that a section's headers, its settings and their further lines have. */
static unsigned last_line(const char *text, size_t size, const char *section)
{
	const char *end = text + size;
	const size_t n = strlen(section);
	unsigned number = 0, last = 0;
	bool inside = false;

	for (const char *p = text, *next; p < end; p = next) {
		const char *rest = p;

		next = line_end(p, end);
		number++;
		while (rest < next && strchr(WHITE "\n", *rest))
			rest++;
		if (rest == next || *p == '#' || *p == ';')
			continue;
		if (*rest == '[')
			inside = (size_t)(next - rest) > n + 1 &&
				 strncmp(rest + 1, section, n) == 0 && rest[n + 1] == ']';
		if (inside)
			last = number;
	}
	return last;
}

static const struct kc_ini_setting *find_setting(const struct kc_ini *ini, const char *section)
{
	const struct kc_ini_setting *setting = kc_ini_get(ini, section, "exclude");

	return setting ? setting : kc_ini_get(ini, section, "excludepkgs");
}

int exclude_edit(const char *text, size_t size, const char *section, const char *names,
		 struct kc_buf *out)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = MEMORY_MAX };
	const struct kc_ini_setting *setting;
	struct kc_ini ini;
	size_t at;
	int r = kc_ini_parse(text, size, &arena, &ini);

	if (r < 0)
		return r == -ENOMEM ? r : -ENOTSUP;
	if (ini.bad_line)
		return -ENOTSUP;
	if (!kc_ini_has_section(&ini, section))
		return -ENOENT;
	setting = find_setting(&ini, section);
	at = end_of_line(text, size, setting ? setting->line : last_line(text, size, section));
	kc_buf_add(out, text, at);
	if (!setting)
		kc_buf_adds(out, "\nexclude=");
	else if (text[at - 1] != '=' && text[at - 1] != ':')
		kc_buf_addc(out, ' ');
	kc_buf_adds(out, names);
	kc_buf_add(out, text + at, size - at);
	return kc_buf_error(out);
}
