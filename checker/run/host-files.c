/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"
#include "host-internal.h"

/* Moves what a reader put into a buffer into the run's memory. */
static int keep(struct kc_run *run, const struct kc_buf *b, struct kc_bytes *ret_bytes)
{
	char *copy;

	if (kc_buf_error(b) < 0)
		return kc_host_fail_memory(run);
	copy = kc_arena_memdup(kc_host_arena(run), b->data, b->len);
	if (!copy)
		return kc_host_fail_memory(run);
	*ret_bytes = (struct kc_bytes){ .data = copy, .size = b->len };
	return 0;
}

int kc_host_keep_string(struct kc_run *run, const struct kc_buf *b, const char **ret_text)
{
	struct kc_bytes bytes = { 0 };
	int r = keep(run, b, &bytes);

	if (r < 0)
		return r;
	*ret_text = bytes.data;
	return 0;
}

/* ---- what was read before ---- */

static int fail_again(struct kc_run *run, const struct kc_memo_entry *known)
{
	return kc_host_fail(run, known->code, "%s", known->why);
}

static int fail_first(struct kc_run *run, enum kc_memo_kind kind, uint32_t flags, const char *path,
		      const struct kc_err *err)
{
	kc_memo_failure(run->memo, kind, flags, path, err);
	return kc_host_fail_err(run, err);
}

static int fail_absent(struct kc_run *run, const char *path)
{
	struct kc_err err = { 0 };

	(void)kc_root_explain(&err, -ENOENT, path);
	return kc_host_fail_err(run, &err);
}

/*
 * The folder that a path's last part can be asked of. In an offline root each object's file system
 * has to be looked at, which kc_root_*() do.
 */
static const struct kc_folder *parent_of(const struct kc_run *run, const char *path,
					 const char **ret_name)
{
	return kc_root_is_live(run->root) ? kc_memo_parent(run->memo, path, ret_name) : NULL;
}

/* Hands out bytes, for this rule and for those after it. */
static int keep_bytes(struct kc_run *run, enum kc_memo_kind kind, const char *path,
		      const struct kc_buf *b, struct kc_bytes *ret_bytes)
{
	const struct kc_bytes *known = NULL;

	if (kc_buf_error(b) >= 0)
		known = kc_memo_bytes(run->memo, kind, path, b->data, b->len);
	if (!known)
		return keep(run, b, ret_bytes);
	*ret_bytes = *known;
	return 0;
}

/* A reader that appends text to a buffer: of a link, of a path without links. */
typedef int text_reader(const struct kc_root *root, const char *path, struct kc_err *err,
			struct kc_buf *b);

static int read_text(struct kc_run *run, enum kc_memo_kind kind, text_reader *reader,
		     const char *path, const char **ret_text)
{
	const struct kc_memo_entry *known = kc_memo_find(run->memo, kind, 0, path);
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_bytes bytes = { 0 };
	struct kc_err err = { 0 };
	int r;

	if (known && known->code < 0)
		return fail_again(run, known);
	if (known) {
		*ret_text = known->bytes.data;
		return 0;
	}
	if (kc_memo_is_absent(run->memo, kind == KC_MEMO_LINK ? KC_NOFOLLOW : 0, path))
		return fail_absent(run, path);
	if (reader(run->root, path, &err, &b) < 0)
		return fail_first(run, kind, 0, path, &err);
	r = keep_bytes(run, kind, path, &b, &bytes);
	if (r < 0)
		return r;
	*ret_text = bytes.data;
	return 0;
}

/* ---- the services ---- */

int kc_host_read_file(struct kc_run *run, const char *path, size_t max, struct kc_bytes *ret_bytes)
{
	const struct kc_memo_entry *known = kc_memo_find(run->memo, KC_MEMO_FILE, 0, path);
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_err err = { 0 };
	int r;

	if (known && known->code < 0)
		return fail_again(run, known);
	if (known && known->bytes.size <= max) {
		*ret_bytes = known->bytes;
		return 0;
	}
	if (!known && kc_memo_is_absent(run->memo, 0, path))
		return fail_absent(run, path);
	r = kc_root_read(run->root, path, KC_MIN(max, (size_t)KC_RUN_MEMORY_MAX), &err, &b);
	if (r < 0)
		return fail_first(run, KC_MEMO_FILE, 0, path, &err);
	return known ? keep(run, &b, ret_bytes)
		     : keep_bytes(run, KC_MEMO_FILE, path, &b, ret_bytes);
}

