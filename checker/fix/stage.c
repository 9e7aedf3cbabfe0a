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
	int r = !grown ? -ENOMEM : stage.fd >= 0 ? locate(&stage) : 0;

	if (r < 0)
		return r;
	t->stages = grown;
	t->stages[t->n_stages++] = stage;
	return 0;
}

/* Whether a folder may be one of this transaction's stages, whatever the journal says. */
static bool is_stage_path(const struct kc_transaction *t, const char *path)
{
	const char *name = path ? strrchr(path, '/') : NULL, *id;

	id = name ? kc_after_prefix(name, "/.k8scheck-") : NULL;
	return id && *path == '/' && kc_streq(id, t->id);
}

int kc_stage_reopen_all(struct kc_transaction *t, struct kc_err *err)
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
			r = kc_stage_add(t, stage);
		if (r < 0)
			return r;
	}
	return 0;
}

const struct kc_staging *kc_stage_find(const struct kc_transaction *t, const char *path)
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
	if (r < 0)
		return r;
	stage->fd = TAKE_FD(fd);
	r = locate(stage);
	return r < 0 ? kc_err_set(err, r, "%s cannot be used: %s", stage->path, kc_strerror(r)) : 0;
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
	r = kc_stage_add(t, (struct kc_staging){
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

int kc_stage_remove(struct kc_transaction *t, const struct kc_staging *stage, struct kc_err *err)
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
