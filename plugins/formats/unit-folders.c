/* SPDX-License-Identifier: Apache-2.0 */
#include "unit-internal.h"

const char *const kc_unit_dirs[] = {
	"/etc/systemd/system.control",
	"/etc/systemd/system",
	"/etc/systemd/system.attached",
	"/usr/local/lib/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
	NULL,
};

const char *kc_unit_path(struct kc_arena *arena, const char *dir, const char *name)
{
	/* By hand, since it is asked for hundreds of times in a run of milliseconds. */
	size_t n = strlen(dir), size = strlen(name) + 1;
	char *path = kc_arena_alloc(arena, n + 1 + size);

	if (!path)
		return NULL;
	memcpy(path, dir, n);
	if (!n || dir[n - 1] != '/')
		path[n++] = '/';
	memcpy(path + n, name, size);
	return path;
}

bool kc_unit_path_is_double(const struct kc_host *host, struct kc_run *run, const char *path)
{
	const char *lib;

	return kc_after_prefix(path, "/lib/") && kc_resolve(host, run, "/lib", &lib) == 0 &&
	       kc_streq(lib, "/usr/lib");
}

/* 1 when no unit folder has an entry of the name, whatever that may be. */
static int is_nowhere(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const char *name)
{
	size_t n = 0;

	while (kc_unit_dirs[n])
		n++;
	/* From the last, where units mostly are. */
	while (n-- > 0) {
		struct kc_stat stat = { .size_of = sizeof(stat) };
		const char *path = kc_unit_path(arena, kc_unit_dirs[n], name);
		int r = path ? kc_stat(host, run, path, KC_NOFOLLOW, &stat) : -ENOMEM;

		if (r == -ENOMEM)
			return r;
		if (r != -ENOENT && r != -ENOTDIR)
			return 0;
	}
	return 1;
}

int kc_unit_is_nowhere(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       const char *name)
{
	const char *template;
	int r = is_nowhere(host, run, arena, name);

	if (r <= 0 || kc_unit_name_kind(name) != KC_UNIT_INSTANCE)
		return r;
	template = kc_unit_name_template(arena, name);
	return template ? is_nowhere(host, run, arena, template) : -ENOMEM;
}

static bool is_known(const struct kc_unit_folders *folders, const char *resolved)
{
	for (size_t i = 0; i < folders->n; i++)
		if (kc_streq(folders->dir[i].resolved, resolved))
			return true;
	return false;
}

/* The names in a folder, or no more than that it is one: -ENOTDIR where it is not. */
static int look_into(const struct kc_unit_folders *folders, bool listed, const char *path,
		     struct kc_strings *names)
{
	struct kc_stat stat = { .size_of = sizeof(stat) };
	int r;

	if (listed)
		return kc_list_dir(folders->host, folders->run, path, names);
	r = kc_stat(folders->host, folders->run, path, 0, &stat);
	return r < 0 ? r : stat.type == KC_FILE_DIRECTORY ? 0 : -ENOTDIR;
}

static int open_folders(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			bool listed, struct kc_unit_folders *ret_folders)
{
	struct kc_unit_folders folders = { .host = host, .run = run, .arena = arena };

	KC_FOREACH_STR (path, kc_unit_dirs) {
		struct kc_unit_dir *dir = &folders.dir[folders.n];
		int r;

		if (kc_unit_path_is_double(host, run, path))
			continue;
		r = kc_resolve(host, run, path, &dir->resolved);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (r)
			return r;
		if (is_known(&folders, dir->resolved))
			continue;
		r = look_into(&folders, listed, path, &dir->names);
		if (r == -ENOTDIR)
			continue;
		if (r)
			return r;
		dir->path = path;
		folders.n++;
	}
	*ret_folders = folders;
	return 0;
}

int kc_unit_folders_open(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			 struct kc_unit_folders *ret_folders)
{
	return open_folders(host, run, arena, true, ret_folders);
}

