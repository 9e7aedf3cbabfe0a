/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "change.h"
#include "exchange.h"
#include "folder-times.h"

enum {
	SLOT_MAX = 32,
	PART_MAX = SLOT_MAX + 16,
};

static void slot_name(uint32_t record, char ret_name[SLOT_MAX])
{
	(void)snprintf(ret_name, SLOT_MAX, "%06u", record);
}

/* Owner and mode of what stays the same object; its content was not even looked at. */
static bool is_of_mode(const struct kc_change *change)
{
	return change->before.type == change->after.type && !change->before.sha256 &&
	       !change->before.link;
}

static unsigned look_flags(const struct kc_change *change)
{
	return is_of_mode(change) ? 0 : KC_NODE_CONTENT;
}

/* ---- looking ---- */

static int refuse_kind(const struct kc_fix_place *place, const struct kc_node *node,
		       struct kc_err *err)
{
	if (node->type > KC_FILE_SYMLINK)
		return kc_err_set(err, -EINVAL, "%s is a device, FIFO or socket, and left alone",
				  place->path);
	if (node->type == KC_FILE_REGULAR && node->nlink != 1)
		return kc_err_set(err, -EMLINK,
				  "%s has %u names (hard links): to replace it would part them",
				  place->path, node->nlink);
	return 0;
}

static int refuse_object(const struct kc_fix_place *place, int fd, struct kc_err *err)
{
	uint64_t mount;
	int flags, r = kc_fd_mount(fd, &mount);

	if (r < 0)
		return kc_err_set(err, r, "%s: its mount cannot be told: %s", place->path,
				  kc_strerror(r));
	if (mount != place->mount)
		return kc_err_set(err, -EBUSY,
				  "%s is a mount of its own, and cannot be changed here",
				  place->path);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)))
		return kc_err_set(err, -EPERM, "%s is %s (lsattr shows it), and left alone",
				  place->path,
				  flags & FS_IMMUTABLE_FL ? "immutable" : "append-only");
	return 0;
}

