/* SPDX-License-Identifier: Apache-2.0 */
#include "search-path.h"
#include "dropin.h"
#include "unit-internal.h"

#define SYSTEM_CONF "systemd/system.conf"

enum {
	DIRS_MAX = 256
};

/* ---- the PATH ---- */

/*
 * What systemd has compiled in where /bin is a folder of its own or a link to one that was searched
 * already: the two ends come to nothing new there.
 */
static const struct kc_search_path compiled_in = {
	.text = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	.source = "the PATH that systemd gives to services",
};

static int set_from(struct kc_arena *arena, const char *text, const struct kc_place *place,
		    struct kc_search_path *path)
{
	const char *source = kc_arena_printf(arena, "%s:%u (PATH)", place->file, place->line);

	if (!source)
		return -ENOMEM;
	*path = (struct kc_search_path){ text, source };
	return 0;
}

/* PATH out of the words of one DefaultEnvironment=. */
static int read_assignments(struct kc_arena *arena, const struct kc_unit_setting *setting,
			    struct kc_search_path *path)
{
	const char *text = setting->value, *value;
	char *word;
	int r;

	while ((r = kc_unit_word(&text, KC_WORD_CUNESCAPE, arena, &word)) > 0) {
		value = kc_after_prefix(word, "PATH=");
		r = value ? set_from(arena, value, &setting->place, path) : 0;
		if (r < 0)
			return r;
	}
	/* An open quote: systemd keeps the words before it. */
	return r == -EINVAL ? 0 : r;
}

/* One file of the manager's. What systemd would refuse in it, it leaves out with a warning. */
static int read_manager_file(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			     const char *file, struct kc_search_path *path)
{
	struct kc_unit_setting *settings;
	struct kc_bytes bytes;
	size_t n;
	int r;

	r = kc_read_file(host, run, file, KC_UNIT_FILE_MAX, &bytes);
	if (r < 0)
		return r;
	r = kc_unit_file_parse(file, bytes.data, bytes.size, arena, &settings, &n);
	if (r < 0)
		return r == -EBADMSG ? 0 : r;
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!kc_streq(settings[i].section, "Manager") ||
		    !kc_streq(settings[i].key, "DefaultEnvironment"))
			continue;
		if (!*settings[i].value)
			*path = compiled_in;
		r = read_assignments(arena, &settings[i], path);
	}
	return r;
}

/* The first of the main files counts alone. */
static int read_main_file(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			  struct kc_search_path *path)
{
	static const char *const files[] = { "/etc/" SYSTEM_CONF, "/usr/local/lib/" SYSTEM_CONF,
					     "/usr/lib/" SYSTEM_CONF, NULL };

	KC_FOREACH_STR (file, files) {
		int r = read_manager_file(host, run, arena, file, path);

		if (r != -ENOENT && r != -ENOTDIR)
			return r;
	}
	return 0;
}

static int read_manager(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			struct kc_search_path *path)
{
	static const char *const folders[] = { "/etc/" SYSTEM_CONF ".d",
					       "/usr/local/lib/" SYSTEM_CONF ".d",
					       "/usr/lib/" SYSTEM_CONF ".d", NULL };
	struct kc_dropins dropins;
	int r;

	r = read_main_file(host, run, arena, path);
	if (r == 0)
		r = kc_dropins_list(host, run, arena, folders, ".conf", &dropins);
	for (size_t i = 0; r == 0 && i < dropins.n; i++)
		if (!dropins.item[i].masked)
			r = read_manager_file(host, run, arena, dropins.item[i].path, path);
	return r;
}

/* The values of ExecSearchPath=, one behind the other. */
static int read_exec_search_path(const struct kc_unit_file *unit, struct kc_arena *arena,
				 struct kc_search_path *path)
{
	const struct kc_unit_setting **list;
	const char *text = NULL;
	size_t n;
	int r;

