/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/num.h"
#include "world-internal.h"

/* The services that a folder of a working tree cannot serve: `filesystems`, `labels`, `owners`. */

static struct world *world_of(const struct kc_run *run)
{
	return run->ask_context;
}

static int refuse(struct kc_run *run, int code, const char *path, const char *why)
{
	(void)snprintf(run->why, sizeof(run->why), "%s: %s", path, why);
	return code;
}

static uint64_t size_of(struct world *w, const struct kc_yaml_node *item, const char *key,
			uint64_t fallback)
{
	const char *text = world_scalar(item, key);
	uint64_t size = fallback;

	if (text && kc_parse_size(text, &size) < 0)
		world_broken(w, "filesystems: not a size", text);
	return size;
}

static int table_filesystem(struct kc_run *run, const char *path, struct kc_filesystem *ret_figures)
{
	struct world *w = world_of(run);
	const struct kc_yaml_node *item = kc_yaml_get(kc_yaml_get(w->yaml, "filesystems"), path);
	struct kc_filesystem figures = { .size_of = sizeof(figures) };
	struct kc_stat st = { .size_of = sizeof(st) };
	uint32_t size = ret_figures->size_of;
	int r = kc_host_table.stat(run, path, 0, &st);

	if (r < 0)
		return r;
	if (!item) {
		world_complain(w, "asked for the file system behind %s, which `filesystems` lacks",
			       path);
		return refuse(run, -ENOSYS, path, "no figures in the case");
	}
	if (world_scalar(item, "error"))
		return refuse(run, world_errno(w, world_scalar(item, "error")), path,
			      world_scalar(item, "error"));
	figures.bytes = size_of(w, item, "bytes", 0);
	figures.bytes_free = size_of(w, item, "free", figures.bytes);
	figures.bytes_available = size_of(w, item, "available", figures.bytes_free);
	figures.inodes = size_of(w, item, "inodes", 0);
	figures.inodes_free = size_of(w, item, "inodes-free", figures.inodes);
	figures.type = size_of(w, item, "type", 0xef53); /* ext4 */
	memcpy(ret_figures, &figures, KC_MIN((size_t)size, sizeof(figures)));
	ret_figures->size_of = size;
	return 0;
}

static int table_label(struct kc_run *run, const char *path, const char **ret_label)
{
	struct world *w = world_of(run);
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *label = world_scalar(kc_yaml_get(w->yaml, "labels"), path);
	int r = kc_host_table.stat(run, path, 0, &st);

	if (r < 0)
		return r;
	if (!label)
		return refuse(run, -ENODATA, path, "no label");
	*ret_label = label;
	return 0;
}

/* All belongs to root, whoever checked the tree out, but for what `owners` says ("UID:GID"). */
static int table_stat(struct kc_run *run, const char *path, uint32_t flags,
		      struct kc_stat *ret_stat)
{
	struct world *w = world_of(run);
	const char *owner = world_scalar(kc_yaml_get(w->yaml, "owners"), path);
	unsigned uid = 0, gid = 0;
	int r = kc_host_table.stat(run, path, flags, ret_stat);

	if (r < 0)
		return r;
	if (owner && sscanf(owner, "%u:%u", &uid, &gid) != 2)
		world_broken(w, "owners: not UID:GID", owner);
	ret_stat->uid = uid;
	ret_stat->gid = gid;
	return r;
}

void world_host_table(struct kc_host *ret_table)
{
	*ret_table = kc_host_table;
	ret_table->filesystem = table_filesystem;
	ret_table->label = table_label;
	ret_table->stat = table_stat;
}
