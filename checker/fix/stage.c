/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "folder-times.h"
#include "slot.h"
#include "stage.h"
#include "transaction.h"

enum {
	KEPT_MAX = 100, /* of one slot, before and behind crashes */
};

/* Where a rename into it may come from. */
static int locate(struct kc_staging *stage)
{
	struct stat st;

	if (fstat(stage->fd, &st) < 0)
		return -errno;
	stage->device = st.st_dev;
	return kc_fd_mount(stage->fd, &stage->mount);
}

int kc_stage_add(struct kc_transaction *t, struct kc_staging stage)
{
	void *grown =
		kc_arena_grow(&t->arena, t->stages, t->n_stages, &t->stages_room, sizeof(stage));
	int r = !grown			       ? -ENOMEM
		: t->n_stages == KC_STAGES_MAX ? -E2BIG
		: stage.fd >= 0		       ? locate(&stage)
					       : 0;

	if (r < 0)
		return r;
	t->stages = grown;
	t->stages[t->n_stages++] = stage;
	return 0;
}

/* ---- times of the folder above ---- */

static int open_parent(const struct kc_transaction *t, const struct kc_staging *stage,
		       struct kc_err *err, int *ret_fd)
{
	const char *slash = strrchr(stage->path, '/');
	kc_cleanup(kc_freep) char *parent =
		strndup(stage->path, KC_MAX((size_t)(slash - stage->path), (size_t)1));

	return parent ? kc_place_open_folder(t->root, parent, err, ret_fd)
		      : kc_err_set(err, -ENOMEM, "out of memory");
}

static int settle(struct kc_transaction *t, struct kc_staging *stage, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r = stage->owed ? open_parent(t, stage, err, &fd) : -ENOENT;

	if (r == 0)
		r = kc_folder_times_set(fd, stage->owed, err);
	/* Others have removed it. */
	if (r < 0 && r != -ENOENT)
		return r;
	stage->owed = NULL;
	return 0;
}

int kc_stage_settle(struct kc_transaction *t, struct kc_err *err)
{
	int r = 0;

	for (size_t i = 0; i < t->n_stages && r == 0; i++)
		r = settle(t, t->stages + i, err);
	return r;
}

/* ---- those of an earlier run ---- */

/* Whether a folder may be one of this transaction's stages, whatever the journal says. */
static bool is_stage_path(const struct kc_transaction *t, const char *path)
{
	const char *name = path ? strrchr(path, '/') : NULL, *id;

	id = name ? kc_after_prefix(name, "/.k8scheck-") : NULL;
	return id && *path == '/' && kc_streq(id, t->id);
}

/* The last time that it was about to be removed. */
static const struct kc_record *find_removal(const struct kc_transaction *t, uint32_t stage)
{
	const struct kc_record *found = NULL, *next;

	while ((next = kc_transaction_find_next(t, "unstaging", stage, found)))
		found = next;
	return found;
}

/*
 * What the folder above was owed when the run was cut off. Nothing is noted between the record of a
 * stage and the times behind its making, nor between `unstaging` and those behind its end.
 */
static int find_owed(const struct kc_transaction *t, const struct kc_record *record,
		     struct kc_staging *stage)
{
	const struct kc_record *removal = find_removal(t, record->number);

	if (stage->fd >= 0 && record->number == t->text.n)
		stage->owed = kc_record_get(record, "parent");
	else if (stage->fd < 0 && removal)
		stage->owed = kc_record_get(removal, "parent");
	else
		return 0;
	return stage->owed ? 0 : -EBADMSG;
}

/*
 * The journal of an image may name any folder of it here. The worst that comes of it is that an
 * empty folder of this very name goes, and that the one above has another time: whoever made the
 * image could have made it so.
 */
static int reopen(struct kc_transaction *t, const struct kc_record *record, struct kc_err *err)
{
	struct kc_staging stage = {
		.path = kc_record_get(record, "path"),
		.fd = -EBADF,
		.record = record->number,
	};
	int r = is_stage_path(t, stage.path) ? 0 : -EBADMSG;

	if (r == 0) {
		r = kc_place_open_folder(t->root, stage.path, err, &stage.fd);
		if (r < 0 && r != -ENOENT)
			return r;
		r = find_owed(t, record, &stage);
	}
	if (r == 0)
		r = kc_stage_add(t, stage);
	if (r == 0)
		return 0;
	(void)kc_close(stage.fd);
	return kc_err_set(err, r,
			  r == -EBADMSG ? "record %u names a folder that k8scheck does not make"
					: "the staging folder of record %u cannot be used",
			  record->number);
}

