/* SPDX-License-Identifier: Apache-2.0 */
#include "sysctl-edit.h"

enum {
	MEMORY_MAX = 16 << 20
};

static const char *line_end(const char *text, const char *end)
{
	const char *newline = memchr(text, '\n', (size_t)(end - text));

	return newline ? newline + 1 : end;
}

/* Lines are then those of systemd's reader, too. */
static bool is_plain(const char *text, size_t size)
{
	const char *end = text + size;

	if (memchr(text, '\0', size))
		return false;
	for (const char *p = text; (p = memchr(p, '\r', (size_t)(end - p)));)
		if (++p == end || *p != '\n')
			return false;
	return true;
}

/* The edits whose key the line sets; 1 when there are any. `place` takes the line's number. */
static int note_line(const char *text, size_t size, const struct sysctl_edit *edits, size_t n,
		     size_t number, size_t *place, struct kc_arena *arena)
{
	struct sysctl_lines lines = { 0 };
	int r = sysctl_file_parse("", text, size, arena, &lines);

	if (r < 0)
		return r;
	if (lines.n == 0 || lines.item[0].ignored || lines.item[0].glob || !lines.item[0].value)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (kc_streq(lines.item[0].key, edits[i].key) ||
		    kc_streq0(edits[i].alias, lines.item[0].key))
			place[i] = number;
	return 0;
}

static void add_setting(struct kc_buf *out, const struct sysctl_edit *edit)
{
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		kc_buf_addc(out, '\n');
	kc_buf_addf(out, "%s = %s\n", edit->name, edit->value);
}

int sysctl_edit_text(const char *text, size_t size, const struct sysctl_edit *edits, size_t n,
		     struct kc_buf *out)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = MEMORY_MAX };
	size_t *place = kc_arena_zalloc(&arena, n + 1, sizeof(*place)), number = 0;
	const char *end = text + size;
	int r = 0;

	if (!place)
		return -ENOMEM;
	if (size > 0 && !is_plain(text, size))
		return -ENOTSUP;
	for (const char *p = text; p < end && r == 0; p = line_end(p, end))
		r = note_line(p, (size_t)(line_end(p, end) - p), edits, n, ++number, place, &arena);
	if (r < 0)
		return r;
	number = 0;
	for (const char *p = text, *next; p < end; p = next) {
		bool replaced = false;

		next = line_end(p, end);
		number++;
		for (size_t i = 0; i < n; i++)
			replaced |= place[i] == number;
		if (replaced)
			kc_buf_adds(out, KC_MARK);
		kc_buf_add(out, p, (size_t)(next - p));
		for (size_t i = 0; i < n; i++)
			if (place[i] == number)
				add_setting(out, &edits[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (place[i] == 0)
			add_setting(out, &edits[i]);
	return kc_buf_error(out);
}
