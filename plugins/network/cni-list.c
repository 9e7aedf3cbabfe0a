/* SPDX-License-Identifier: Apache-2.0 */
#include "cni.h"

struct reading {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *dir;
	const struct kc_strings *plugin_dirs;
};

static int note(struct cni_network *network, uint32_t state, const char *why)
{
	network->state = state;
	network->why = why;
	return why ? 0 : -ENOMEM;
}

/* 1: one of the folders has the plugin; 0: none; -EIO: that cannot be told, *ret_why says why. */
static int find_plugin(const struct reading *rd, const char *type, const char **ret_why)
{
	for (size_t i = 0; i < rd->plugin_dirs->n; i++) {
		struct kc_stat st = { .size_of = sizeof(st) };
		const char *path =
			kc_arena_printf(rd->arena, "%s/%s", rd->plugin_dirs->item[i], type);
		int r = path ? kc_stat(rd->host, rd->run, path, 0, &st) : -ENOMEM;

		if (r == -ENOMEM)
			return r;
		if (!r && st.type == KC_FILE_REGULAR)
			return 1;
		if (r && r != -ENOENT && r != -ENOTDIR && r != -ELOOP) {
			*ret_why = kc_arena_strdup(rd->arena, kc_why(rd->host, rd->run));
			return *ret_why ? -EIO : -ENOMEM;
		}
	}
	return 0;
}

/* Whether the plugins of a usable network are there. */
static int validate(const struct reading *rd, struct cni_network *network)
{
	KC_FOREACH_STR (type, network->types) {
		const char *why = NULL;
		int r = strchr(type, '/') ? 0 : find_plugin(rd, type, &why);

		if (r == -EIO)
			return note(network, CNI_UNSURE, why);
		if (r < 0)
			return r;
		if (!r)
			return note(network, CNI_SKIPPED,
				    kc_arena_printf(rd->arena,
						    "its plugin \"%s\" is in none of "
						    "the plugin folders",
						    type));
	}
	return 0;
}

static int read_network(const struct reading *rd, const char *file, struct cni_network *network)
{
	struct kc_bytes bytes;
	const char *path = kc_arena_printf(rd->arena, "%s/%s", rd->dir, file);
	int r;

	if (!path)
		return -ENOMEM;
	network->file = file;
	network->path = path;
	r = kc_read_file(rd->host, rd->run, path, CNI_FILE_MAX, &bytes);
	if (r == -ENOENT && !kc_is_link(rd->host, rd->run, path))
		return note(network, CNI_UNSURE, KC_CAME_OR_WENT);
	if (r == -ENOENT || r == -ELOOP)
		return note(network, CNI_SKIPPED, "it is a link that leads nowhere");
	if (r == -EISDIR)
		return note(network, CNI_SKIPPED, "it is a folder");
	if (r == -ENOMEM)
		return r;
	if (r)
		return note(network, CNI_UNSURE,
			    kc_arena_strdup(rd->arena, kc_why(rd->host, rd->run)));
	r = cni_file_parse(file, bytes.data, bytes.size, rd->arena, network);
	network->path = path;
	if (r || network->state != CNI_USABLE || !rd->plugin_dirs->n)
		return r;
	return validate(rd, network);
}

int cni_list_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		  const char *dir, const struct kc_strings *plugin_dirs, struct cni_list *ret_list)
{
	const struct reading rd = {
		.host = host, .run = run, .arena = arena, .dir = dir, .plugin_dirs = plugin_dirs
	};
	struct cni_list list = { 0 };
	struct kc_strings names;
	int r;

	r = kc_list_dir(host, run, dir, &names);
	if (r == -ENOENT) {
		*ret_list = list;
		return 0;
	}
	if (r)
		return r;
	list.item = kc_arena_zalloc(arena, KC_MIN(names.n, (size_t)CNI_FILES_MAX) + 1,
				    sizeof(*list.item));
	if (!list.item)
		return -ENOMEM;
	for (size_t i = 0; i < names.n; i++) {
		if (!cni_name_counts(names.item[i]))
			continue;
		if (list.n == CNI_FILES_MAX)
			return -E2BIG;
		r = read_network(&rd, names.item[i], &list.item[list.n]);
		if (r)
			return r;
		list.n++;
	}
	*ret_list = list;
	return 0;
}
