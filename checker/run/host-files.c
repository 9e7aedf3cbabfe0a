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
	r = kc_root_read(run->root, path, KC_MIN(max, (size_t)KC_RUN_MEMORY_MAX), &err, &b);
	if (r < 0)
		return fail_first(run, KC_MEMO_FILE, 0, path, &err);
	return known ? keep(run, &b, ret_bytes)
		     : keep_bytes(run, KC_MEMO_FILE, path, &b, ret_bytes);
}

int kc_host_open_file(struct kc_run *run, const char *path, uint32_t flags, int *ret_fd)
{
	struct kc_err err = { 0 };
	int r = kc_root_open_file(run->root, path, flags, &err, ret_fd);

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

int kc_host_read_link(struct kc_run *run, const char *path, const char **ret_target)
{
	return read_text(run, KC_MEMO_LINK, kc_root_read_link, path, ret_target);
}

/* A reader of the names in a folder. */
typedef int names_reader(const struct kc_root *root, const char *path, struct kc_arena *arena,
			 struct kc_err *err, struct kc_strings *ret_names);

static int read_names(struct kc_run *run, enum kc_memo_kind kind, names_reader *reader,
		      const char *path, struct kc_strings *ret_names)
{
	const struct kc_memo_entry *known = kc_memo_find(run->memo, kind, 0, path);
	struct kc_arena *arena = kc_memo_arena(run->memo);
	struct kc_err err = { 0 };
	int r;

	if (known && known->code < 0)
		return fail_again(run, known);
	if (known) {
		*ret_names = known->names;
		return 0;
	}
	r = reader(run->root, path, arena ? arena : kc_host_arena(run), &err, ret_names);
	if (r == -ENOMEM && arena) {
		arena = NULL;
		r = reader(run->root, path, kc_host_arena(run), &err, ret_names);
	}
	if (r < 0)
		return fail_first(run, kind, 0, path, &err);
	if (arena)
		kc_memo_names(run->memo, kind, path, ret_names);
	return 0;
}

int kc_host_list_dir(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	return read_names(run, KC_MEMO_LIST, kc_root_list, path, ret_names);
}

int kc_host_list_links(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	return read_names(run, KC_MEMO_LINKS, kc_root_list_links, path, ret_names);
}

int kc_host_stat(struct kc_run *run, const char *path, uint32_t flags, struct kc_stat *ret_stat)
{
	const struct kc_memo_entry *known = kc_memo_find(run->memo, KC_MEMO_STAT, flags, path);
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_err err = { 0 };
	uint32_t size = ret_stat->size_of;

	if (known && known->code < 0)
		return fail_again(run, known);
	if (known) {
		st = known->stat;
	} else {
		if (kc_root_stat(run->root, path, flags, &err, &st) < 0)
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
