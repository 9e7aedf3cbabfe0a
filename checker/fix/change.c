/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "change-parts.h"
#include "exchange.h"
#include "folder-times.h"

bool kc_change_is_of_mode(const struct kc_change *change)
{
	return change->before.type == change->after.type && !change->before.sha256 &&
	       !change->before.link;
}

unsigned kc_change_look_flags(const struct kc_change *change)
{
	return kc_change_is_of_mode(change) ? 0 : KC_NODE_CONTENT;
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

int kc_change_look_open(const struct kc_fix_place *place, unsigned flags, struct kc_arena *arena,
			struct kc_err *err, struct kc_node *ret_node, struct kc_buf *content,
			int *ret_fd)
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

	return kc_change_look_open(place, flags, arena, err, ret_node, content, &fd);
}

/* ---- doing ---- */

int kc_change_back_up(struct kc_transaction *t, const char *slot, const struct kc_node *node,
		      const struct kc_buf *content, struct kc_err *err)
{
	int r;

	/* One without a record is of a run that was cut off before it. */
	if (unlinkat(t->backup, slot, 0) < 0 && errno != ENOENT)
		return kc_err_set(err, -errno, "an old backup cannot be removed: %s",
				  kc_strerror(errno));
	r = kc_slot_write(t->backup, slot, content->data, content->len, node, true, err);
	if (r == 0 && fsync(t->backup) < 0)
		r = kc_err_set(err, -errno, "it cannot be made durable: %s", kc_strerror(errno));
	return r < 0 && err ? kc_err_prefix(err, "the backup") : r;
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

int kc_change_note_done(struct kc_transaction *t, const struct kc_fix_place *place, uint32_t record,
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

int kc_change_apply_mode(int fd, const struct kc_node *node, struct kc_err *err)
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
	char slot[KC_SLOT_MAX];
	const struct kc_exchange x = {
		.root = t->root,
		.place = place,
		.stage = stage ? stage->fd : -EBADF,
		.slot = slot,
		.expected = &change->before,
		.expected_fd = change->before.type == KC_FILE_REGULAR ? fd : -EBADF,
	};
	int r;

	kc_slot_name(record, slot);
	if (!stage)
		return kc_change_apply_mode(fd, &change->after, err);
	if (!change->after.type)
		return kc_exchange_take(&x, err);
	r = kc_slot_put(stage->fd, slot, &change->after, change->content, change->size, false, err);
	return r < 0 ? r : kc_exchange_put(&x, err);
}

static int change_place(struct kc_transaction *t, const struct kc_change *change,
			const struct kc_fix_place *place, struct kc_err *err, uint32_t *ret_record)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf content = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	const struct kc_staging *stage = NULL;
	char slot[KC_SLOT_MAX];
	struct kc_node now;
	int r = kc_change_look_open(place, kc_change_look_flags(change), &arena, err, &now,
				    &content, &fd);

	if (r < 0)
		return r;
	if (!kc_node_untouched(&now, &change->before))
		return kc_err_set(err, -EBUSY, "it has changed since the plan was made");
	if (!kc_change_is_of_mode(change))
		r = kc_stage_for(t, place, err, &stage);
	/* Behind the stage, which may take a record of its own. */
	kc_slot_name(t->journal.last + 1, slot);
	if (r == 0 && stage && now.type == KC_FILE_REGULAR)
		r = kc_change_back_up(t, slot, &now, &content, err);
	if (r == 0)
		r = note_change(t, change, place, stage, err, ret_record);
	if (r == 0)
		r = carry_out(t, change, place, stage, *ret_record, fd, err);
	return r < 0 ? r : kc_change_note_done(t, place, *ret_record, err);
}

int kc_change_do(struct kc_transaction *t, const struct kc_change *change, struct kc_err *err,
		 uint32_t *ret_record)
{
	struct kc_fix_place place;
	int r = kc_stage_settle(t, err);

	*ret_record = 0;
	if (r == 0)
		r = kc_place_open(t->root, change->path, 0, err, &place);
	if (r < 0)
		return r;
	if (kc_streq(place.path, change->path))
		r = change_place(t, change, &place, err, ret_record);
	else
		r = kc_err_set(err, -EBUSY, "it leads to %s since the plan was made", place.path);
	kc_place_done(&place);
	return r < 0 && err ? kc_err_prefix(err, "%s", change->path) : r;
}

/* ---- the end ---- */

static int settle(struct kc_transaction *t, const struct kc_record *record, struct kc_err *err)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	const char *path = kc_record_get(record, "stage");
	const struct kc_staging *stage;
	struct kc_change change;
	struct kc_node node;
	char slot[KC_SLOT_MAX];
	int r = kc_change_read(record, &arena, err, &change);

	stage = r == 0 ? kc_stage_find(t, *path ? path : NULL) : NULL;
	if (r < 0 || !stage)
		return r;
	kc_slot_name(record->number, slot);
	if (stage->record)
		return kc_stage_sweep(t, stage, slot, &change.before, &change.after, err);
	r = kc_node_read(stage->fd, slot, KC_NODE_CONTENT, &arena, err, &node, NULL, NULL);
	if (r < 0 || !node.type || kc_node_same_content(&node, &change.before))
		return r;
	return kc_stage_sweep(t, stage, slot, &change.before, &change.after, err);
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

/* ---- its record ---- */

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