/* *ret_fd: of a file or folder, open for reading. */
static int look(const struct kc_fix_place *place, unsigned flags, struct kc_arena *arena,
		struct kc_err *err, struct kc_node *ret_node, struct kc_buf *content, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	const char *name = kc_place_name(place);
	struct kc_node node;
	int r = kc_node_read(place->dir, name, flags, arena, err, &node, content, &fd);

	if (r < 0)
		return r;
	r = refuse_kind(place, &node, err);
	if (r == 0 && node.type == KC_FILE_DIRECTORY) {
		fd = openat(place->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			r = kc_err_set(err, -errno, "%s: %s", place->path, kc_strerror(errno));
	}
	if (r == 0 && fd >= 0)
		r = refuse_object(place, fd, err);
	if (r < 0)
		return r;
	*ret_node = node;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int kc_change_look(const struct kc_fix_place *place, unsigned flags, struct kc_arena *arena,
		   struct kc_err *err, struct kc_node *ret_node, struct kc_buf *content)
{
	kc_cleanup(kc_closep) int fd = -EBADF;

	return look(place, flags, arena, err, ret_node, content, &fd);
}

/* ---- doing ---- */

static int write_file(int dir, const char *name, const char *content, size_t size,
		      const struct kc_node *node, bool times, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd =
		openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : kc_write_all(fd, content, size);

	if (r < 0)
		return kc_err_set(err, r, "it cannot be written: %s", kc_strerror(r));
	r = kc_node_apply(fd, node, times, err);
	if (r == 0 && fsync(fd) < 0)
		r = kc_err_set(err, -errno, "it cannot be made durable: %s", kc_strerror(errno));
	return r;
}

int kc_change_back_up(struct kc_transaction *t, const char *slot, const struct kc_node *node,
		      const struct kc_buf *content, struct kc_err *err)
{
	int r;

	/* One without a record is of a run that was cut off before it. */
	if (unlinkat(t->backup, slot, 0) < 0 && errno != ENOENT)
		return kc_err_set(err, -errno, "an old backup cannot be removed: %s",
				  kc_strerror(errno));
	r = write_file(t->backup, slot, content->data, content->len, node, true, err);
	if (r == 0 && fsync(t->backup) < 0)
		r = kc_err_set(err, -errno, "it cannot be made durable: %s", kc_strerror(errno));
	return r < 0 && err ? kc_err_prefix(err, "the backup") : r;
}

static int make_folder(int dir, const char *name, const struct kc_node *node, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;

	if (mkdirat(dir, name, 0700) < 0)
		return kc_err_set(err, -errno, "the folder cannot be made: %s", kc_strerror(errno));
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return kc_err_set(err, -errno, "the folder cannot be opened: %s",
				  kc_strerror(errno));
	return kc_node_apply(fd, node, false, err);
}

/* Half a file is ours by its name: what another name has in a stage may be somebody else's. */
static void part_name(const char *slot, char ret_name[PART_MAX])
{
	(void)snprintf(ret_name, PART_MAX, "%s.part", slot);
}

static int remove_part(int dir, const char *slot, struct kc_err *err)
{
	char part[PART_MAX];

	part_name(slot, part);
	if (unlinkat(dir, part, 0) < 0 && errno != ENOENT)
		return kc_err_set(err, -errno, "%s cannot be removed: %s", part,
				  kc_strerror(errno));
	return 0;
}

static int stage_file(int dir, const char *slot, const char *content, size_t size,
		      const struct kc_node *node, bool times, struct kc_err *err)
{
	char part[PART_MAX];
	int r = remove_part(dir, slot, err);

	part_name(slot, part);
	if (r == 0)
		r = write_file(dir, part, content, size, node, times, err);
	if (r == 0 && renameat2(dir, part, dir, slot, RENAME_NOREPLACE) < 0)
		r = kc_err_set(err, -errno, "it cannot be staged: %s", kc_strerror(errno));
	return r;
}

static int stage_node(int dir, const char *slot, const struct kc_node *node, const char *content,
		      size_t size, bool times, struct kc_err *err)
{
	switch (node->type) {
	case KC_FILE_REGULAR:
		return stage_file(dir, slot, content, size, node, times, err);
	case KC_FILE_DIRECTORY:
		return make_folder(dir, slot, node, err);
	default:
		if (symlinkat(node->link, dir, slot) < 0)
			return kc_err_set(err, -errno, "the link cannot be made: %s",
					  kc_strerror(errno));
		return kc_node_apply_link(dir, slot, node, times, err);
	}
}

static int note_change(struct kc_transaction *t, const struct kc_change *change,
		       const struct kc_fix_place *place, const struct kc_staging *stage,
		       struct kc_err *err, uint32_t *ret_record)
{
	kc_cleanup(kc_buf_done) struct kc_buf before = { 0 }, after = { 0 };
	char times[KC_FOLDER_TIMES_MAX];
	struct kc_pair pairs[5];
	int r = kc_folder_times(place->dir, times, err);

	if (r < 0)
		return r;
	kc_node_put(&before, &change->before);
	kc_node_put(&after, &change->after);
	if (kc_buf_error(&before) < 0 || kc_buf_error(&after) < 0)
		return kc_err_set(err, -ENOMEM, "out of memory");
	pairs[0] = (struct kc_pair){ "path", place->path };
	pairs[1] = (struct kc_pair){ "before", before.data };
	pairs[2] = (struct kc_pair){ "after", after.data };
	pairs[3] = (struct kc_pair){ "parent", times };
	pairs[4] = (struct kc_pair){ "stage", stage && stage->path ? stage->path : "" };
	return kc_transaction_note(t, "change", pairs, KC_ARRAY_SIZE(pairs), err, ret_record);
}

static int note_done(struct kc_transaction *t, const struct kc_fix_place *place, uint32_t record,
		     struct kc_err *err)
{
	char times[KC_FOLDER_TIMES_MAX], of[16];
	int r = kc_folder_times(place->dir, times, err);

	if (r < 0)
		return r;
	(void)snprintf(of, sizeof(of), "%u", record);
	return kc_transaction_note(t, "done",
				   (const struct kc_pair[]){ { "of", of }, { "parent", times } }, 2,
				   err, NULL);
}

static int apply_mode(int fd, const struct kc_node *node, struct kc_err *err)
{
	int r = kc_node_apply(fd, node, false, err);

	if (r == 0 && fsync(fd) < 0)
		r = kc_err_set(err, -errno, "it cannot be made durable: %s", kc_strerror(errno));
	return r;
}

static int carry_out(struct kc_transaction *t, const struct kc_change *change,
		     const struct kc_fix_place *place, const struct kc_staging *stage,
		     uint32_t record, int fd, struct kc_err *err)
{
	char slot[SLOT_MAX];
	const struct kc_exchange x = {
		.root = t->root,
		.place = place,
		.stage = stage ? stage->fd : -EBADF,
		.slot = slot,
		.expected = &change->before,
		.expected_fd = change->before.type == KC_FILE_REGULAR ? fd : -EBADF,
	};
	int r;

	slot_name(record, slot);
	if (!stage)
		return apply_mode(fd, &change->after, err);
	if (!change->after.type)
		return kc_exchange_take(&x, err);
	r = stage_node(stage->fd, slot, &change->after, change->content, change->size, false, err);
	return r < 0 ? r : kc_exchange_put(&x, err);
}

static int change_place(struct kc_transaction *t, const struct kc_change *change,
			const struct kc_fix_place *place, struct kc_err *err, uint32_t *ret_record)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf content = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	const struct kc_staging *stage = NULL;
	char slot[SLOT_MAX];
	struct kc_node now;
	int r = look(place, look_flags(change), &arena, err, &now, &content, &fd);

	if (r < 0)
		return r;
	if (!kc_node_untouched(&now, &change->before))
		return kc_err_set(err, -EBUSY, "it has changed since the plan was made");
	if (!is_of_mode(change))
		r = kc_transaction_stage(t, place, err, &stage);
	/* Behind the stage, which may take a record of its own. */
	slot_name(t->journal.last + 1, slot);
	if (r == 0 && stage && now.type == KC_FILE_REGULAR)
		r = kc_change_back_up(t, slot, &now, &content, err);
	if (r == 0)
		r = note_change(t, change, place, stage, err, ret_record);
	if (r == 0)
		r = carry_out(t, change, place, stage, *ret_record, fd, err);
	return r < 0 ? r : note_done(t, place, *ret_record, err);
}

int kc_change_do(struct kc_transaction *t, const struct kc_change *change, struct kc_err *err,
		 uint32_t *ret_record)
{
	struct kc_fix_place place;
	int r = kc_place_open(t->root, change->path, 0, err, &place);

	*ret_record = 0;
	if (r < 0)
		return r;
	if (kc_streq(place.path, change->path))
		r = change_place(t, change, &place, err, ret_record);
	else
		r = kc_err_set(err, -EBUSY, "it leads to %s since the plan was made", place.path);
	kc_place_done(&place);
	return r < 0 && err ? kc_err_prefix(err, "%s", change->path) : r;
}

/* ---- undoing ---- */

int kc_change_read(const struct kc_record *record, struct kc_arena *arena, struct kc_err *err,
		   struct kc_change *ret_change)
{
	const char *path = kc_record_get(record, "path");
	const char *before = kc_record_get(record, "before");
	const char *after = kc_record_get(record, "after");
	struct kc_change change = { .path = path };
	int r = path && *path == '/' && before && after && kc_record_get(record, "parent") &&
				kc_record_get(record, "stage")
			? 0
			: -EBADMSG;

	if (r == 0)
		r = kc_node_get(before, arena, &change.before);
	if (r == 0)
		r = kc_node_get(after, arena, &change.after);
	if (r < 0)
		return kc_err_set(err, r, "record %u of the journal is none of a change",
				  record->number);
	*ret_change = change;
	return 0;
}

/* What is there now, for one change that is to be taken back. */
struct undoing {
	struct kc_transaction *t;
	const struct kc_record *record;
	struct kc_change change;
	struct kc_fix_place place;
	struct kc_node now; /* at the name */
	struct kc_node aside; /* in the slot */
	const struct kc_staging *stage; /* of the slot; NULL: it is gone */
	int fd;
	char slot[SLOT_MAX], undo_slot[SLOT_MAX + 8];
	struct kc_arena arena;
};

enum standing {
	STANDS_BEFORE = 1, /* it is as it was */
	STANDS_AFTER = 2, /* it is as it was made */
	STANDS_BETWEEN = 3, /* owner or mode are half set */
	STANDS_DISPLACED = 4, /* ours replaced a file that somebody had just put there */
	STANDS_FOREIGN = 5, /* others have changed it */
};

static void undoing_done(struct undoing *u)
{
	(void)kc_close(u->fd);
	kc_place_done(&u->place);
	kc_arena_done(&u->arena);
}

static int begin_undoing(struct kc_transaction *t, const struct kc_record *record,
			 struct kc_err *err, struct undoing *u)
{
	int r;

	*u = (struct undoing){ .t = t, .record = record, .fd = -EBADF, .place.dir = -EBADF };
	slot_name(record->number, u->slot);
	(void)snprintf(u->undo_slot, sizeof(u->undo_slot), "%s.undo", u->slot);
	r = kc_change_read(record, &u->arena, err, &u->change);
	if (r == 0) {
		r = kc_place_open(t->root, u->change.path, 0, err, &u->place);
		/* Where there was nothing before either, that is as it was: the caller's to say. */
		if (r == -ENOENT && u->change.before.type)
			return kc_err_set(err, -EBUSY,
					  "the folder that it was in is gone: somebody has removed "
					  "it since");
	}
	if (r == 0)
		r = look(&u->place, look_flags(&u->change), &u->arena, err, &u->now, NULL, &u->fd);
	if (r == 0 && !kc_streq(u->place.path, u->change.path))
		r = kc_err_set(err, -EBUSY, "%s leads to %s now", u->change.path, u->place.path);
	if (r < 0)
		return r;
	if (!is_of_mode(&u->change)) {
		const char *path = kc_record_get(record, "stage");

		u->stage = kc_transaction_find_stage(t, *path ? path : NULL);
	}
	if (u->stage)
		r = kc_node_read(u->stage->fd, u->slot, KC_NODE_CONTENT, &u->arena, err, &u->aside,
				 NULL, NULL);
	return r;
}

static bool one_of(uint32_t value, uint32_t a, uint32_t b)
{
	return value == a || value == b;
}

/* Whatever is in it by now: what is written there is none of our business. */
static enum standing standing_of_mode(const struct undoing *u)
{
	const struct kc_node *before = &u->change.before, *after = &u->change.after;

	if (kc_node_same_owner(&u->now, before))
		return STANDS_BEFORE;
	if (kc_node_same_owner(&u->now, after))
		return STANDS_AFTER;
	/* A new owner takes set-user-ID and set-group-ID away. */
	if (u->now.type == before->type && one_of(u->now.uid, before->uid, after->uid) &&
	    one_of(u->now.gid, before->gid, after->gid) &&
	    (one_of(u->now.mode, before->mode, after->mode) ||
	     u->now.mode == (before->mode & 01777)))
		return STANDS_BETWEEN;
	return STANDS_FOREIGN;
}

static enum standing standing(const struct undoing *u)
{
	const struct kc_node *before = &u->change.before, *after = &u->change.after;

	if (is_of_mode(&u->change))
		return standing_of_mode(u);
	if (kc_node_same(&u->now, before))
		return STANDS_BEFORE;
	if (kc_node_same(&u->now, after)) {
		if (u->aside.type && !kc_node_same_content(&u->aside, before) &&
		    !kc_node_same_content(&u->aside, after))
			return STANDS_DISPLACED;
		return STANDS_AFTER;
	}
	return STANDS_FOREIGN;
}

static int put_slot(struct undoing *u, const struct kc_staging *stage, const char *slot,
		    struct kc_err *err)
{
	const struct kc_exchange x = {
		.root = u->t->root,
		.place = &u->place,
		.stage = stage->fd,
		.slot = slot,
		.expected = &u->now,
		.expected_fd = u->now.type == KC_FILE_REGULAR ? u->fd : -EBADF,
	};

	return kc_exchange_put(&x, err);
}

/* The copy in the backup, held against its digest in the journal. */
static int read_backup(const struct undoing *u, struct kc_buf *content, struct kc_err *err)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_node node;
	int r = kc_node_read(u->t->backup, u->slot, KC_NODE_CONTENT, &arena, err, &node, content,
			     NULL);

	if (r == 0 && !kc_node_same_content(&node, &u->change.before))
		r = kc_err_set(err, -EBADMSG,
			       "the backup of %s is not what was laid aside; it cannot be brought "
			       "back from there",
			       u->change.path);
	return r;
}

