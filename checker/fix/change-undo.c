/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fdio.h"
#include "change-parts.h"
#include "exchange.h"
#include "folder-times.h"

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
	char slot[KC_SLOT_MAX], undo_slot[KC_SLOT_MAX + 8];
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
	kc_slot_name(record->number, u->slot);
	(void)snprintf(u->undo_slot, sizeof(u->undo_slot), "%s.undo", u->slot);
	r = kc_change_read(record, &u->arena, err, &u->change);
	if (r == 0)
		r = kc_stage_settle(t, err);
	if (r == 0) {
		r = kc_place_open(t->root, u->change.path, 0, err, &u->place);
		/* Where there was nothing before either, that is as it was: the caller's to say. */
		if (r == -ENOENT && u->change.before.type)
			return kc_err_set(err, -EBUSY,
					  "the folder that it was in is gone: somebody has removed "
					  "it since");
	}
	if (r == 0)
		r = kc_change_look_open(&u->place, kc_change_look_flags(&u->change), &u->arena, err,
					&u->now, NULL, &u->fd);
	if (r == 0 && !kc_streq(u->place.path, u->change.path))
		r = kc_err_set(err, -EBUSY, "%s leads to %s now", u->change.path, u->place.path);
	if (r < 0)
		return r;
	if (!kc_change_is_of_mode(&u->change)) {
		const char *path = kc_record_get(record, "stage");

		u->stage = kc_stage_find(t, *path ? path : NULL);
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

	if (kc_change_is_of_mode(&u->change))
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
	int r = kc_stage_for(u->t, &u->place, err, &stage);

	if (r == 0 && before->type == KC_FILE_REGULAR)
		r = read_backup(u, &content, err);
	/* A rollback that was cut off may have left one. */
	if (r == 0)
		r = kc_stage_sweep(u->t, stage, u->undo_slot, before, &u->change.after, err);
	if (r == 0)
		r = kc_slot_put(stage->fd, u->undo_slot, before, content.data, content.len, true,
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
	r = kc_stage_for(u->t, &u->place, err, &stage);
	if (r == 0)
		r = kc_stage_sweep(u->t, stage, u->undo_slot, &u->change.after, NULL, err);
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
	if (kc_change_is_of_mode(&u->change) && u->now.type == u->change.before.type && u->fd >= 0)
		return kc_change_apply_mode(u->fd, &u->change.before, err);
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
		r = kc_stage_sweep(u->t, stage, u->slot, before, after, err);
		if (r == 0)
			r = kc_stage_sweep(u->t, stage, u->undo_slot, before, after, err);
		if (r == 0)
			r = kc_slot_remove_part(stage->fd, u->slot, err);
		if (r == 0)
			r = kc_slot_remove_part(stage->fd, u->undo_slot, err);
	}
	return r;
}

static int undo(struct undoing *u, unsigned flags, struct kc_err *err)
{
	enum standing stands = standing(u);
	bool ours = times_are_ours(u);
	int r = 0;

	if (stands == STANDS_FOREIGN && !(flags & KC_UNDO_FORCE))
		return kc_err_set(
			err, -EBUSY,
			"it is neither what the repair made of it nor what it was before: "
			"somebody has changed it since, and it is left alone");
	/* Without room for a record the way back is the same; it is merely not marked. */
	if (stands != STANDS_BEFORE)
		(void)note_of(u, "undo", "times", ours ? "ours" : "theirs", NULL);
	if (stands == STANDS_DISPLACED)
		r = put_slot(u, u->stage, u->slot, err);
	else if (stands != STANDS_BEFORE)
		r = restore(u, err);
	if (r == 0)
		r = clean_up(u, err);
	if (r == 0 && ours && stands != STANDS_DISPLACED)
		r = kc_folder_times_set(u->place.dir, kc_record_get(u->record, "parent"), err);
	if (r == 0)
		(void)note_of(u, "undone", NULL, NULL, NULL);
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
		r = kc_change_note_done(u->t, &u->place, u->record->number, err);
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

/* ---- files that others wrote ---- */

static int put_back(struct undoing *u, const char *times, struct kc_err *err)
{
	int r = 0;

	if (kc_node_same(&u->now, &u->change.before))
		r = 0;
	else if (!u->change.before.type)
		r = take_away(u, err);
	else
		r = put_copy(u, err);
	/* What the other side wrote goes: it was made by our asking. */
	for (size_t i = 0; i < u->t->n_stages && r == 0; i++) {
		if (u->t->stages[i].fd >= 0)
			r = kc_stage_sweep(u->t, u->t->stages + i, u->undo_slot, &u->now,
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
		r = kc_change_look_open(&u.place, KC_NODE_CONTENT, &u.arena, err, &u.now, NULL,
					&u.fd);
	if (r < 0)
		return r;
	u.change = (struct kc_change){ .path = path, .before = *before, .after = u.now };
	(void)snprintf(u.slot, sizeof(u.slot), "%s", slot);
	(void)snprintf(u.undo_slot, sizeof(u.undo_slot), "%s.undo", u.slot);
	r = put_back(&u, times, err);
	return r < 0 && err ? kc_err_prefix(err, "%s", path) : r;
}
