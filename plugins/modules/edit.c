/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

static bool is_named(const struct kc_strings *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (kc_module_is(name, strlen(name), names->item[i]))
			return true;
	}
	return false;
}

/* Whether the line of that number begins a blacklist of one of the names. */
static bool is_blacklist(const struct kc_module_lines *lines, const struct kc_strings *names,
			 unsigned number)
{
	for (size_t i = 0; i < lines->n; i++) {
		const struct kc_module_line *line = lines->item + i;

		if (line->place.line == number && line->verb == KC_MODULE_BLACKLIST &&
		    is_named(names, line->name))
			return true;
	}
	return false;
}

const char *modules_without_blacklist(const struct kc_host *host, struct kc_run *run,
				      const struct kc_bytes *text, const struct kc_strings *names)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_module_lines lines = { 0 };
	const char *at = text->data, *end = at + text->size;
	char *copy;

	if (kc_modprobe_parse("", text->data, text->size, &arena, &lines) < 0)
		return NULL;
	for (unsigned number = 1; at < end; number++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline ? newline + 1 : end;

		if (is_blacklist(&lines, names, number))
			kc_buf_adds(&b, KC_MARK);
		kc_buf_add(&b, at, (size_t)(next - at));
		at = next;
	}
	copy = kc_buf_error(&b) < 0 ? NULL : kc_alloc(host, run, b.len + 1);
	if (copy)
		memcpy(copy, b.data ? b.data : "", b.len + 1);
	return copy;
}