static int put_copy(struct undoing *u, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf content = { 0 };
	const struct kc_node *before = &u->change.before;
	const struct kc_staging *stage;
	int r = kc_transaction_stage(u->t, &u->place, err, &stage);

	if (r == 0 && before->type == KC_FILE_REGULAR)
		r = read_backup(u, &content, err);
	/* A rollback that was cut off may have left one. */
	if (r == 0)
		r = kc_transaction_sweep(u->t, stage, u->undo_slot, before, &u->change.after, err);
	if (r == 0)
		r = stage_node(stage->fd, u->undo_slot, before, content.data, content.len, true,
			       err);
	return r < 0 ? r : put_slot(u, stage, u->undo_slot, err);
}

static int take_away(struct undoing *u, struct kc_err *err)
{
	const struct kc_staging *stage;
	int r;

	if (u->now.type == KC_FILE_DIRECTORY) {
		if (unlinkat(u->place.dir, kc_place_name(&u->place), AT_REMOVEDIR) < 0)
			return kc_err_set(err, errno == ENOTEMPTY ? -EBUSY : -errno,
					  errno == ENOTEMPTY
						  ? "others have put something into it, so it stays"
						  : "it cannot be removed");
		return fsync(u->place.dir) < 0
			       ? kc_err_set(err, -errno, "fsync: %s", kc_strerror(errno))
			       : 0;
	}
	r = kc_transaction_stage(u->t, &u->place, err, &stage);
	if (r == 0)
		r = kc_transaction_sweep(u->t, stage, u->undo_slot, &u->change.after, NULL, err);
	if (r == 0) {
		const struct kc_exchange x = {
			.root = u->t->root,
			.place = &u->place,
			.stage = stage->fd,
			.slot = u->undo_slot,
			.expected = &u->now,
			.expected_fd = u->now.type == KC_FILE_REGULAR ? u->fd : -EBADF,
		};

		r = kc_exchange_take(&x, err);
	}
	return r;
}

