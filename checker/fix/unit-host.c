/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-host.h"

static struct kc_unit_host *host_of(struct kc_run *run)
{
	return (struct kc_unit_host *)(void *)run;
}

static int is_live(struct kc_run *run)
{
	return kc_root_is_live(host_of(run)->root);
}

static const char *why(struct kc_run *run)
{
	return host_of(run)->err.text;
}

static void *allocate(struct kc_run *run, size_t size)
{
	return kc_arena_alloc(host_of(run)->arena, size);
}

static void ignore(struct kc_run *run, uint32_t level, const char *text)
{
}

static int keep(struct kc_run *run, struct kc_buf *b, const char **ret_text)
{
	char *copy = kc_buf_error(b) < 0
			     ? NULL
			     : kc_arena_memdup(host_of(run)->arena, b->data ? b->data : "", b->len);

	if (!copy)
		return kc_err_set(&host_of(run)->err, -ENOMEM, "out of memory");
	*ret_text = copy;
	return 0;
}

static int read_file(struct kc_run *run, const char *path, size_t max, struct kc_bytes *ret_bytes)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_unit_host *host = host_of(run);
	int r = kc_root_read(host->root, path, max, &host->err, &b);

	if (r == 0)
		r = keep(run, &b, &ret_bytes->data);
	if (r == 0)
		ret_bytes->size = b.len;
	return r;
}

static int read_link(struct kc_run *run, const char *path, const char **ret_target)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_unit_host *host = host_of(run);
	int r = kc_root_read_link(host->root, path, &host->err, &b);

	return r < 0 ? r : keep(run, &b, ret_target);
}

static int list_dir(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	struct kc_unit_host *host = host_of(run);

	return kc_root_list(host->root, path, host->arena, &host->err, ret_names);
}

static int stat_path(struct kc_run *run, const char *path, uint32_t flags, struct kc_stat *ret_stat)
{
	struct kc_unit_host *host = host_of(run);

	return kc_root_stat(host->root, path, flags, &host->err, ret_stat);
}

static int list_links(struct kc_run *run, const char *path, struct kc_strings *ret_names)
{
	struct kc_unit_host *host = host_of(run);
	struct kc_strings names;
	const char **links;
	size_t n = 0;
	int r = list_dir(run, path, &names);

	if (r < 0)
		return r;
	links = kc_arena_zalloc(host->arena, names.n + 1, sizeof(*links));
	if (!links)
		return kc_err_set(&host->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n; i++) {
		struct kc_stat st = { .size_of = sizeof(st) };
		char *full = kc_arena_printf(host->arena, "%s/%s", path, names.item[i]);

		if (full && stat_path(run, full, KC_NOFOLLOW, &st) == 0 &&
		    st.type == KC_FILE_SYMLINK)
			links[n++] = names.item[i];
	}
	*ret_names = (struct kc_strings){ .n = n, .item = links };
	return 0;
}

static int resolve(struct kc_run *run, const char *path, const char **ret_path)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_unit_host *host = host_of(run);
	int r = kc_root_resolve(host->root, path, &host->err, &b);

	return r < 0 ? r : keep(run, &b, ret_path);
}

const struct kc_host kc_unit_host_table = {
	.size = sizeof(struct kc_host),
	.abi_major = KC_ABI_MAJOR,
	.abi_minor = KC_ABI_MINOR,
	.is_live = is_live,
	.why = why,
	.log = ignore,
	.alloc = allocate,
	.read_file = read_file,
	.read_link = read_link,
	.list_dir = list_dir,
	.list_links = list_links,
	.stat = stat_path,
	.resolve = resolve,
};
