/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>

#include "base/fdio.h"
#include "report-modules.h"
#include "sys/objects.h"

enum {
	NAME_LONGEST = 64,
	NAMES_MAX = 256
};

static bool is_name(const char *s, size_t n)
{
	return n > 0 && n <= NAME_LONGEST && s[0] != '-' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") >= n;
}

/* ---- all names ---- */

struct names {
	const char **item;
	size_t n;
	struct kc_arena *arena;
};

static int add_name(struct names *names, const char *s, size_t n)
{
	char *copy;

	for (size_t i = 0; i < names->n; i++) {
		if (strncmp(names->item[i], s, n) == 0 && !names->item[i][n])
			return 0;
	}
	if (names->n >= NAMES_MAX)
		return 0;
	copy = kc_arena_memdup(names->arena, s, n);
	if (!copy)
		return -ENOMEM;
	names->item[names->n++] = copy;
	return 0;
}

static void closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static int add_folder(struct names *names, const char *path)
{
	kc_cleanup(closedirp) DIR *dir = opendir(path);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	while (r == 0 && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);

		if (n > 3 && kc_endswith(entry->d_name, ".so") && is_name(entry->d_name, n - 3))
			r = add_name(names, entry->d_name, n - 3);
	}
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int kc_report_format_names(const struct kc_report_formats *formats, struct kc_arena *arena,
			   const char *const **ret_names)
{
	struct names names = { .arena = arena };
	int r = 0;

	names.item = kc_arena_zalloc(arena, NAMES_MAX + 1, sizeof(*names.item));
	if (!names.item)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && formats->built_in && formats->built_in[i]; i++)
		r = add_name(&names, formats->built_in[i]->name,
			     strlen(formats->built_in[i]->name));
	KC_FOREACH_STR (dir, formats->dirs) {
		if (r == 0)
			r = add_folder(&names, dir);
	}
	if (r < 0)
		return r;
	qsort(names.item, names.n, sizeof(*names.item), compare_names);
	*ret_names = names.item;
	return 0;
}

/* ---- one ---- */

static void arena_donep(struct kc_arena *arena)
{
	kc_arena_done(arena);
}

static int unknown(const struct kc_report_formats *formats, const char *name, struct kc_err *err)
{
	kc_cleanup(arena_donep) struct kc_arena arena = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf list = { 0 };
	const char *const *names;
	const char *nearest;

	if (kc_report_format_names(formats, &arena, &names) < 0)
		return kc_err_set(err, -ENOENT, "there is no report format %s", name);
	nearest = kc_nearest(name, names);
	KC_FOREACH_STR (item, names)
		kc_buf_addf(&list, "%s%s", list.len ? ", " : "", item);
	return kc_err_set(err, -ENOENT, "there is no report format %s%s%s%s; there are: %s", name,
			  nearest ? "; did you mean " : "", nearest ? nearest : "",
			  nearest ? "?" : "", list.data && !list.failed ? list.data : "");
}

static int check(const char *path, const char *name, const struct kc_report_format *format,
		 struct kc_err *err)
{
	if (format->magic != KC_REPORT_MAGIC)
		return kc_err_set(err, -ENOEXEC,
				  "%s is no report format: its magic number is wrong", path);
	if (format->size != sizeof(struct kc_report))
		return kc_err_set(err, -ENOEXEC,
				  "%s was built for another k8scheck: install both from one build",
				  path);
	if (!format->name || !format->write || !kc_streq(format->name, name))
		return kc_err_set(err, -ENOEXEC, "%s is no report format %s", path, name);
	return 0;
}

static int load(const char *path, const char *name, struct kc_err *err,
		const struct kc_report_format **ret_format)
{
	/*
	 * By path, which is safe: nobody but those who are trusted can exchange a part of it. The
	 * loader knows objects by name, and /proc/self/fd/N would be taken for the module that had
	 * N before.
	 */
	struct kc_objects objects;
	void *handle;
	const struct kc_report_format *format;
	const char *why;
	int r;

	kc_objects_begin(&objects);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		why = dlerror();
		return kc_err_set(err, -ELIBACC, "the report %s cannot be loaded: %s", name,
				  why ? why : path);
	}
	/* What it needs has run by now, as root may; it is not used further, and it is said. */
	if (kc_objects_vet(&objects, err) < 0)
		return kc_err_prefix(err, "the report %s is refused", name);
	format = dlsym(handle, "kc_report_format");
	r = format ? check(path, name, format, err)
		   : kc_err_set(err, -ENOEXEC, "%s is no report format: it exports none", path);
	if (r < 0) {
		(void)dlclose(handle);
		return r;
	}
	*ret_format = format;
	return 0;
}

int kc_report_format_find(const struct kc_report_formats *formats, const char *name,
			  struct kc_err *err, const struct kc_report_format **ret_format)
{
	for (size_t i = 0; formats->built_in && formats->built_in[i]; i++) {
		if (kc_streq(formats->built_in[i]->name, name)) {
			*ret_format = formats->built_in[i];
			return 0;
		}
	}
	if (!is_name(name, strlen(name)))
		return unknown(formats, name, err);
	KC_FOREACH_STR (dir, formats->dirs) {
		kc_cleanup(kc_freep) char *path = kc_asprintf("%s/%s.so", dir, name);
		kc_cleanup(kc_closep) int fd = -EBADF;
		int r;

		if (!path)
			return kc_err_set(err, -ENOMEM, "no memory for the report %s", name);
		r = formats->trust(AT_FDCWD, path, err, &fd);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (r < 0)
			return kc_err_prefix(err, "the report %s is refused", name);
		return load(path, name, err, ret_format);
	}
	return unknown(formats, name, err);
}