static int restore(struct undoing *u, struct kc_err *err)
{
	if (is_of_mode(&u->change) && u->now.type == u->change.before.type && u->fd >= 0)
		return apply_mode(u->fd, &u->change.before, err);
	if (!u->change.before.type)
		return take_away(u, err);
	if (u->stage && kc_node_same(&u->aside, &u->change.before))
		return put_slot(u, u->stage, u->slot, err);
	return put_copy(u, err);
}

/* Whether the folder's times are ours to bring back; decided once, before anything is touched. */
static bool times_are_ours(const struct undoing *u)
{
	const struct kc_record *done = kc_transaction_find(u->t, "done", u->record->number);
	const struct kc_record *undo = kc_transaction_find(u->t, "undo", u->record->number);
	const char *parent = done ? kc_record_get(done, "parent") : NULL;

	if (undo)
		return kc_streq0(kc_record_get(undo, "times"), "ours");
	return !parent || kc_folder_times_are(u->place.dir, parent);
}

static int note_of(struct undoing *u, const char *verb, const char *key, const char *value,
		   struct kc_err *err)
{
	char of[16];

	(void)snprintf(of, sizeof(of), "%u", u->record->number);
	return kc_transaction_note(u->t, verb,
				   (const struct kc_pair[]){ { "of", of }, { key, value } },
				   key ? 2 : 1, err, NULL);
}

