/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ask.h"

void kc_answer_fail(struct kc_answer *answer, struct kc_arena *arena, int code, const char *fmt,
		    ...)
{
	va_list ap;

	*answer = (struct kc_answer){ .code = code };
	va_start(ap, fmt);
	answer->why = kc_arena_vprintf(arena, fmt, ap);
	va_end(ap);
	if (!answer->why)
		answer->why = "out of memory";
}

void kc_answer_err(struct kc_answer *answer, struct kc_arena *arena, const struct kc_err *err)
{
	kc_answer_fail(answer, arena, err->code, "%s", err->text);
}

void kc_answer_add(struct kc_answer *answer, struct kc_arena *arena, const void *data, size_t size)
{
	struct kc_bytes *items;
	char *copy;

	if (answer->code < 0)
		return;
	copy = kc_arena_memdup(arena, data, size);
	/* The list doubles at powers of two, so that its size need not be kept. */
	if ((answer->n_items & (answer->n_items - 1)) == 0) {
		items = kc_arena_alloc(arena,
				       KC_MAX(answer->n_items * 2, (size_t)1) * sizeof(*items));
		if (items && answer->n_items > 0)
			memcpy(items, answer->items, answer->n_items * sizeof(*items));
	} else {
		items = (struct kc_bytes *)answer->items;
	}
	if (!copy || !items) {
		kc_answer_fail(answer, arena, -ENOMEM, "the answer does not fit into memory");
		return;
	}
	items[answer->n_items++] = (struct kc_bytes){ .data = copy, .size = size };
	answer->items = items;
}

void kc_answer_adds(struct kc_answer *answer, struct kc_arena *arena, const char *text)
{
	kc_answer_add(answer, arena, text, strlen(text));
}
