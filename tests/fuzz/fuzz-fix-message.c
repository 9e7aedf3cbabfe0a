/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "fix-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct kc_rule rules[] = { { .id = "first" }, { .id = "second" } };
static const struct kc_profile profile = { .name = "p", .rules = rules, .n_rules = 2 };

/* What is read and written again; each is read by its one reader. */
static int get_request(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_request request;
	int r = kc_get_request(b, arena, &request);

	if (r == 0)
		kc_put_request(again, &request);
	return r;
}

static int get_plan(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_plan plan;
	int r = kc_get_plan(b, &profile, arena, &plan);

	if (r == 0)
		kc_put_plan(again, &plan);
	return r;
}

static int get_consent(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_consent consent;
	int r = kc_get_consent(b, arena, &consent);

	if (r == 0)
		kc_put_consent(again, &consent);
	return r;
}

static int get_outcome(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_outcome outcome;
	int r = kc_get_outcome(b, arena, &outcome);

	if (r == 0)
		kc_put_outcome(again, &outcome);
	return r;
}

static int get_rollback(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_rollback rollback;
	int r = kc_get_rollback(b, arena, &rollback);

	if (r == 0)
		kc_put_rollback(again, &rollback);
	return r;
}

static int get_list(const struct kc_buf *b, struct kc_arena *arena, struct kc_buf *again)
{
	struct kc_fix_list list;
	int r = kc_get_list(b, arena, &list);

	if (r == 0)
		kc_put_list(again, &list);
	return r;
}

/* The first byte chooses the message. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int (*const getters[])(const struct kc_buf *b, struct kc_arena *arena,
				      struct kc_buf *again) = {
		get_request, get_plan, get_consent, get_outcome, get_rollback, get_list,
	};
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	kc_cleanup(kc_buf_done) struct kc_buf first = { 0 }, second = { 0 };
	struct kc_buf b;
	unsigned which;
	int r;

	if (size == 0 || size > 64 * 1024)
		return 0;
	which = data[0] % KC_ARRAY_SIZE(getters);
	b = (struct kc_buf){ .data = (char *)(uintptr_t)(data + 1), .len = size - 1 };
	r = getters[which](&b, &arena, &first);
	if (r < 0 && r != -EBADMSG)
		abort();
	if (r < 0 || kc_buf_error(&first) < 0)
		return 0;
	/* Written, it is read again as the same. */
	if (getters[which](&first, &arena, &second) < 0 && arena.used < arena.limit / 2)
		abort();
	if (kc_buf_error(&second) == 0 && second.len > 0 &&
	    (first.len != second.len || memcmp(first.data, second.data, first.len) != 0))
		abort();
	return 0;
}