static int clean_up(struct undoing *u, struct kc_err *err)
{
	const struct kc_node *before = &u->change.before, *after = &u->change.after;
	int r = 0;

	for (size_t i = 0; i < u->t->n_stages && r == 0; i++) {
		const struct kc_staging *stage = u->t->stages + i;

		if (stage->fd < 0)
			continue;
		r = kc_transaction_sweep(u->t, stage, u->slot, before, after, err);
		if (r == 0)
			r = kc_transaction_sweep(u->t, stage, u->undo_slot, before, after, err);
		if (r == 0)
			r = remove_part(stage->fd, u->slot, err);
		if (r == 0)
			r = remove_part(stage->fd, u->undo_slot, err);
	}
	return r;
}

static int undo(struct undoing *u, unsigned flags, struct kc_err *err)
{
	enum standing stands = standing(u);
	bool ours = times_are_ours(u);
	int r = 0, noted;

	if (stands == STANDS_FOREIGN && !(flags & KC_UNDO_FORCE))
		return kc_err_set(
			err, -EBUSY,
			"it is neither what the repair made of it nor what it was before: "
			"somebody has changed it since, and it is left alone");
	/* Without room for a record the way back is the same; it is merely not marked. */
	noted = note_of(u, "undo", "times", ours ? "ours" : "theirs", NULL);
	if (stands == STANDS_DISPLACED)
		r = put_slot(u, u->stage, u->slot, err);
	else if (stands != STANDS_BEFORE)
		r = restore(u, err);
	if (r == 0)
		r = clean_up(u, err);
	if (r == 0 && ours && stands != STANDS_DISPLACED)
		r = kc_folder_times_set(u->place.dir, kc_record_get(u->record, "parent"), err);
	if (r == 0)
		noted = note_of(u, "undone", NULL, NULL, NULL);
	(void)noted;
	if (r == 0 && stands == STANDS_DISPLACED)
		return kc_err_set(
			err, -EBUSY,
			"somebody replaced it at the moment of the repair: theirs is there "
			"again");
	return r;
}

