/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/grow.h"
#include "manifest-brief.h"
#include "open.h"
#include "schema.h"
#include "search.h"

enum {
	NAMES_MAX = 10000
};

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

struct names {
	const char **items;
	size_t n, size;
};

static void names_done(struct names *names)
{
	free(names->items);
}

static int add_name(struct names *names, struct kc_arena *arena, const char *file)
{
	char *name = kc_arena_memdup(arena, file, strlen(file) - strlen(".yaml"));
	const char **items;

	if (!name)
		return -ENOMEM;
	if (!kc_is_name(name))
		return 0;
	if (names->n == NAMES_MAX)
		return -E2BIG;
	items = kc_grow(names->items, names->n, &names->size, sizeof(*items));
	if (!items)
		return -ENOMEM;
	names->items = items;
	names->items[names->n++] = name;
	return 0;
}

static int read_dir(const char *path, struct kc_arena *arena, struct names *names)
{
	kc_cleanup(closedirp) DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	for (errno = 0; r == 0 && (entry = readdir(dir)); errno = 0) {
		if (kc_endswith(entry->d_name, ".yaml"))
			r = add_name(names, arena, entry->d_name);
	}
	return r < 0 ? r : -errno;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int kc_profile_names(const char *const *dirs, struct kc_arena *arena, struct kc_err *err,
		     const char *const **ret_names)
{
	kc_cleanup(names_done) struct names names = { 0 };
	const char **list;
	size_t n = 0;

	KC_FOREACH_STR (dir, dirs) {
		int r = read_dir(dir, arena, &names);

		if (r < 0)
			return kc_err_set(err, r, "cannot list the folder %s: %s", dir,
					  kc_strerror(r));
	}
	if (names.n > 0)
		qsort(names.items, names.n, sizeof(*names.items), compare);
	list = kc_arena_zalloc(arena, names.n + 1, sizeof(*list));
	if (!list)
		return kc_err_set(err, -ENOMEM, "%s", kc_strerror(ENOMEM));
	for (size_t i = 0; i < names.n; i++) {
		if (n == 0 || !kc_streq(list[n - 1], names.items[i]))
			list[n++] = names.items[i];
	}
	*ret_names = list;
	return 0;
}

static int not_found(const char *const *dirs, const char *what, const char *name,
		     struct kc_arena *arena, struct kc_err *err)
{
	kc_cleanup(kc_buf_done) struct kc_buf where = { 0 };
	const char *const *names = NULL;
	struct kc_hint hint = { "" };

	KC_FOREACH_STR (dir, dirs)
		kc_buf_addf(&where, "%s%s", where.len ? ", " : "", dir);
	/* A folder that cannot be listed leaves the message without a nearest name, no more. */
	if (kc_profile_names(dirs, arena, NULL, &names) == 0)
		hint = kc_hint(name, names);
	return kc_err_set(err, -ENOENT, "there is no %s '%.100s' in %s%s", what, name,
			  where.len ? where.data : "any folder", hint.text);
}

int kc_search_open(const char *const *dirs, const char *what, const char *name,
		   struct kc_trust_folder *folder, struct kc_arena *arena, struct kc_err *err,
		   int *ret_fd, const char **ret_path, struct kc_err *ret_distrust)
{
	if (!kc_is_name(name))
		return kc_err_set(
			err, -EINVAL,
			"a %s's name is [a-z0-9.-]+ without a dash or dot at its start, this is "
			"'%.100s'",
			what, name);
	KC_FOREACH_STR (dir, dirs) {
		const char *slash = kc_endswith(dir, "/") ? "" : "/";
		char *path = kc_arena_printf(arena, "%s%s%s.yaml", dir, slash, name);
		int r;

		if (!path)
			return kc_err_set(err, -ENOMEM, "%s", kc_strerror(ENOMEM));
		r = kc_profile_open(path, folder, err, ret_fd, ret_distrust);
		if (r == 0)
			*ret_path = path;
		if (r != -ENOENT && r != -ENOTDIR)
			return r;
	}
	return not_found(dirs, what, name, arena, err);
}

static const struct kc_manifest *find_cached(const struct kc_manifest_cache *cache,
					     const char *name)
{
	for (uint32_t i = 0; i < cache->n; i++) {
		if (kc_streq(cache->items[i]->name, name))
			return cache->items[i];
	}
	return NULL;
}

static int cache_add(struct kc_manifest_cache *cache, const struct kc_manifest *manifest,
		     struct kc_arena *arena)
{
	const struct kc_manifest **items = kc_arena_zalloc(arena, cache->n + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (uint32_t i = 0; i < cache->n; i++)
		items[i] = cache->items[i];
	items[cache->n++] = manifest;
	cache->items = items;
	return 0;
}

static int64_t mtime_of(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
}

static void read_index(const struct kc_manifest_cache *cache, const char *dir,
		       struct kc_arena *arena, struct kc_manifest_index *index)
{
	const char *path = kc_arena_printf(arena, "%s/" KC_MANIFEST_INDEX_NAME, dir);
	kc_cleanup(kc_buf_done) struct kc_buf data = { 0 };
	kc_cleanup(kc_closep) int vetted = -EBADF, fd = -EBADF;
	struct stat st;

	if (path && *path == '/' &&
	    kc_trust_open_near(cache->folder, path, KC_TRUST_STICKY, NULL, &vetted) == 0)
		fd = kc_fd_reopen(vetted, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0 || kc_read_all(fd, KC_MANIFEST_INDEX_MAX, &data) < 0 ||
	    data.len == 0)
		return;
	index->data = kc_arena_memdup(arena, data.data, data.len);
	index->size = index->data ? data.len : 0;
	index->mtime_usec = mtime_of(&st);
}

/* The index of a folder, which is empty when there is none that can be used. */
static const struct kc_manifest_index *index_of(struct kc_manifest_cache *cache, const char *dir,
						size_t dir_len, struct kc_arena *arena)
{
	static const struct kc_manifest_index none;
	struct kc_folder_index *items, *item;

	for (size_t i = 0; i < cache->n_indexes; i++) {
		item = cache->indexes + i;
		if (strlen(item->dir) == dir_len && !memcmp(item->dir, dir, dir_len))
			return &item->index;
	}
	items = kc_arena_grow(arena, cache->indexes, cache->n_indexes, &cache->indexes_room,
			      sizeof(*items));
	if (!items)
		return &none;
	cache->indexes = items;
	item = items + cache->n_indexes;
	*item = (struct kc_folder_index){ .dir = kc_arena_memdup(arena, dir, dir_len) };
	if (!item->dir)
		return &none;
	read_index(cache, item->dir, arena, &item->index);
	cache->n_indexes++;
	return &item->index;
}

static int find_indexed(struct kc_manifest_cache *cache, const char *name, const char *path,
			const struct kc_buf *text, struct kc_arena *arena,
			const struct kc_manifest **ret_manifest)
{
	const char *slash = strrchr(path, '/');
	const struct kc_manifest_index *index;

	if (!slash)
		return -ENOENT;
	index = index_of(cache, path, (size_t)(slash - path), arena);
	return kc_manifest_index_find(index, name, path, text->data, text->len, arena,
				      ret_manifest);
}

/* What the brief text makes wrong, the whole one tells right. */
static int parse(struct kc_manifest_cache *cache, const char *name, const char *path,
		 const struct kc_buf *text, struct kc_arena *arena, struct kc_err *err,
		 const struct kc_manifest **ret_manifest)
{
	kc_cleanup(kc_buf_done) struct kc_buf less = { 0 };

	if (cache->brief && find_indexed(cache, name, path, text, arena, ret_manifest) == 0)
		return 0;
	if (cache->brief)
		kc_manifest_brief(text->data, text->len, &less);
	if (cache->brief && kc_buf_error(&less) == 0 &&
	    kc_manifest_parse(path, less.data, less.len, arena, err, ret_manifest) == 0)
		return 0;
	return kc_manifest_parse(path, text->data, text->len, arena, err, ret_manifest);
}

static int read_manifest(const char *const *plugin_dirs, const char *name,
			 struct kc_manifest_cache *cache, struct kc_arena *arena,
			 struct kc_err *err, const struct kc_manifest **ret_manifest)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	const struct kc_manifest *m = NULL;
	const char *path = NULL;
	struct kc_manifest *own;
	struct kc_err distrust;
	int r;

	r = kc_search_open(plugin_dirs, "plugin", name, cache->folder, arena, err, &fd, &path,
			   &distrust);
	if (r < 0)
		return r;
	r = kc_read_all(fd, KC_MANIFEST_SIZE_MAX, &text);
	if (r < 0)
		return kc_err_set(err, r, "cannot read %s: %s", path, kc_strerror(r));
	r = parse(cache, name, path, &text, arena, err, &m);
	if (r < 0)
		return r;
	if (!kc_streq(m->name, name))
		return kc_err_set(err, -EINVAL,
				  "%s: this is the manifest of '%s'; it must be called %s.yaml",
				  path, m->name, m->name);
	own = kc_arena_zalloc(arena, 1, sizeof(*own));
	if (!own)
		return kc_err_set(err, -ENOMEM, "%s", kc_strerror(ENOMEM));
	*own = *m;
	/* A manifest alone runs nothing; whoever loads the plugin goes by this. */
	if (distrust.text[0]) {
		own->distrust = kc_arena_strdup(arena, distrust.text);
		if (!own->distrust)
			return kc_err_set(err, -ENOMEM, "%s", kc_strerror(ENOMEM));
	}
	*ret_manifest = own;
	return 0;
}

int kc_manifest_load(const char *const *plugin_dirs, const char *name,
		     struct kc_manifest_cache *cache, struct kc_arena *arena, struct kc_err *err,
		     const struct kc_manifest **ret_manifest)
{
	const struct kc_manifest *m = find_cached(cache, name);
	int r;

	if (m) {
		*ret_manifest = m;
		return 0;
	}
	r = read_manifest(plugin_dirs, name, cache, arena, err, &m);
	if (r < 0)
		return r;
	r = cache_add(cache, m, arena);
	if (r < 0)
		return kc_err_set(err, r, "%s", kc_strerror(r));
	*ret_manifest = m;
	return 0;
}

int kc_manifest_load_all(const char *const *plugin_dirs, struct kc_manifest_cache *cache,
			 struct kc_arena *arena, struct kc_err *err)
{
	const char *const *names = NULL;
	int r = kc_profile_names(plugin_dirs, arena, err, &names);

	if (r < 0)
		return r;
	KC_FOREACH_STR (name, names) {
		const struct kc_manifest *m;

		if (kc_manifest_load(plugin_dirs, name, cache, arena, err, &m) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

/* 1 or 0; a negative errno: the index does not know. */
static int gathers_by_index(const char *dir, const char *name, const char *path,
			    struct kc_manifest_cache *cache, struct kc_arena *arena)
{
	struct stat st;

	if (!cache->brief || stat(path, &st) < 0)
		return -ENOENT;
	return kc_manifest_index_gathers(index_of(cache, dir, strlen(dir), arena), name,
					 (uint64_t)st.st_size, mtime_of(&st));
}

static bool may_gather_in(const char *dir, const char *name, struct kc_manifest_cache *cache,
			  struct kc_arena *arena)
{
	kc_cleanup(kc_freep) char *path = kc_asprintf("%s/%s.yaml", dir, name);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	kc_cleanup(kc_closep) int fd = -EBADF;
	int indexed = path ? gathers_by_index(dir, name, path, cache, arena) : -ENOMEM;

	if (indexed >= 0)
		return indexed;
	fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) : -EBADF;
	if (fd < 0 || kc_read_all(fd, KC_MANIFEST_SIZE_MAX, &text) < 0)
		return true;
	return text.len > 0 && memmem(text.data, text.len, "facts", strlen("facts")) != NULL;
}

bool kc_manifest_may_gather(const char *const *plugin_dirs, const char *name,
			    struct kc_manifest_cache *cache, struct kc_arena *arena)
{
	KC_FOREACH_STR (dir, plugin_dirs) {
		if (may_gather_in(dir, name, cache, arena))
			return true;
	}
	return false;
}

int kc_manifest_load_gatherers(const char *const *plugin_dirs, struct kc_manifest_cache *cache,
			       struct kc_arena *arena)
{
	const char *const *names = NULL;
	int r = kc_profile_names(plugin_dirs, arena, NULL, &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	KC_FOREACH_STR (name, names) {
		const struct kc_manifest *m;

		if (!find_cached(cache, name) &&
		    kc_manifest_may_gather(plugin_dirs, name, cache, arena) &&
		    kc_manifest_load(plugin_dirs, name, cache, arena, NULL, &m) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}
