/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/num.h"
#include "transaction.h"

static const char *const journal_name = "journal";
static const char *const backup_name = "backup";

enum {
	BOOT_ID_MAX = 64,
	/* Lines of an undo are short: two or three of each step, and some of its own. */
	UNDO_ROOM = 16 * 1024,
	UNDO_ROOM_OF_STEP = 256,
};

/* ---- state ---- */

enum kc_transaction_state kc_transaction_state(const struct kc_journal_text *text)
{
	enum kc_transaction_state state = KC_TRANSACTION_EMPTY;

	for (uint32_t i = 0; i < text->n; i++) {
		const char *verb = text->records[i].verb;

		if (kc_streq(verb, "rolled-back"))
			state = KC_TRANSACTION_ROLLED_BACK;
		else if (kc_streq(verb, "rolling-back"))
			state = KC_TRANSACTION_ROLLING_BACK;
		else if (kc_streq(verb, "committed"))
			state = KC_TRANSACTION_COMMITTED;
		else if (kc_streq(verb, "stage") || kc_streq(verb, "change") ||
			 kc_streq(verb, "runtime") || kc_streq(verb, "resume"))
			state = KC_TRANSACTION_OPEN;
	}
	return state;
}

/* ---- begin, open, done ---- */

static int open_own(struct kc_transaction *t, bool make, struct kc_err *err)
{
	int stage = -EBADF, r = 0;

	if (make && ((mkdirat(t->dir, backup_name, 0700) < 0 && errno != EEXIST) ||
		     (mkdirat(t->dir, KC_STAGE_NAME, 0700) < 0 && errno != EEXIST)))
		r = -errno;
	if (r == 0) {
		t->backup = openat(t->dir, backup_name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		stage = openat(t->dir, KC_STAGE_NAME,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = t->backup < 0 || stage < 0
			    ? -errno
			    : kc_stage_add(t, (struct kc_staging){ .fd = stage });
		if (r < 0)
			(void)kc_close(stage);
	}
	if (r < 0)
		return kc_err_set(err, r, "transaction %s: its folders cannot be opened: %s", t->id,
				  kc_strerror(r));
	return 0;
}

static const char *read_boot_id(struct kc_transaction *t)
{
	kc_cleanup(kc_closep) int fd =
		kc_root_is_live(t->root)
			? open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
			: -EBADF;
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	char *id;

	if (fd < 0 || kc_read_all(fd, BOOT_ID_MAX, &text) < 0)
		return "";
	id = kc_arena_strdup(&t->arena, text.data);
	return id ? kc_strstrip(id) : "";
}

static void init(const struct kc_store *store, struct kc_transaction *t)
{
	*t = (struct kc_transaction){
		.root = store->root,
		.store = store,
		.dir = -EBADF,
		.backup = -EBADF,
		.journal = { .fd = -EBADF },
	};
	t->boot_id = read_boot_id(t);
}

static int note_begin(struct kc_transaction *t, const struct kc_pair *pairs, size_t n,
		      struct kc_err *err)
{
	struct kc_pair all[16] = { { "version", "1" }, { "boot", t->boot_id } };
	char time[KC_TIME_MAX];

	kc_format_time(kc_realtime_usec(), 1, time);
	all[2] = (struct kc_pair){ "time", time };
	if (n > KC_ARRAY_SIZE(all) - 3)
		return kc_err_set(err, -E2BIG, "a transaction has too many marks");
	for (size_t i = 0; i < n; i++)
		all[3 + i] = pairs[i];
	return kc_transaction_note(t, "begin", all, n + 3, err, NULL);
}

int kc_transaction_begin(const struct kc_store *store, const struct kc_pair *pairs, size_t n,
			 struct kc_err *err, struct kc_transaction *ret)
{
	struct kc_transaction t;
	int r;

	init(store, &t);
	r = kc_store_add(store, &t.arena, err, &t.id, &t.dir);
	if (r == 0)
		r = open_own(&t, true, err);
	if (r == 0)
		r = kc_journal_create(t.dir, journal_name, err, &t.journal);
	if (r == 0)
		r = note_begin(&t, pairs, n, err);
	if (r == 0 && (fsync(t.dir) < 0 || fsync(store->transactions) < 0))
		r = kc_err_set(err, -errno, "transaction %s cannot be made durable: %s", t.id,
			       kc_strerror(errno));
	if (r < 0) {
		if (t.dir >= 0)
			(void)kc_store_remove(store, t.id, NULL);
		kc_transaction_done(&t);
		return r;
	}
	*ret = t;
	return 0;
}

static bool is_step(const char *verb)
{
	return kc_streq(verb, "change") || kc_streq(verb, "runtime") || kc_streq(verb, "stage");
}

/* Room for the links of record i, behind those of all before it. */
static int make_link(struct kc_transaction *t, uint32_t i)
{
	void *grown = kc_arena_grow(&t->arena, t->links, i, &t->links_room, sizeof(*t->links));

	if (!grown)
		return -ENOMEM;
	t->links = grown;
	t->links[i] = (struct kc_record_links){ 0 };
	return 0;
}

static void link_record(struct kc_transaction *t, uint32_t i)
{
	const char *value = kc_record_get(t->text.records + i, "of");
	struct kc_record_links *one;
	uint64_t of;

	t->n_steps += is_step(t->text.records[i].verb);
	if (!value || kc_parse_u64(value, &of) < 0 || of == 0 || of > i)
		return;
	one = t->links + of - 1;
	if (one->last > 0)
		t->links[one->last - 1].next = i + 1;
	else
		one->first = i + 1;
	one->last = i + 1;
}

static int link_all(struct kc_transaction *t)
{
	int r = 0;

	for (uint32_t i = 0; i < t->text.n && r == 0; i++) {
		r = make_link(t, i);
		if (r == 0)
			link_record(t, i);
	}
	return r;
}

int kc_transaction_open(const struct kc_store *store, const char *id, bool read_only,
			struct kc_err *err, struct kc_transaction *ret)
{
	struct kc_transaction t;
	int r;

	init(store, &t);
	t.id = kc_arena_strdup(&t.arena, id);
	r = t.id ? kc_store_find(store, id, err, &t.dir) : -ENOMEM;
	if (r == 0)
		r = kc_journal_open(t.dir, journal_name, read_only, &t.arena, err, &t.text,
				    &t.journal);
	/* It was cut off before its first record. */
	if (r == -ENOENT && t.dir >= 0)
		r = 0;
	else if (r < 0 && t.dir >= 0)
		(void)kc_err_prefix(err, "transaction %s", id);
	t.records_room = t.text.n;
	if (r == 0 && link_all(&t) < 0)
		r = kc_err_set(err, -ENOMEM, "out of memory");
	if (r == 0 && !read_only)
		r = open_own(&t, true, err);
	if (r == 0 && !read_only)
		r = kc_stage_reopen_all(&t, err);
	if (r < 0) {
		kc_transaction_done(&t);
		return r;
	}
	*ret = t;
	return 0;
}

void kc_transaction_done(struct kc_transaction *t)
{
	for (size_t i = 0; i < t->n_stages; i++)
		(void)kc_close(t->stages[i].fd);
	t->n_stages = 0;
	kc_journal_done(&t->journal);
	t->dir = kc_close(t->dir);
	t->backup = kc_close(t->backup);
	kc_arena_done(&t->arena);
}

/* A copy that lives as long as the transaction. */
static int copy_record(struct kc_transaction *t, const char *verb, const struct kc_pair *pairs,
		       size_t n, struct kc_record *ret)
{
	struct kc_pair *copies = kc_arena_zalloc(&t->arena, n + 1, sizeof(*copies));

	if (!copies)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		copies[i].key = kc_arena_strdup(&t->arena, pairs[i].key);
		copies[i].value = kc_arena_strdup(&t->arena, pairs[i].value);
		if (!copies[i].key || !copies[i].value)
			return -ENOMEM;
	}
	*ret = (struct kc_record){
		.number = t->journal.last + 1,
		.verb = kc_arena_strdup(&t->arena, verb),
		.pairs = { .n = n, .item = copies },
	};
	return ret->verb ? 0 : -ENOMEM;
}

/* How many bytes have to be there for an undo once this is written. */
static size_t room_for_undo(struct kc_transaction *t, const char *verb)
{
	static const char *const of_undo[] = { "undo",	       "undone",      "left",
					       "rolling-back", "rolled-back", "unstaging",
					       "unstage",      NULL };

	if (kc_streq(verb, "rolling-back"))
		t->undoing = true;
	if (t->undoing || kc_strv_has(of_undo, verb))
		return 0;
	return UNDO_ROOM + (size_t)(t->n_steps + is_step(verb)) * UNDO_ROOM_OF_STEP;
}

int kc_transaction_note(struct kc_transaction *t, const char *verb, const struct kc_pair *pairs,
			size_t n, struct kc_err *err, uint32_t *ret_number)
{
	struct kc_record record;
	void *grown = kc_arena_grow(&t->arena, t->text.records, t->text.n, &t->records_room,
				    sizeof(record));
	int r = grown ? copy_record(t, verb, pairs, n, &record) : -ENOMEM;

	if (r == 0)
		r = make_link(t, t->text.n);
	if (r < 0)
		return kc_err_set(err, r, "out of memory");
	t->text.records = grown;
	r = kc_journal_append(&t->journal, verb, pairs, n, room_for_undo(t, verb), err);
	if (r < 0)
		return err ? kc_err_prefix(err, "transaction %s", t->id) : r;
	t->text.records[t->text.n++] = record;
	link_record(t, t->text.n - 1);
	if (ret_number)
		*ret_number = record.number;
	return 0;
}

const struct kc_record *kc_transaction_find_next(const struct kc_transaction *t, const char *verb,
						 uint32_t of, const struct kc_record *last)
{
	uint32_t number = 0;

	if (of > 0 && of <= t->text.n)
		number = last ? t->links[last->number - 1].next : t->links[of - 1].first;
	for (; number > 0; number = t->links[number - 1].next) {
		if (kc_streq(t->text.records[number - 1].verb, verb))
			return t->text.records + number - 1;
	}
	return NULL;
}

const struct kc_record *kc_transaction_find(const struct kc_transaction *t, const char *verb,
					    uint32_t of)
{
	return kc_transaction_find_next(t, verb, of, NULL);
}

int kc_transaction_unstage(struct kc_transaction *t, struct kc_err *err)
{
	size_t n = 0;
	int worst = 0;

	for (size_t i = 0; i < t->n_stages; i++) {
		struct kc_staging *stage = t->stages + i;
		int r = stage->record == 0 ? 0 : kc_stage_remove(t, stage, worst ? NULL : err);

		if (stage->record == 0 || r < 0)
			t->stages[n++] = *stage;
		else
			stage->fd = kc_close(stage->fd);
		worst = worst ? worst : r;
	}
	t->n_stages = n;
	return worst;
}
