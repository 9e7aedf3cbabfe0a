/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "unit-internal.h"

/* A service's environment while it is being put together. */
struct builder {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const struct kc_unit_file *unit;
	struct kc_environment environment;
	const char *fault;
};

struct paths {
	const char **item;
	size_t n, size;
};

static int paths_add(struct paths *paths, struct kc_arena *arena, const char *path)
{
	const char **items;

	if (paths->n >= KC_UNIT_DROPINS_MAX)
		return -E2BIG;
	items = kc_arena_grow(arena, paths->item, paths->n, &paths->size, sizeof(*items));
	if (!items)
		return -ENOMEM;
	paths->item = items;
	paths->item[paths->n++] = path;
	return 0;
}

/* Adds what one pattern matches in one folder, as paths. */
static int match_in(const struct builder *b, const char *dir, const char *pattern,
		    struct paths *ret_paths)
{
	struct kc_strings names;
	int r;

	r = kc_list_dir(b->host, b->run, *dir ? dir : "/", &names);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	for (size_t i = 0; !r && i < names.n; i++) {
		const char *path;

		if (fnmatch(pattern, names.item[i], FNM_PERIOD))
			continue;
		path = kc_arena_printf(b->arena, "%s/%s", dir, names.item[i]);
		r = path ? paths_add(ret_paths, b->arena, path) : -ENOMEM;
	}
	return r;
}

/* The paths that a pattern matches, by components, in the order of their names. */
static int expand_glob(const struct builder *b, const char *pattern, struct paths *ret_paths)
{
	struct paths paths = { 0 };
	int r;

	r = paths_add(&paths, b->arena, "");
	while (!r && *(pattern += strspn(pattern, "/"))) {
		size_t n = strcspn(pattern, "/");
		const char *part = kc_arena_memdup(b->arena, pattern, n);
		struct paths longer = { 0 };

		if (!part)
			return -ENOMEM;
		for (size_t i = 0; !r && i < paths.n; i++) {
			const char *path;

			if (strpbrk(part, "*?[\\")) {
				r = match_in(b, paths.item[i], part, &longer);
				continue;
			}
			path = kc_arena_printf(b->arena, "%s/%s", paths.item[i], part);
			r = path ? paths_add(&longer, b->arena, path) : -ENOMEM;
		}
		paths = longer;
		pattern += n;
	}
	if (r)
		return r;
	/* Nothing but slashes. */
	if (paths.n == 1 && !*paths.item[0])
		paths.item[0] = "/";
	*ret_paths = paths;
	return 0;
}

static int set_fault(struct builder *b, const struct kc_unit_setting *setting, const char *path,
		     const char *what)
{
	if (b->fault)
		return 0;
	b->fault = kc_arena_printf(b->arena,
				   "%s:%u: the environment file %s %s, so the service "
				   "cannot start",
				   setting->place.file, setting->place.line, path, what);
	return b->fault ? 0 : -ENOMEM;
}

/* Reads one file into the environment. */
static int add_file(struct builder *b, const struct kc_unit_setting *setting, const char *path,
		    bool optional)
{
	struct kc_environment_variable *variables;
	struct kc_bytes bytes;
	size_t n;
	int r;

	r = kc_read_file(b->host, b->run, path, KC_UNIT_FILE_MAX, &bytes);
	if (r == -ENOENT || r == -ENOTDIR || r == -EISDIR)
		return optional ? 0
				: set_fault(b, setting, path,
					    r == -EISDIR ? "is a folder" : "is not there");
	if (r)
		return r;
	r = kc_environment_file_parse(path, bytes.data, bytes.size, b->arena, &variables, &n);
	if (r == -EBADMSG)
		return optional ? 0
				: set_fault(b, setting, path, "has bytes that are not UTF-8 text");
	for (size_t i = 0; !r && i < n; i++)
		r = kc_environment_set(&b->environment, b->arena, &variables[i]);
	return r;
}

/* One EnvironmentFile=: "-" makes it optional; it may be a pattern. */
static int add_files(struct builder *b, const struct kc_unit_setting *setting)
{
	const char *path;
	struct paths paths = { 0 };
	bool optional;
	int r;

	r = kc_unit_specifiers(b->unit->canonical, setting->value, b->arena, &path);
	if (r)
		return r;
	optional = *path == '-';
	path += optional;
	/* systemd leaves a setting with a relative path out. */
	if (*path != '/')
		return 0;
	r = expand_glob(b, path, &paths);
	if (!r && !paths.n && !optional)
		r = set_fault(b, setting, path, "is not there");
	for (size_t i = 0; !r && i < paths.n; i++)
		r = add_file(b, setting, paths.item[i], optional);
	return r;
}

/* The words of one Environment=: NAME=VALUE each; others are left out. */
static int add_assignments(struct builder *b, const struct kc_unit_setting *setting)
{
	const char *text = setting->value;
	char *word;
	int r;

	while ((r = kc_unit_word(&text, KC_WORD_CUNESCAPE, b->arena, &word)) > 0) {
		struct kc_environment_variable variable = { .place = setting->place };
		const char *resolved, *equals;

		r = kc_unit_specifiers(b->unit->canonical, word, b->arena, &resolved);
		if (r)
			return r;
		equals = strchr(resolved, '=');
		if (!equals || !kc_environment_name_valid(resolved, (size_t)(equals - resolved)) ||
		    !kc_unit_is_utf8(equals, strlen(equals)))
			continue;
		variable.name = kc_arena_memdup(b->arena, resolved, (size_t)(equals - resolved));
		variable.value = equals + 1;
		if (!variable.name)
			return -ENOMEM;
		r = kc_environment_set(&b->environment, b->arena, &variable);
		if (r)
			return r;
	}
	/* An open quote: systemd keeps the words before it. */
	return r == -EINVAL ? 0 : r;
}

/* The words of one UnsetEnvironment=: NAME, or NAME=VALUE for that value alone. */
static int remove_variables(struct builder *b, const struct kc_unit_setting *setting)
{
	const char *text = setting->value;
	char *word;
	int r;

	while ((r = kc_unit_word(&text, KC_WORD_CUNESCAPE, b->arena, &word)) > 0) {
		size_t n = strcspn(word, "="), kept = 0;
		struct kc_environment *e = &b->environment;

		for (size_t i = 0; i < e->n; i++) {
			bool same = strlen(e->item[i].name) == n &&
				    memcmp(e->item[i].name, word, n) == 0 &&
				    (!word[n] || kc_streq(e->item[i].value, word + n + 1));

			if (!same)
				e->item[kept++] = e->item[i];
		}
		e->n = kept;
	}
	return r == -EINVAL ? 0 : r;
}

static int for_each(struct builder *b, const char *key,
		    int (*apply)(struct builder *, const struct kc_unit_setting *))
{
	const struct kc_unit_setting **list;
	size_t n;
	int r;

	r = kc_unit_file_list(b->unit, "Service", key, b->arena, &list, &n);
	for (size_t i = 0; !r && i < n; i++)
		r = apply(b, list[i]);
	return r;
}

int kc_unit_environment(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const struct kc_unit_file *unit, struct kc_environment *ret_environment,
			const char **ret_fault)
{
	struct builder b = { .host = host, .run = run, .arena = arena, .unit = unit };
	int r;

	r = for_each(&b, "Environment", add_assignments);
	if (!r)
		r = for_each(&b, "EnvironmentFile", add_files);
	if (!r)
		r = for_each(&b, "UnsetEnvironment", remove_variables);
	if (r)
		return r;
	*ret_environment = b.environment;
	*ret_fault = b.fault;
	return 0;
}