	r = kc_unit_file_list(unit, "Service", "ExecSearchPath", arena, &list, &n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		text = text ? kc_arena_printf(arena, "%s:%s", text, list[i]->value)
			    : list[i]->value;
		r = text ? set_from(arena, text, &list[i]->place, path) : -ENOMEM;
	}
	return r;
}

int kc_search_path_of(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const struct kc_unit_file *unit, const struct kc_service_command *service,
		      struct kc_search_path *ret_path)
{
	struct kc_search_path path = compiled_in;
	int r = 0;

	for (size_t i = service->n_environment; i > 0; i--) {
		const struct kc_environment_variable *v = &service->environment[i - 1];

		if (kc_streq(v->name, "PATH"))
			return set_from(arena, v->value, &v->place, ret_path);
	}
	if (unit)
		r = read_exec_search_path(unit, arena, &path);
	if (r == 0 && path.source == compiled_in.source)
		r = read_manager(host, run, arena, &path);
	if (r == 0)
		*ret_path = path;
	return r;
}

int kc_search_path_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const char *unit, struct kc_search_path *ret_path)
{
	struct kc_service_command service = { 0 };
	const struct kc_unit_file *file = NULL;
	int r = 0;

	if (unit)
		r = kc_unit_file_load(host, run, arena, unit, &file);
	if (r == 0 && unit)
		r = kc_unit_service_command(host, run, arena, file, &service);
	return r < 0 ? r : kc_search_path_of(host, run, arena, file, &service, ret_path);
}

/* ---- a program in it ---- */

/*
 * As stat(2) and execve(2) find it. 1: an executable. 0: not there, or *ret_fault says what it is
 * instead. Negative errno: it could not be looked at.
 */
static int look_at(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		   const char *path, const char **ret_fault)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(host, run, path, 0, &st);

	*ret_fault = NULL;
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0 && r != -ELOOP)
		return r;
	if (r == -ELOOP)
		*ret_fault = "a link that leads in a circle";
	else if (st.type == KC_FILE_DIRECTORY)
		*ret_fault = "a folder";
	else if (st.type != KC_FILE_REGULAR)
		*ret_fault = "not a regular file";
	else if (st.mode & 0111)
		return 1;
	else
		*ret_fault = kc_arena_printf(arena, "not executable (mode %04o)", st.mode);
	return *ret_fault ? 0 : -ENOMEM;
}

/* 1: found, and the search is over. */
static int try_path(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		    const char *path, struct kc_search_result *result)
{
	const char *fault;
	int r;

	if (!path)
		return -ENOMEM;
	r = look_at(host, run, arena, path, &fault);
	if (r == -ENOMEM)
		return r;
	if (r > 0) {
		result->path = path;
	} else if (r < 0 && !result->unseen) {
		result->unseen = kc_arena_strdup(arena, kc_why(host, run));
		return result->unseen ? 0 : -ENOMEM;
	} else if (fault && !result->near) {
		result->near = kc_arena_printf(arena, "%s: %s", path, fault);
		return result->near ? 0 : -ENOMEM;
	}
	return r > 0;
}

int kc_search_path_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			const char *path, const char *name, struct kc_search_result *ret_result)
{
	struct kc_search_result result = { 0 };
	char *rest, *dir;
	int r = 0;

	if (strchr(name, '/')) {
		const char *whole = *name == '/' ? name : kc_arena_printf(arena, "/%s", name);

		r = try_path(host, run, arena, whole, &result);
		if (r >= 0)
			*ret_result = result;
		return r < 0 ? r : 0;
	}
	rest = kc_arena_strdup(arena, path);
	if (!rest)
		return -ENOMEM;
	for (int i = 0; r == 0 && *name && i < DIRS_MAX && (dir = strsep(&rest, ":")); i++)
		if (*dir == '/')
			r = try_path(host, run, arena, kc_arena_printf(arena, "%s/%s", dir, name),
				     &result);
	if (r < 0)
		return r;
	*ret_result = result;
	return 0;
}