int kc_host_open_file(struct kc_run *run, const char *path, uint32_t flags, int *ret_fd)
{
	struct kc_err err = { 0 };
	int r;

	if (kc_memo_is_absent(run->memo, flags, path))
		return fail_absent(run, path);
	r = kc_root_open_file(run->root, path, flags, &err, ret_fd);
	return r < 0 ? kc_host_fail_err(run, &err) : 0;
}

int kc_host_open_dir(struct kc_run *run, const char *path, int *ret_fd)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct kc_err err = { 0 };
	struct stat st;

	if (kc_root_path_fd(run->root, path, 0, &err, &fd) < 0)
		return kc_host_fail_err(run, &err);
	if (fstat(fd, &st) < 0)
		return kc_host_fail(run, -errno, "%s: %s", path, kc_strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return kc_host_fail(run, -ENOTDIR, "%s: is not a folder", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* A link of a folder that was listed. */
static int read_link_in(struct kc_run *run, const struct kc_folder *folder, const char *name,
			const char *path, const char **ret_target)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_stat st = { .size_of = sizeof(st), .type = KC_FILE_SYMLINK };
	struct kc_bytes bytes = { 0 };
	struct kc_err err = { 0 };
	int r = 0;

	/* Who asks whether a file is a link mostly looks at it next: that is known then. */
	if (!kc_folder_has_link(folder, name))
		r = kc_host_stat(run, path, KC_NOFOLLOW, &st);
	if (r < 0)
		return r;
	r = st.type == KC_FILE_SYMLINK ? kc_folder_read_link(folder, name, path, &err, &b)
				       : kc_err_set(&err, -EINVAL, "%s: is no link", path);
	if (r < 0)
		return fail_first(run, KC_MEMO_LINK, 0, path, &err);
	r = keep_bytes(run, KC_MEMO_LINK, path, &b, &bytes);
	if (r < 0)
		return r;
	*ret_target = bytes.data;
	return 0;
}

int kc_host_read_link(struct kc_run *run, const char *path, const char **ret_target)
{
	const struct kc_folder *folder;
	const char *name;

	if (!kc_memo_find(run->memo, KC_MEMO_LINK, 0, path) &&
	    !kc_memo_is_absent(run->memo, KC_NOFOLLOW, path)) {
		folder = parent_of(run, path, &name);
		if (folder)
			return read_link_in(run, folder, name, path, ret_target);
	}
	return read_text(run, KC_MEMO_LINK, kc_root_read_link, path, ret_target);
}

/* Lists a folder and remembers it. It lives until the run's end, at least. */
static int list_folder(struct kc_run *run, enum kc_memo_kind kind, const char *path,
		       struct kc_folder *ret_folder)
{
	struct kc_arena *arena = kc_memo_arena(run->memo);
	const bool links = kind == KC_MEMO_LINKS;
	struct kc_err err = { 0 };
	int r;

	if (kc_memo_is_absent(run->memo, 0, path))
		return fail_absent(run, path);
	r = kc_folder_list(run->root, path, links, arena ? arena : kc_host_arena(run), &err,
			   ret_folder);
	if (r == -ENOMEM && arena) {
		arena = NULL;
		r = kc_folder_list(run->root, path, links, kc_host_arena(run), &err, ret_folder);
	}
	if (r < 0)
		return fail_first(run, kind, 0, path, &err);
	if (arena)
		kc_memo_folder(run->memo, kind, path, ret_folder);
	else
		ret_folder->fd = kc_close(ret_folder->fd);
	return 0;
}

int kc_host_list_dir(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	const struct kc_memo_entry *known = kc_memo_find(run->memo, KC_MEMO_LIST, 0, path);
	struct kc_folder folder;
	int r;

	if (known && known->code < 0)
		return fail_again(run, known);
	if (known) {
		*ret_names = known->folder.names;
		return 0;
	}
	r = list_folder(run, KC_MEMO_LIST, path, &folder);
	if (r == 0)
		*ret_names = folder.names;
	return r;
}

int kc_host_list_links(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	const struct kc_memo_entry *known = kc_memo_find(run->memo, KC_MEMO_LIST, 0, path);
	enum kc_memo_kind kind = KC_MEMO_LIST;
	struct kc_folder folder;
	int r;

	/* Where the list of names does not tell the links, they take another one. */
	if (known && known->code == 0 && !known->folder.has_links) {
		kind = KC_MEMO_LINKS;
		known = kc_memo_find(run->memo, kind, 0, path);
	}
	if (known && known->code < 0)
		return fail_again(run, known);
	if (known) {
		*ret_names = known->folder.links;
		return 0;
	}
	r = list_folder(run, kind, path, &folder);
	if (r == 0 && !folder.has_links)
		r = list_folder(run, KC_MEMO_LINKS, path, &folder);
	if (r == 0)
		*ret_names = folder.links;
	return r;
}

/* What is at a path, by the shortest way there. */
static int look_at(struct kc_run *run, const char *path, uint32_t flags, struct kc_err *err,
		   struct kc_stat *ret_stat)
{
	const char *name;
	const struct kc_folder *folder = parent_of(run, path, &name);
	int r;

	if (folder && !(flags & KC_NOFOLLOW) &&
	    (!folder->has_links || kc_folder_has_link(folder, name)))
		folder = NULL;
	if (folder) {
		r = kc_folder_stat(folder, name, path, err, ret_stat);
		if (r < 0 || (flags & KC_NOFOLLOW) || ret_stat->type != KC_FILE_SYMLINK)
			return r;
	}
	return kc_root_stat(run->root, path, flags, err, ret_stat);
}

/* What was learned of a path; what is no link is the same whether links are followed or not. */
static const struct kc_memo_entry *find_stat(const struct kc_run *run, const char *path,
					     uint32_t flags)
{
	const struct kc_memo_entry *known = kc_memo_find(run->memo, KC_MEMO_STAT, flags, path);

	if (known || flags & KC_NOFOLLOW)
		return known;
	known = kc_memo_find(run->memo, KC_MEMO_STAT, KC_NOFOLLOW, path);
	return known && known->code == 0 && known->stat.type != KC_FILE_SYMLINK ? known : NULL;
}

int kc_host_stat(struct kc_run *run, const char *path, uint32_t flags, struct kc_stat *ret_stat)
{
	const struct kc_memo_entry *known = find_stat(run, path, flags);
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_err err = { 0 };
	uint32_t size = ret_stat->size_of;

	if (known && known->code < 0)
		return fail_again(run, known);
	if (known) {
		st = known->stat;
	} else if (kc_memo_is_absent(run->memo, flags, path)) {
		return fail_absent(run, path);
	} else {
		if (look_at(run, path, flags, &err, &st) < 0)
			return fail_first(run, KC_MEMO_STAT, flags, path, &err);
		kc_memo_stat(run->memo, flags, path, &st);
	}
	memcpy(ret_stat, &st, KC_MIN((size_t)size, sizeof(st)));
	ret_stat->size_of = size;
	return 0;
}

int kc_host_resolve(struct kc_run *run, const char *path, const char **ret_path)
{
	return read_text(run, KC_MEMO_RESOLVE, kc_root_resolve, path, ret_path);
}

int kc_host_filesystem(struct kc_run *run, const char *path, struct kc_filesystem *ret_figures)
{
	struct kc_filesystem figures = { .size_of = sizeof(figures) };
	struct kc_err err = { 0 };
	uint32_t size = ret_figures->size_of;

	if (kc_root_filesystem(run->root, path, &err, &figures) < 0)
		return kc_host_fail_err(run, &err);
	memcpy(ret_figures, &figures, KC_MIN((size_t)size, sizeof(figures)));
	ret_figures->size_of = size;
	return 0;
}

int kc_host_label(struct kc_run *run, const char *path, const char **ret_label)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_err err = { 0 };

	if (kc_root_label(run->root, path, &err, &b) < 0)
		return kc_host_fail_err(run, &err);
	return kc_host_keep_string(run, &b, ret_label);
}