int kc_unit_folders_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			 struct kc_unit_folders *ret_folders)
{
	return open_folders(host, run, arena, false, ret_folders);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

bool kc_unit_dir_has(const struct kc_unit_dir *dir, const char *name)
{
	return dir->names.n && bsearch(name, dir->names.item, dir->names.n,
				       sizeof(dir->names.item[0]), compare_names);
}

/* Folds "//", "." and ".." of an absolute path by its text alone. */
static char *fold_path(struct kc_arena *arena, const char *path)
{
	char *folded = kc_arena_alloc(arena, strlen(path) + 2);
	size_t n = 0;

	if (!folded)
		return NULL;
	while (*path) {
		size_t length;

		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			while (n && folded[--n] != '/')
				;
		} else if (length && !(length == 1 && path[0] == '.')) {
			folded[n++] = '/';
			memcpy(folded + n, path, length);
			n += length;
		}
		path += length;
	}
	if (!n)
		folded[n++] = '/';
	folded[n] = '\0';
	return folded;
}

/* The folder of an absolute path, without links where it is there. */
static int resolve_parent(const struct kc_unit_folders *folders, const char *path,
			  const char **ret_parent)
{
	size_t n = (size_t)(strrchr(path, '/') - path);
	const char *parent = kc_arena_memdup(folders->arena, path, n ? n : 1), *same = parent;
	int r;

	if (parent && kc_unit_path_is_double(folders->host, folders->run, parent))
		same = kc_arena_printf(folders->arena, "/usr%s", parent);
	if (!parent || !same)
		return -ENOMEM;
	for (size_t i = 0; i < folders->n; i++)
		if (kc_streq(same, folders->dir[i].path) ||
		    kc_streq(same, folders->dir[i].resolved)) {
			*ret_parent = folders->dir[i].resolved;
			return 0;
		}
	r = kc_resolve(folders->host, folders->run, parent, ret_parent);
	if (r != -ENOENT && r != -ENOTDIR && r != -EOPNOTSUPP)
		return r;
	*ret_parent = fold_path(folders->arena, parent);
	return *ret_parent ? 0 : -ENOMEM;
}

int kc_unit_link_target(const struct kc_unit_folders *folders, const char *path,
			const char **ret_target)
{
	const char *text, *target, *last, *parent;
	int r;

	r = kc_read_link(folders->host, folders->run, path, &text);
	if (r)
		return r;
	if (*text == '/')
		target = kc_arena_strdup(folders->arena, text);
	else
		target = kc_arena_printf(folders->arena, "%.*s/%s",
					 (int)(strrchr(path, '/') - path), path, text);
	if (!target)
		return -ENOMEM;
	last = strrchr(target, '/') + 1;
	if (!*last || kc_streq(last, ".") || kc_streq(last, "..")) {
		*ret_target = fold_path(folders->arena, target);
		return *ret_target ? 0 : -ENOMEM;
	}
	r = resolve_parent(folders, target, &parent);
	if (r)
		return r;
	*ret_target = kc_unit_path(folders->arena, parent, last);
	return *ret_target ? 0 : -ENOMEM;
}

const char *kc_unit_in_folders(const struct kc_unit_folders *folders, const char *path)
{
	KC_FOREACH_STR (dir, kc_unit_dirs) {
		const char *tail = kc_after_prefix(path, dir);

		if (tail && *tail == '/')
			return tail + 1;
	}
	for (size_t i = 0; i < folders->n; i++) {
		const char *tail = kc_after_prefix(path, folders->dir[i].resolved);

		if (tail && *tail == '/')
			return tail + 1;
	}
	return NULL;
}

int kc_unit_alias_valid(struct kc_arena *arena, const char *name, const char *target)
{
	int from = kc_unit_name_kind(name), to = kc_unit_name_kind(target);
	const char *a, *b;

	if (to < 0 || !kc_unit_type_may_alias(name) ||
	    !kc_streq(kc_unit_name_type(name), kc_unit_name_type(target)))
		return 0;
	if (from != KC_UNIT_PLAIN && !kc_unit_type_may_template(name))
		return 0;
	if (from != to && !(from == KC_UNIT_INSTANCE && to == KC_UNIT_TEMPLATE))
		return 0;
	if (to != KC_UNIT_INSTANCE)
		return 1;
	a = kc_unit_name_instance(arena, name);
	b = kc_unit_name_instance(arena, target);
	if (!a || !b)
		return -ENOMEM;
	return kc_streq(a, b);
}