int kc_change_undo(struct kc_transaction *t, const struct kc_record *record, unsigned flags,
		   struct kc_err *err)
{
	kc_cleanup(undoing_done) struct undoing u;
	int r = begin_undoing(t, record, err, &u);

	if (r == 0)
		r = undo(&u, flags, err);
	/* What stood in a folder that is gone now is gone as well. */
	else if (r == -ENOENT && u.change.path && !u.change.before.type)
		return 0;
	return r < 0 && err && u.change.path ? kc_err_prefix(err, "%s", u.change.path) : r;
}

int kc_change_undoable(struct kc_transaction *t, const struct kc_record *record, struct kc_err *err)
{
	kc_cleanup(undoing_done) struct undoing u;
	int r = begin_undoing(t, record, err, &u);

	if (r == -ENOENT && u.change.path && !u.change.before.type)
		return 0;
	if (r < 0)
		return r;
	switch (standing(&u)) {
	case STANDS_BEFORE:
		return 0;
	case STANDS_FOREIGN:
		return kc_err_set(err, -EBUSY, "%s was changed by somebody since", u.change.path);
	default:
		return 1;
	}
}

/* ---- going on ---- */

static int complete(struct undoing *u, struct kc_err *err)
{
	int r = 0;

	switch (standing(u)) {
	case STANDS_BETWEEN:
		return 1;
	case STANDS_AFTER:
		break;
	default:
		return 0;
	}
	/* It may have been cut off before this. */
	if ((u->fd >= 0 && fsync(u->fd) < 0) || fsync(u->place.dir) < 0 ||
	    (u->stage && fsync(u->stage->fd) < 0))
		r = kc_err_set(err, -errno, "it cannot be made durable: %s", kc_strerror(errno));
	if (r == 0)
		r = note_done(u->t, &u->place, u->record->number, err);
	return r < 0 ? r : 1;
}