int kc_stage_reopen_all(struct kc_transaction *t, struct kc_err *err)
{
	for (uint32_t i = 0; i < t->text.n; i++) {
		const struct kc_record *record = t->text.records + i;
		int r = 0;

		if (kc_streq(record->verb, "stage") &&
		    !kc_transaction_find(t, "unstage", record->number))
			r = reopen(t, record, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- making ---- */

const struct kc_staging *kc_stage_find(const struct kc_transaction *t, const char *path)
{
	for (size_t i = 0; i < t->n_stages; i++) {
		if (t->stages[i].fd >= 0 && kc_streq0(t->stages[i].path, path))
			return t->stages + i;
	}
	return NULL;
}

/* The name is one that nothing else has, in a folder that was looked at. */
static int make_folder(struct kc_transaction *t, int top, struct kc_staging stage,
		       struct kc_err *err)
{
	int r;

	if (mkdirat(top, strrchr(stage.path, '/') + 1, 0700) < 0)
		return kc_err_set(err, -errno, "%s cannot be made: %s", stage.path,
				  kc_strerror(errno));
	r = kc_place_open_folder(t->root, stage.path, err, &stage.fd);
	if (r < 0)
		return r;
	r = kc_stage_add(t, stage);
	if (r < 0) {
		(void)kc_close(stage.fd);
		return kc_err_set(err, r, "%s cannot be used: %s", stage.path, kc_strerror(r));
	}
	r = kc_stage_settle(t, err);
	if (r == 0 && fsync(top) < 0)
		r = kc_err_set(err, -errno, "%s cannot be made durable: %s", stage.path,
			       kc_strerror(errno));
	return r;
}

static int make_stage(struct kc_transaction *t, const struct kc_fix_place *place,
		      struct kc_err *err)
{
	kc_cleanup(kc_closep) int top = -EBADF;
	char times[KC_FOLDER_TIMES_MAX];
	struct kc_staging stage = {
		.path = kc_arena_printf(&t->arena, "%s/.k8scheck-%s",
					kc_streq(place->top, "/") ? "" : place->top, t->id),
		.fd = -EBADF,
	};
	int r = kc_place_open_folder(t->root, place->top, err, &top);

	if (r == 0)
		r = kc_folder_times(top, times, err);
	if (r < 0)
		return r;
	stage.owed = kc_arena_strdup(&t->arena, times);
	if (!stage.path || !stage.owed)
		return kc_err_set(err, -ENOMEM, "out of memory");
	r = kc_transaction_note(
		t, "stage",
		(const struct kc_pair[]){ { "path", stage.path }, { "parent", stage.owed } }, 2,
		err, &stage.record);
	return r < 0 ? r : make_folder(t, top, stage, err);
}

static const struct kc_staging *find_near(const struct kc_transaction *t,
					  const struct kc_fix_place *place)
{
	for (size_t i = 0; i < t->n_stages; i++) {
		const struct kc_staging *stage = t->stages + i;

		if (stage->fd >= 0 && stage->mount == place->mount &&
		    stage->device == place->device)
			return stage;
	}
	return NULL;
}

int kc_stage_for(struct kc_transaction *t, const struct kc_fix_place *place, struct kc_err *err,
		 const struct kc_staging **ret_stage)
{
	const struct kc_staging *stage = find_near(t, place);
	char folder[PATH_MAX];
	int r;

	if (stage) {
		*ret_stage = stage;
		return 0;
	}
	kc_place_folder(place, folder);
	/* CRI-O for one reads whatever lies in its folder, and below. */
	if (kc_streq(place->top, folder) && kc_endswith(folder, ".d"))
		return kc_err_set(err, -EBUSY,
				  "%s is a mount or subvolume of its own: nothing could be staged "
				  "there apart from what is read in it",
				  folder);
	r = make_stage(t, place, err);
	if (r < 0)
		return r;
	stage = find_near(t, place);
	if (!stage)
		return kc_err_set(err, -ESTALE, "%s is in another mount than it was before",
				  folder);
	*ret_stage = stage;
	return 0;
}

/* ---- clearing out ---- */

static int write_copy(int dir, const char *name, const struct kc_node *node,
		      const struct kc_buf *content)
{
	if (node->type != KC_FILE_SYMLINK)
		return kc_slot_write(dir, name, content->data, content->len, node, true, NULL);
	return symlinkat(node->link, dir, name) < 0
		       ? -errno
		       : kc_node_apply_link(dir, name, node, true, NULL);
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
	r = write_copy(t->backup, name, &node, &content);
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
						   stage->path ? stage->path : KC_STAGE_NAME, slot);
	else
		items[t->kept.n] = kc_arena_printf(
			&t->arena, KC_STORE_PATH "/transactions/%s/backup/%s", t->id, name);
	if (!items[t->kept.n])
		return kc_err_set(err, -ENOMEM, "out of memory");
	t->kept.n++;
	return 0;
}

int kc_stage_sweep(struct kc_transaction *t, const struct kc_staging *stage, const char *slot,
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
				  stage->path ? stage->path : KC_STAGE_NAME, slot, kc_strerror(r))
		     : 0;
}

static int note_of(struct kc_transaction *t, const struct kc_staging *stage, const char *verb,
		   const char *parent, struct kc_err *err)
{
	char of[16];

	(void)snprintf(of, sizeof(of), "%u", stage->record);
	return kc_transaction_note(t, verb,
				   (const struct kc_pair[]){ { "of", of }, { "parent", parent } },
				   parent ? 2 : 1, err, NULL);
}

static int remove_folder(struct kc_transaction *t, struct kc_staging *stage, struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char times[KC_FOLDER_TIMES_MAX];
	const char *owed;
	int r = open_parent(t, stage, err, &fd);

	if (r == 0)
		r = kc_folder_times(fd, times, err);
	if (r < 0)
		return r;
	owed = kc_arena_strdup(&t->arena, times);
	if (!owed)
		return kc_err_set(err, -ENOMEM, "out of memory");
	/* Without room for the record they are brought back all the same, unless it is cut off. */
	(void)note_of(t, stage, "unstaging", owed, NULL);
	if (unlinkat(fd, strrchr(stage->path, '/') + 1, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return kc_err_set(err, -errno, "%s cannot be removed: %s", stage->path,
				  kc_strerror(errno));
	stage->fd = kc_close(stage->fd);
	stage->owed = owed;
	return 0;
}

int kc_stage_remove(struct kc_transaction *t, struct kc_staging *stage, struct kc_err *err)
{
	int r = settle(t, stage, err);

	if (r == 0 && stage->fd >= 0) {
		r = remove_folder(t, stage, err);
		if (r == 0)
			r = settle(t, stage, err);
	}
	return r < 0 ? r : note_of(t, stage, "unstage", NULL, err);
}