/* What a file, or a link that leaves the unit folders, is in the end. */
static int classify_file(const struct kc_unit_folders *folders, const char *path, bool is_link,
			 uint32_t *ret_type)
{
	struct kc_stat stat = { .size_of = sizeof(stat) };
	const char *at = path;
	int r;

	/* Offline there need be no /dev/null, so that the text of the links counts. */
	for (unsigned hop = 0; is_link && hop < KC_UNIT_HOPS_MAX; hop++) {
		r = kc_unit_link_target(folders, at, &at);
		if (r == -EINVAL || r == -ENOENT || r == -ENOTDIR || r == -EOPNOTSUPP)
			break;
		if (r)
			return r;
		if (kc_streq(at, "/dev/null")) {
			*ret_type = KC_ENTRY_MASK;
			return 0;
		}
	}
	r = kc_stat(folders->host, folders->run, path, 0, &stat);
	if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP) {
		*ret_type = KC_ENTRY_BROKEN;
		return 0;
	}
	if (r)
		return r;
	*ret_type = (stat.type == KC_FILE_REGULAR && !stat.size) ||
				    stat.type == KC_FILE_CHAR_DEVICE ||
				    stat.type == KC_FILE_BLOCK_DEVICE
			    ? KC_ENTRY_MASK
			    : KC_ENTRY_FILE;
	return 0;
}

/* Judges one folder's entry; type NONE when systemd passes over it. */
static int judge_entry(const struct kc_unit_folders *folders, const char *name,
		       struct kc_unit_entry *entry)
{
	const char *tail, *base;
	int r;

	r = kc_unit_link_target(folders, entry->path, &entry->target);
	if (r == -EINVAL) {
		entry->target = NULL;
		return classify_file(folders, entry->path, false, &entry->type);
	}
	if (r)
		return r;
	tail = kc_unit_in_folders(folders, entry->target);
	if (!tail)
		return classify_file(folders, entry->path, true, &entry->type);
	base = strrchr(entry->target, '/') + 1;
	r = kc_unit_alias_valid(folders->arena, name, base);
	if (r < 0)
		return r;
	entry->type = r && !kc_streq(base, name) ? KC_ENTRY_ALIAS : KC_ENTRY_NONE;
	return 0;
}

int kc_unit_entry(const struct kc_unit_folders *folders, const char *name,
		  struct kc_unit_entry *ret_entry)
{
	for (size_t i = 0; i < folders->n; i++) {
		struct kc_unit_entry entry = { .dir = i };
		int r;

		if (!kc_unit_dir_has(&folders->dir[i], name))
			continue;
		entry.path = kc_unit_path(folders->arena, folders->dir[i].path, name);
		if (!entry.path)
			return -ENOMEM;
		r = judge_entry(folders, name, &entry);
		if (r)
			return r;
		if (entry.type != KC_ENTRY_NONE) {
			*ret_entry = entry;
			return 0;
		}
	}
	*ret_entry = (struct kc_unit_entry){ 0 };
	return 0;
}

/* The entry of a name, or else of its template. */
static int entry_or_template(const struct kc_unit_folders *folders, const char *name,
			     struct kc_unit_entry *ret_entry)
{
	const char *template;
	int r;

	r = kc_unit_entry(folders, name, ret_entry);
	if (r || ret_entry->type != KC_ENTRY_NONE || kc_unit_name_kind(name) != KC_UNIT_INSTANCE)
		return r;
	template = kc_unit_name_template(folders->arena, name);
	return template ? kc_unit_entry(folders, template, ret_entry) : -ENOMEM;
}

int kc_unit_find(const struct kc_unit_folders *folders, const char *name,
		 struct kc_unit_found *ret_found)
{
	struct kc_unit_found found = { .name = name };
	const char *instance;

	instance = kc_unit_name_kind(name) == KC_UNIT_INSTANCE
			   ? kc_unit_name_instance(folders->arena, name)
			   : NULL;
	for (unsigned hop = 0; hop < KC_UNIT_HOPS_MAX; hop++) {
		int r = entry_or_template(folders, found.name, &found.entry);

		if (r)
			return r;
		if (found.entry.type != KC_ENTRY_ALIAS) {
			*ret_found = found;
			return 0;
		}
		found.name = strrchr(found.entry.target, '/') + 1;
		if (instance && kc_unit_name_kind(found.name) == KC_UNIT_TEMPLATE)
			found.name = kc_unit_name_with(folders->arena, found.name, instance);
		if (!found.name)
			return -ENOMEM;
	}
	found.loops = true;
	*ret_found = found;
	return 0;
}