int kc_change_complete(struct kc_transaction *t, const struct kc_record *record, struct kc_err *err)
{
	kc_cleanup(undoing_done) struct undoing u;
	int r = begin_undoing(t, record, err, &u);

	if (r == -ENOENT && u.change.path && !u.change.before.type)
		return 0;
	if (r == 0)
		r = complete(&u, err);
	return r < 0 && err && u.change.path ? kc_err_prefix(err, "%s", u.change.path) : r;
}

/* ---- the end ---- */

static int settle(struct kc_transaction *t, const struct kc_record *record, struct kc_err *err)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *path = kc_record_get(record, "stage");
	const struct kc_staging *stage;
	struct kc_change change;
	struct kc_node node;
	char slot[SLOT_MAX];
	int r = kc_change_read(record, &arena, err, &change);

	stage = r == 0 ? kc_transaction_find_stage(t, *path ? path : NULL) : NULL;
	if (r < 0 || !stage)
		return r;
	slot_name(record->number, slot);
	if (stage->record)
		return kc_transaction_sweep(t, stage, slot, &change.before, &change.after, err);
	r = kc_node_read(stage->fd, slot, KC_NODE_CONTENT, &arena, err, &node, NULL, NULL);
	if (r < 0 || !node.type || kc_node_same_content(&node, &change.before))
		return r;
	return kc_transaction_sweep(t, stage, slot, &change.before, &change.after, err);
}

int kc_change_settle(struct kc_transaction *t, struct kc_err *err)
{
	for (uint32_t i = 0; i < t->text.n; i++) {
		int r = kc_streq(t->text.records[i].verb, "change")
				? settle(t, t->text.records + i, err)
				: 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- files that others wrote ---- */

static int put_back(struct undoing *u, const char *times, struct kc_err *err)
{
	int r = 0;

	if (kc_node_same(&u->now, &u->change.before))
		return 0;
	if (!u->change.before.type)
		r = take_away(u, err);
	else
		r = put_copy(u, err);
	/* What the other side wrote goes: it was made by our asking. */
	for (size_t i = 0; i < u->t->n_stages && r == 0; i++) {
		if (u->t->stages[i].fd >= 0)
			r = kc_transaction_sweep(u->t, u->t->stages + i, u->undo_slot, &u->now,
						 &u->change.before, err);
	}
	if (r == 0 && *times)
		r = kc_folder_times_set(u->place.dir, times, err);
	return r;
}

int kc_change_put_back(struct kc_transaction *t, const char *path, const struct kc_node *before,
		       const char *slot, const char *times, struct kc_err *err)
{
	kc_cleanup(undoing_done) struct undoing u = { .t = t, .fd = -EBADF, .place.dir = -EBADF };
	int r = kc_place_open(t->root, path, 0, err, &u.place);

	/* Its folder is gone, as it may have been before. */
	if (r == -ENOENT && !before->type)
		return 0;
	if (r == 0)
		r = look(&u.place, KC_NODE_CONTENT, &u.arena, err, &u.now, NULL, &u.fd);
	if (r < 0)
		return r;
	u.change = (struct kc_change){ .path = path, .before = *before, .after = u.now };
	(void)snprintf(u.slot, sizeof(u.slot), "%s", slot);
	(void)snprintf(u.undo_slot, sizeof(u.undo_slot), "%s.undo", u.slot);
	r = put_back(&u, times, err);
	return r < 0 && err ? kc_err_prefix(err, "%s", path) : r;
}
