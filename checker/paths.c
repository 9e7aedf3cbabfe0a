/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "paths.h"

/* What stands before the configured path of the program, "" when it is installed as configured. */
static const char *find_prefix(char *exe, size_t size)
{
	static const char *const own[] = { KC_BINDIR "/k8scheck", KC_FIXER, NULL };
	ssize_t n = readlink("/proc/self/exe", exe, size - 1);

	if (n <= 0)
		return "";
	exe[n] = 0;
	KC_FOREACH_STR (path, own) {
		if (!kc_endswith(exe, path))
			continue;
		exe[(size_t)n - strlen(path)] = 0;
		return exe;
	}
	return "";
}

static const char *const *list(struct kc_arena *arena, const char *first, const char *second)
{
	const char **items = kc_arena_zalloc(arena, 3, sizeof(*items));

	if (!items || !first)
		return NULL;
	items[0] = first;
	items[1] = second;
	return items;
}

static int absolute(struct kc_arena *arena, struct kc_err *err, const struct kc_list *given,
		    const char *const **ret_list)
{
	const char **items = kc_arena_zalloc(arena, given->n + 1, sizeof(*items));
	char cwd[PATH_MAX];
	struct stat st;

	if (!items || !getcwd(cwd, sizeof(cwd)))
		return kc_err_set(err, items ? -errno : -ENOMEM,
				  "the current folder cannot be found out");
	for (size_t i = 0; i < given->n; i++) {
		items[i] = given->item[i][0] == '/'
				   ? given->item[i]
				   : kc_arena_printf(arena, "%s/%s", cwd, given->item[i]);
		if (!items[i])
			return kc_err_set(err, -ENOMEM, "out of memory");
		if (stat(items[i], &st) < 0)
			return kc_err_set(err, -errno, "--plugin-dir %s: %s", given->item[i],
					  kc_strerror(errno));
		if (!S_ISDIR(st.st_mode))
			return kc_err_set(err, -ENOTDIR, "--plugin-dir %s: this is no folder",
					  given->item[i]);
	}
	*ret_list = items;
	return 0;
}

int kc_paths_find(const struct kc_options *options, struct kc_arena *arena, struct kc_err *err,
		  struct kc_paths *ret_paths)
{
	char exe[PATH_MAX] = "";
	const char *prefix = find_prefix(exe, sizeof(exe));
	struct kc_paths paths = { 0 };
	int r;

	paths.plugins =
		list(arena, kc_arena_printf(arena, "%s%s/plugins", prefix, KC_PKGLIBDIR), NULL);
	paths.reports =
		list(arena, kc_arena_printf(arena, "%s%s/reports", prefix, KC_PKGLIBDIR), NULL);
	paths.doors = list(arena, kc_arena_printf(arena, "%s%s/doors", prefix, KC_PKGLIBDIR), NULL);
	paths.fixer = kc_arena_printf(arena, "%s%s", prefix, KC_FIXER);
	paths.profiles = list(arena, KC_SYSCONFDIR "/k8scheck/profiles",
			      kc_arena_printf(arena, "%s%s/profiles", prefix, KC_PKGDATADIR));
	if (!paths.fixer || !paths.plugins || !paths.reports || !paths.doors || !paths.profiles ||
	    !paths.profiles[1])
		return kc_err_set(err, -ENOMEM, "out of memory");
	if (options->plugin_dirs.n > 0) {
		r = absolute(arena, err, &options->plugin_dirs, &paths.plugins);
		if (r < 0)
			return r;
	}
	*ret_paths = paths;
	return 0;
}
