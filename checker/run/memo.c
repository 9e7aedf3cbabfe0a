/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>

#include "base/fdio.h"
#include "base/hash.h"
#include "memo.h"

enum {
	ENTRIES_MAX = 16384,
	TABLE_FIRST = 256,
	MEMORY_MAX = 8 * 1024 * 1024,
	BYTES_MAX =
		128 * 1024, /* of one file; larger ones are read as often as they are asked for */
	OPEN_MAX = 64, /* descriptors of folders; a worker may have 256 */
};

void kc_memo_done(struct kc_memo *memo)
{
	for (uint32_t i = 0; memo->n_open > 0 && i < memo->size; i++) {
		const struct kc_memo_entry *e = memo->table[i];

		if (e && e->kind == KC_MEMO_LIST && e->folder.fd >= 0)
			(void)kc_close(e->folder.fd);
	}
	kc_arena_done(&memo->arena);
	*memo = (struct kc_memo){ 0 };
}

/* A path of n bytes, without the need of a NUL, and the hash of it. */
struct key {
	const char *path;
	size_t n;
	uint32_t hash;
};

static struct key key_of(const char *path, size_t n)
{
	return (struct key){ path, n, kc_hash(path, n) };
}

static uint32_t hash_of(enum kc_memo_kind kind, uint32_t flags, const struct key *key)
{
	return key->hash * 31 + (uint32_t)kind * 7 + flags;
}

static bool is_it(const struct kc_memo_entry *e, uint32_t hash, enum kc_memo_kind kind,
		  uint32_t flags, const struct key *key)
{
	return e->hash == hash && e->kind == kind && e->flags == flags &&
	       strncmp(e->path, key->path, key->n) == 0 && !e->path[key->n];
}

static struct kc_memo_entry *find(const struct kc_memo *memo, enum kc_memo_kind kind,
				  uint32_t flags, const struct key *key)
{
	uint32_t hash;

	if (!memo || memo->size == 0)
		return NULL;
	hash = hash_of(kind, flags, key);
	for (uint32_t i = hash;; i++) {
		struct kc_memo_entry *e = memo->table[i & (memo->size - 1)];

		if (!e || is_it(e, hash, kind, flags, key))
			return e;
	}
}

const struct kc_memo_entry *kc_memo_find(const struct kc_memo *memo, enum kc_memo_kind kind,
					 uint32_t flags, const char *path)
{
	const struct key key = key_of(path, strlen(path));

	return find(memo, kind, flags, &key);
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
	const struct key key = key_of(path, strlen(path));
	struct kc_memo_entry *entry;

	if (!memo || !make_room(memo))
		return NULL;
	entry = kc_arena_zalloc(&memo->arena, 1, sizeof(*entry));
	if (!entry)
		return NULL;
	entry->kind = kind;
	entry->flags = flags;
	entry->hash = hash_of(kind, flags, &key);
	if (kind == KC_MEMO_LIST)
		entry->folder.fd = -EBADF;
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

void kc_memo_folder(struct kc_memo *memo, enum kc_memo_kind kind, const char *path,
		    struct kc_folder *folder)
{
	struct kc_memo_entry *entry = add(memo, kind, 0, path);

	if (entry) {
		entry->folder = *folder;
		entry->folder.fd = -EBADF;
		enter(memo, entry);
	}
	if (entry && kind == KC_MEMO_LIST && folder->fd >= 0 && memo->n_open < OPEN_MAX) {
		entry->folder.fd = TAKE_FD(folder->fd);
		memo->n_open++;
	}
	folder->fd = kc_close(folder->fd);
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

/* ---- what follows from what was seen ---- */

static bool is_dots(const char *name)
{
	return kc_streq(name, ".") || kc_streq(name, "..");
}

const struct kc_folder *kc_memo_parent(const struct kc_memo *memo, const char *path,
				       const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	const struct kc_memo_entry *known;
	struct key key;

	if (!slash || slash == path || !slash[1] || is_dots(slash + 1))
		return NULL;
	key = key_of(path, (size_t)(slash - path));
	known = find(memo, KC_MEMO_LIST, 0, &key);
	if (!known || known->code < 0 || known->folder.fd < 0)
		return NULL;
	*ret_name = slash + 1;
	return &known->folder;
}

/* Whether a question about a path has come to -ENOENT. */
static bool led_nowhere(const struct kc_memo *memo, const struct key *key, bool followed)
{
	static const struct {
		enum kc_memo_kind kind;
		uint32_t flags;
		bool follows; /* a link that leads nowhere comes to -ENOENT, too */
	} questions[] = {
		{ KC_MEMO_LIST, 0, true },  { KC_MEMO_STAT, KC_NOFOLLOW, false },
		{ KC_MEMO_STAT, 0, true },  { KC_MEMO_RESOLVE, 0, true },
		{ KC_MEMO_LINK, 0, false }, { KC_MEMO_LINKS, 0, true },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(questions); i++) {
		const struct kc_memo_entry *known;

		if (questions[i].follows && !followed)
			continue;
		known = find(memo, questions[i].kind, questions[i].flags, key);
		if (known && known->code == -ENOENT)
			return true;
	}
	return false;
}

/* Whether the folder of a path was listed and has no such name. */
static bool was_lacking(const struct kc_memo *memo, const struct key *folder, const char *name)
{
	struct kc_memo_entry *known = find(memo, KC_MEMO_LIST, 0, folder);

	return known && known->code == 0 && kc_folder_lacks(&known->folder, name);
}

bool kc_memo_is_absent(const struct kc_memo *memo, uint32_t flags, const char *path)
{
	const size_t size = strlen(path);
	struct key folder = key_of(path, 0);

	if (!memo || memo->size == 0 || *path != '/' || size >= PATH_MAX)
		return false;
	for (size_t at = 0; at < size;) {
		char name[NAME_MAX + 1];
		const size_t n = strcspn(path + at + 1, "/");
		struct key key = folder;

		/* What the kernel reads in another way than as the name of an entry. */
		if (n == 0 || n > NAME_MAX)
			return false;
		memcpy(name, path + at + 1, n);
		name[n] = '\0';
		if (is_dots(name))
			return false;
		if (folder.n > 0 && was_lacking(memo, &folder, name))
			return true;
		key.n = at + 1 + n;
		key.hash = kc_hash_more(folder.hash, path + at, n + 1);
		at = key.n;
		if (led_nowhere(memo, &key, at < size || !(flags & KC_NOFOLLOW)))
			return true;
		folder = key;
	}
	return false;
}
