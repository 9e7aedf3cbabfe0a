/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/num.h"
#include "folder-times.h"
#include "node.h"
#include "transaction.h"

static const char *const journal_name = "journal";
static const char *const backup_name = "backup";
static const char *const stage_name = "stage";

enum {
	BOOT_ID_MAX = 64,
	KEPT_MAX = 100, /* of one slot, before and behind crashes */
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

static int add_stage(struct kc_transaction *t, struct kc_staging stage)
{
	void *grown =
		kc_arena_grow(&t->arena, t->stages, t->n_stages, &t->stages_room, sizeof(stage));
	int r = !grown ? -ENOMEM : stage.fd >= 0 ? kc_fd_mount(stage.fd, &stage.mount) : 0;

	if (r < 0)
		return r;
	t->stages = grown;
	t->stages[t->n_stages++] = stage;
	return 0;
}

static int open_own(struct kc_transaction *t, bool make, struct kc_err *err)
{
	int stage = -EBADF, r = 0;

	if (make && ((mkdirat(t->dir, backup_name, 0700) < 0 && errno != EEXIST) ||
		     (mkdirat(t->dir, stage_name, 0700) < 0 && errno != EEXIST)))
		r = -errno;
	if (r == 0) {
		t->backup = openat(t->dir, backup_name,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		stage = openat(t->dir, stage_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = t->backup < 0 || stage < 0 ? -errno
					       : add_stage(t, (struct kc_staging){ .fd = stage });
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

/* Whether a folder may be one of this transaction's stages, whatever the journal says. */
static bool is_stage_path(const struct kc_transaction *t, const char *path)
{
	const char *name = path ? strrchr(path, '/') : NULL, *id;

	id = name ? kc_after_prefix(name, "/.k8scheck-") : NULL;
	return id && *path == '/' && kc_streq(id, t->id);
}

/* Staging folders in other mounts that are not marked as gone. */
static int reopen_stages(struct kc_transaction *t, struct kc_err *err)
{
	for (uint32_t i = 0; i < t->text.n; i++) {
		const struct kc_record *record = t->text.records + i;
		struct kc_staging stage = {
			.path = kc_record_get(record, "path"),
			.parent_times = kc_record_get(record, "parent"),
			.fd = -EBADF,
			.record = record->number,
		};
		int r;

		if (!kc_streq(record->verb, "stage") ||
		    kc_transaction_find(t, "unstage", record->number))
			continue;
		if (!is_stage_path(t, stage.path) || !stage.parent_times)
			return kc_err_set(err, -EBADMSG,
					  "record %u names a folder that k8scheck does not make",
					  record->number);
		r = kc_place_open_folder(t->root, stage.path, err, &stage.fd);
		/* Its times may still have to be brought back, without the folder itself. */
		if (r == 0 || r == -ENOENT)
			r = add_stage(t, stage);
		if (r < 0)
			return r;
	}
	return 0;
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
	if (r == 0 && !read_only)
		r = open_own(&t, true, err);
	if (r == 0 && !read_only)
		r = reopen_stages(&t, err);
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

int kc_transaction_note(struct kc_transaction *t, const char *verb, const struct kc_pair *pairs,
			size_t n, struct kc_err *err, uint32_t *ret_number)
{
	struct kc_record record;
	void *grown = kc_arena_grow(&t->arena, t->text.records, t->text.n, &t->records_room,
				    sizeof(record));
	int r = grown ? copy_record(t, verb, pairs, n, &record) : -ENOMEM;

	if (r < 0)
		return kc_err_set(err, r, "out of memory");
	t->text.records = grown;
	r = kc_journal_append(&t->journal, verb, pairs, n, err);
	if (r < 0)
		return err ? kc_err_prefix(err, "transaction %s", t->id) : r;
	t->text.records[t->text.n++] = record;
	if (ret_number)
		*ret_number = record.number;
	return 0;
}

const struct kc_record *kc_transaction_find(const struct kc_transaction *t, const char *verb,
					    uint32_t of)
{
	for (uint32_t i = of; i < t->text.n; i++) {
		const char *value = kc_record_get(t->text.records + i, "of");
		uint64_t n;

		if (kc_streq(t->text.records[i].verb, verb) && value &&
		    kc_parse_u64(value, &n) == 0 && n == of)
			return t->text.records + i;
	}
	return NULL;
}

/* ---- stages ---- */

const struct kc_staging *kc_transaction_find_stage(const struct kc_transaction *t, const char *path)
{
	for (size_t i = 0; i < t->n_stages; i++) {
		if (t->stages[i].fd >= 0 && kc_streq0(t->stages[i].path, path))
			return t->stages + i;
	}
	return NULL;
}

/* One that was cut off between its end and its mark: its record has the times of the folder above.
 */
static struct kc_staging *find_gone(struct kc_transaction *t, const char *path)
{
	for (size_t i = 0; i < t->n_stages; i++) {
		if (t->stages[i].fd < 0 && kc_streq0(t->stages[i].path, path))
			return t->stages + i;
	}
	return NULL;
}

static int remake_stage(struct kc_transaction *t, struct kc_staging *stage, int top,
			struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	if (mkdirat(top, strrchr(stage->path, '/') + 1, 0700) < 0)
		return kc_err_set(err, -errno, "%s cannot be made: %s", stage->path,
				  kc_strerror(errno));
	r = kc_place_open_folder(t->root, stage->path, err, &fd);
	if (r == 0)
		r = kc_fd_mount(fd, &stage->mount);
	if (r < 0)
		return kc_err_set(err, r, "%s cannot be used: %s", stage->path, kc_strerror(r));
	stage->fd = TAKE_FD(fd);
	return 0;
}

/* A name that nothing else has, in a folder that was looked at. */
static int make_stage(struct kc_transaction *t, const struct kc_fix_place *place,
		      struct kc_err *err)
{
	kc_cleanup(kc_closep) int top = -EBADF, fd = -EBADF;
	const char *path = kc_arena_printf(&t->arena, "%s/.k8scheck-%s",
					   kc_streq(place->top, "/") ? "" : place->top, t->id);
	char times[KC_FOLDER_TIMES_MAX];
	struct kc_staging *gone;
	uint32_t record;
	int r;

	if (!path)
		return kc_err_set(err, -ENOMEM, "out of memory");
	r = kc_place_open_folder(t->root, place->top, err, &top);
	if (r == 0 && (gone = find_gone(t, path)))
		return remake_stage(t, gone, top, err);
	if (r == 0)
		r = kc_folder_times(top, times, err);
	if (r == 0) {
		const struct kc_pair pairs[] = { { "path", path }, { "parent", times } };

		r = kc_transaction_note(t, "stage", pairs, KC_ARRAY_SIZE(pairs), err, &record);
	}
	if (r < 0)
		return r;
	if (mkdirat(top, strrchr(path, '/') + 1, 0700) < 0)
		return kc_err_set(err, -errno, "%s cannot be made: %s", path, kc_strerror(errno));
	r = kc_place_open_folder(t->root, path, err, &fd);
	if (r < 0)
		return r;
	r = add_stage(t, (struct kc_staging){
				 .path = path,
				 .fd = fd,
				 .record = record,
				 .parent_times = kc_arena_strdup(&t->arena, times),
			 });
	if (r < 0)
		return kc_err_set(err, r, "%s cannot be used: %s", path, kc_strerror(r));
	(void)TAKE_FD(fd);
	return 0;
}

int kc_transaction_stage(struct kc_transaction *t, const struct kc_fix_place *place,
			 struct kc_err *err, const struct kc_staging **ret_stage)
{
	char folder[PATH_MAX];
	int r;

	for (size_t i = 0; i < t->n_stages; i++) {
		if (t->stages[i].fd >= 0 && t->stages[i].mount == place->mount) {
			*ret_stage = t->stages + i;
			return 0;
		}
	}
	kc_place_folder(place, folder);
	/* CRI-O for one reads whatever lies in its folder, and below. */
	if (kc_streq(place->top, folder) && kc_endswith(folder, ".d"))
		return kc_err_set(err, -EBUSY,
				  "%s is a mount of its own: nothing could be staged there apart "
				  "from what is read in it",
				  folder);
	r = make_stage(t, place, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < t->n_stages; i++) {
		if (t->stages[i].fd >= 0 && t->stages[i].mount == place->mount)
			*ret_stage = t->stages + i;
	}
	return 0;
}

static int write_copy(int dir, const char *name, const struct kc_node *node,
		      const struct kc_buf *content, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	if (node->type == KC_FILE_SYMLINK)
		return symlinkat(node->link, dir, name) < 0
			       ? -errno
			       : kc_node_apply_link(dir, name, node, true, err);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = fd < 0 ? -errno : kc_write_all(fd, content->data, content->len);
	if (r == 0)
		r = kc_node_apply(fd, node, true, err);
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

/* Out of another mount, where no rename leads; -EEXIST: the name is taken. */
static int copy_over(struct kc_transaction *t, const struct kc_staging *stage, const char *slot,
		     const char *name, struct kc_err *err)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf content = { 0 };
	struct kc_node node;
	int r = kc_node_read(stage->fd, slot, KC_NODE_CONTENT, &arena, err, &node, &content, NULL);

	if (r == 0 && node.type != KC_FILE_REGULAR && node.type != KC_FILE_SYMLINK)
		r = -EXDEV;
	if (r < 0)
		return r;
	r = write_copy(t->backup, name, &node, &content, err);
	if (r == 0 && (fsync(t->backup) < 0 || unlinkat(stage->fd, slot, 0) < 0))
		r = -errno;
	if (r < 0 && r != -EEXIST)
		(void)unlinkat(t->backup, name, 0);
	return r;
}

static int move_to_backup(struct kc_transaction *t, const struct kc_staging *stage,
			  const char *slot, const char *name, struct kc_err *err)
{
	if (renameat2(stage->fd, slot, t->backup, name, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EXDEV ? copy_over(t, stage, slot, name, err) : -errno;
}

static int keep(struct kc_transaction *t, const struct kc_staging *stage, const char *slot,
		struct kc_err *err)
{
	void *grown = kc_arena_grow(&t->arena, (void *)t->kept.item, t->kept.n, &t->kept_room,
				    sizeof(*t->kept.item));
	const char **items = grown;
	const char *name = NULL;
	int r = grown ? -EEXIST : -ENOMEM;

	for (unsigned i = 1; r == -EEXIST && i <= KEPT_MAX; i++) {
		name = kc_arena_printf(&t->arena, "%s.kept-%u", slot, i);
		r = name ? move_to_backup(t, stage, slot, name, err) : -ENOMEM;
	}
	if (r == -ENOMEM)
		return kc_err_set(err, r, "out of memory");
	t->kept.item = items;
	if (r < 0)
		items[t->kept.n] = kc_arena_printf(&t->arena, "%s/%s",
						   stage->path ? stage->path : stage_name, slot);
	else
		items[t->kept.n] = kc_arena_printf(
			&t->arena, KC_STORE_PATH "/transactions/%s/backup/%s", t->id, name);
	if (!items[t->kept.n])
		return kc_err_set(err, -ENOMEM, "out of memory");
	t->kept.n++;
	return 0;
}

int kc_transaction_sweep(struct kc_transaction *t, const struct kc_staging *stage, const char *slot,
			 const struct kc_node *a, const struct kc_node *b, struct kc_err *err)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_node node;
	int r = kc_node_read(stage->fd, slot, KC_NODE_CONTENT, &arena, err, &node, NULL, NULL);

	if (r < 0 || node.type == 0)
		return r;
	if (node.type == KC_FILE_DIRECTORY)
		r = unlinkat(stage->fd, slot, AT_REMOVEDIR) < 0 ? -errno : 0;
	else if ((a && kc_node_same_content(&node, a)) || (b && kc_node_same_content(&node, b)))
		r = unlinkat(stage->fd, slot, 0) < 0 ? -errno : 0;
	else
		return keep(t, stage, slot, err);
	return r < 0 ? kc_err_set(err, r, "%s/%s cannot be removed: %s",
				  stage->path ? stage->path : stage_name, slot, kc_strerror(r))
		     : 0;
}

/* Also after a run that was cut off between the folder's end and its mark. */
static int unstage(struct kc_transaction *t, const struct kc_staging *stage, struct kc_err *err)
{
	kc_cleanup(kc_freep) char *parent = strdup(stage->path);
	kc_cleanup(kc_freep) char *of = kc_asprintf("%u", stage->record);
	kc_cleanup(kc_closep) int fd = -EBADF;
	char *slash = parent ? strrchr(parent, '/') : NULL;
	int r;

	if (!slash || !of || !stage->parent_times)
		return kc_err_set(err, -ENOMEM, "out of memory");
	*slash = '\0';
	r = kc_place_open_folder(t->root, *parent ? parent : "/", err, &fd);
	if (r < 0)
		return r;
	if (unlinkat(fd, slash + 1, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return kc_err_set(err, -errno, "%s cannot be removed: %s", stage->path,
				  kc_strerror(errno));
	r = kc_folder_times_set(fd, stage->parent_times, err);
	if (r == 0) {
		const struct kc_pair pair = { "of", of };

		r = kc_transaction_note(t, "unstage", &pair, 1, err, NULL);
	}
	return r;
}

int kc_transaction_unstage(struct kc_transaction *t, struct kc_err *err)
{
	size_t n = 0;
	int worst = 0;

	for (size_t i = 0; i < t->n_stages; i++) {
		struct kc_staging *stage = t->stages + i;
		int r = stage->record == 0 ? 0 : unstage(t, stage, worst ? NULL : err);

		if (stage->record == 0 || r < 0)
			t->stages[n++] = *stage;
		else
			stage->fd = kc_close(stage->fd);
		worst = worst ? worst : r;
	}
	t->n_stages = n;
	return worst;
}
