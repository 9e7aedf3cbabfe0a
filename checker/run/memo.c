/* SPDX-License-Identifier: Apache-2.0 */
#include "memo.h"
#include "base/hash.h"
#include "base/str.h"

enum {
	ENTRIES_MAX = 16384,
	TABLE_FIRST = 256,
	MEMORY_MAX = 8 * 1024 * 1024,
	BYTES_MAX =
		128 * 1024, /* of one file; larger ones are read as often as they are asked for */
};

void kc_memo_done(struct kc_memo *memo)
{
	kc_arena_done(&memo->arena);
	*memo = (struct kc_memo){ 0 };
}

static uint32_t hash_of(enum kc_memo_kind kind, uint32_t flags, const char *path)
{
	return kc_hash(path, strlen(path)) * 31 + (uint32_t)kind * 7 + flags;
}

static bool is_it(const struct kc_memo_entry *e, uint32_t hash, enum kc_memo_kind kind,
		  uint32_t flags, const char *path)
{
	return e->hash == hash && e->kind == kind && e->flags == flags && kc_streq(e->path, path);
}

const struct kc_memo_entry *kc_memo_find(const struct kc_memo *memo, enum kc_memo_kind kind,
					 uint32_t flags, const char *path)
{
	uint32_t hash;

	if (!memo || memo->size == 0)
		return NULL;
	hash = hash_of(kind, flags, path);
	for (uint32_t i = hash;; i++) {
		const struct kc_memo_entry *e = memo->table[i & (memo->size - 1)];

		if (!e || is_it(e, hash, kind, flags, path))
			return e;
	}
}

static void put(struct kc_memo_entry **table, uint32_t size, struct kc_memo_entry *entry)
{
	uint32_t i = entry->hash;

	while (table[i & (size - 1)])
		i++;
	table[i & (size - 1)] = entry;
}

/* Half of the table stays empty. */
static bool make_room(struct kc_memo *memo)
{
	uint32_t size = memo->size ? memo->size * 2 : TABLE_FIRST;
	struct kc_memo_entry **table;

	memo->arena.limit = MEMORY_MAX;
	if (memo->n >= ENTRIES_MAX)
		return false;
	if (memo->n * 2 < memo->size)
		return true;
	table = kc_arena_zalloc(&memo->arena, size, sizeof(struct kc_memo_entry *));
	if (!table)
		return false;
	for (uint32_t i = 0; i < memo->size; i++) {
		if (memo->table[i])
			put(table, size, memo->table[i]);
	}
	memo->table = table;
	memo->size = size;
	return true;
}

static struct kc_memo_entry *add(struct kc_memo *memo, enum kc_memo_kind kind, uint32_t flags,
				 const char *path)
{
	struct kc_memo_entry *entry;

	if (!memo || !make_room(memo))
		return NULL;
	entry = kc_arena_zalloc(&memo->arena, 1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->kind = kind;
	entry->flags = flags;
	entry->hash = hash_of(kind, flags, path);
	entry->path = kc_arena_strdup(&memo->arena, path);
	return entry->path ? entry : NULL;
}

static void enter(struct kc_memo *memo, struct kc_memo_entry *entry)
{
	put(memo->table, memo->size, entry);
	memo->n++;
}

void kc_memo_failure(struct kc_memo *memo, enum kc_memo_kind kind, uint32_t flags, const char *path,
		     const struct kc_err *err)
{
	struct kc_memo_entry *entry;

	if (err->code == -ENOMEM || err->code == -EFBIG || err->code == -EMFILE ||
	    err->code == -ENFILE || err->code == -EINTR)
		return;
	entry = add(memo, kind, flags, path);
	if (!entry)
		return;
	entry->code = err->code;
	entry->why = kc_arena_strdup(&memo->arena, err->text);
	if (entry->why)
		enter(memo, entry);
}

const struct kc_bytes *kc_memo_bytes(struct kc_memo *memo, enum kc_memo_kind kind, const char *path,
				     const void *data, size_t size)
{
	struct kc_memo_entry *entry = size <= BYTES_MAX ? add(memo, kind, 0, path) : NULL;

	if (!entry)
		return NULL;
	entry->bytes.data = kc_arena_memdup(&memo->arena, data, size);
	entry->bytes.size = size;
	if (!entry->bytes.data)
		return NULL;
	enter(memo, entry);
	return &entry->bytes;
}

void kc_memo_names(struct kc_memo *memo, enum kc_memo_kind kind, const char *path,
		   const struct kc_strings *names)
{
	struct kc_memo_entry *entry = add(memo, kind, 0, path);

	if (!entry)
		return;
	entry->names = *names;
	enter(memo, entry);
}

void kc_memo_stat(struct kc_memo *memo, uint32_t flags, const char *path,
		  const struct kc_stat *stat)
{
	struct kc_memo_entry *entry = add(memo, KC_MEMO_STAT, flags, path);

	if (!entry)
		return;
	entry->stat = *stat;
	enter(memo, entry);
}

void kc_memo_answer(struct kc_memo *memo, const char *question, const struct kc_answer *answer)
{
	struct kc_memo_entry *entry = add(memo, KC_MEMO_ANSWER, 0, question);
	struct kc_bytes *items;
	size_t size = 0;

	for (size_t i = 0; i < answer->n_items; i++)
		size += answer->items[i].size;
	if (!entry || size > BYTES_MAX)
		return;
	items = kc_arena_zalloc(&memo->arena, answer->n_items + 1, sizeof(*items));
	if (!items)
		return;
	for (size_t i = 0; i < answer->n_items; i++) {
		items[i].size = answer->items[i].size;
		items[i].data = kc_arena_memdup(&memo->arena, answer->items[i].data, items[i].size);
		if (!items[i].data)
			return;
	}
	entry->answer = *answer;
	entry->answer.items = items;
	entry->answer.why = answer->why ? kc_arena_strdup(&memo->arena, answer->why) : NULL;
	if (!answer->why || entry->answer.why)
		enter(memo, entry);
}

struct kc_arena *kc_memo_arena(struct kc_memo *memo)
{
	return memo && make_room(memo) && memo->arena.used < MEMORY_MAX / 2 ? &memo->arena : NULL;
}
