/* SPDX-License-Identifier: Apache-2.0 */
#include "module-index.h"

#include "module-lines.h"

enum {
	KERNELS_MAX = 64,
	BUILTIN_MAX = 4 << 20,
	DEP_MAX = 16 << 20,
};

static const char folder[] = "/lib/modules";

static int has_index(const struct kc_host *host, struct kc_run *run, const char *release)
{
	static const char *const files[] = { "modules.builtin", "modules.dep", NULL };
	struct kc_stat st = { .size_of = sizeof(st) };

	KC_FOREACH_STR (file, files) {
		const char *path = kc_text(host, run, "%s/%s/%s", folder, release, file);

		/* What cannot be looked at may be one: reading it says so. */
		int r = kc_stat(host, run, path, 0, &st);

		if (r != -ENOENT && r != -ENOTDIR)
			return 1;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct kc_module_kernel *x = a, *y = b;

	return strverscmp(x->release, y->release);
}

int kc_module_kernels_list(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			   struct kc_module_kernels *ret_kernels)
{
	struct kc_module_kernels out = { 0 };
	struct kc_strings names;
	int r;

	r = kc_list_dir(host, run, folder, &names);
	/* What stands there and is no folder takes the place of all kernels. */
	if (r == -ENOENT) {
		*ret_kernels = out;
		return 0;
	}
	if (r < 0)
		return r;
	out.item =
		kc_arena_zalloc(arena, KC_MIN(names.n, (size_t)KERNELS_MAX) + 1, sizeof(*out.item));
	if (!out.item)
		return -ENOMEM;
	for (size_t i = 0; i < names.n; i++) {
		if (names.item[i][0] == '.' || !has_index(host, run, names.item[i]))
			continue;
		if (out.n == KERNELS_MAX)
			return -E2BIG;
		out.item[out.n].release = kc_arena_strdup(arena, names.item[i]);
		if (!out.item[out.n++].release)
			return -ENOMEM;
	}
	if (out.n > 0)
		qsort(out.item, out.n, sizeof(*out.item), compare);
	*ret_kernels = out;
	return 0;
}

struct kc_module_kernel *kc_module_kernels_find(const struct kc_module_kernels *kernels,
						const char *release)
{
	for (size_t i = 0; i < kernels->n; i++) {
		if (kc_streq(kernels->item[i].release, release))
			return kernels->item + i;
	}
	return NULL;
}

size_t kc_module_name_of_path(const char *path, size_t size, const char **ret_name)
{
	size_t from = size, n;

	while (from > 0 && path[from - 1] != '/')
		from--;
	*ret_name = path + from;
	for (n = 0; from + n + 3 <= size; n++) {
		/* ".ko", or ".ko.xz" and the like. */
		if (memcmp(path + from + n, ".ko", 3) == 0 &&
		    (from + n + 3 == size || path[from + n + 3] == '.'))
			return n;
	}
	return 0;
}

bool kc_module_find_line(const char *text, size_t size, const char *module, const char **ret_path,
			 size_t *ret_path_size, const char **ret_rest, size_t *ret_rest_size)
{
	const char *at = text, *end = text + size;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *line_end = newline ? newline : end;
		const char *colon = memchr(at, ':', (size_t)(line_end - at));
		const char *path_end = colon ? colon : line_end, *name;
		size_t n = kc_module_name_of_path(at, (size_t)(path_end - at), &name);

		if (n > 0 && kc_module_is(name, n, module)) {
			*ret_path = at;
			*ret_path_size = (size_t)(path_end - at);
			*ret_rest = colon ? colon + 1 : line_end;
			*ret_rest_size = (size_t)(line_end - *ret_rest);
			return true;
		}
		at = newline ? newline + 1 : end;
	}
	return false;
}

/* Reads at most size bytes; what is behind them was written since the file was looked at. */
static int read_text(int fd, char *text, size_t size, size_t *ret_size)
{
	size_t n = 0;

	while (n < size) {
		ssize_t r = read(fd, text + n, size - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	text[n] = 0;
	*ret_size = n;
	return 0;
}

/*
 * Straight into the arena: modules.dep of a distribution's kernel has 300 to 700 KiB, and every
 * further copy costs as much as the search.
 */
static int read_index(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      struct kc_module_kernel *kernel, const char *file, size_t max,
		      const char **ret_text, size_t *ret_size)
{
	const char *path = kc_text(host, run, "%s/%s/%s", folder, kernel->release, file);
	struct kc_stat st = { .size_of = sizeof(st) };
	kc_cleanup(kc_closep) int fd = -EBADF;
	char *text;
	int r;

	r = kc_stat(host, run, path, 0, &st);
	if (r == 0)
		r = kc_open_file(host, run, path, 0, &fd);
	if (r == -ENOENT)
		return 0;
	if (r < 0 || st.size > max) {
		kernel->unknown = r < 0 ? kc_arena_strdup(arena, kc_why(host, run))
					: kc_arena_printf(arena, "%s is too large", path);
		return kernel->unknown ? 0 : -ENOMEM;
	}
	text = kc_arena_alloc(arena, st.size + 1);
	if (!text)
		return -ENOMEM;
	r = read_text(fd, text, st.size, ret_size);
	if (r < 0) {
		kernel->unknown = kc_arena_printf(arena, "%s cannot be read", path);
		return kernel->unknown ? 0 : -ENOMEM;
	}
	*ret_text = text;
	return 0;
}

static int read_indexes(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			struct kc_module_kernel *kernel)
{
	int r = 0;

	if (kernel->read)
		return 0;
	r = read_index(host, run, arena, kernel, "modules.builtin", BUILTIN_MAX, &kernel->builtin,
		       &kernel->builtin_size);
	if (r == 0)
		r = read_index(host, run, arena, kernel, "modules.dep", DEP_MAX, &kernel->dep,
			       &kernel->dep_size);
	kernel->read = r == 0;
	return r;
}

/* Whether the file that the index names is there. */
static int look_at_file(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			struct kc_module_found *found)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r;

	r = kc_stat(host, run, found->path, 0, &st);
	if (r == -ENOENT || r == -ENOTDIR || (r == 0 && st.type != KC_FILE_REGULAR)) {
		found->state = KC_MODULE_FILE_GONE;
		return 0;
	}
	found->state = KC_MODULE_THERE;
	if (r == 0)
		return 0;
	found->state = KC_MODULE_UNKNOWN;
	found->unknown = kc_arena_strdup(arena, kc_why(host, run));
	return found->unknown ? 0 : -ENOMEM;
}

int kc_module_kernel_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			  struct kc_module_kernel *kernel, const char *module,
			  struct kc_module_found *ret_found)
{
	struct kc_module_found found = { .state = KC_MODULE_ABSENT };
	const char *path, *rest;
	size_t path_size, rest_size;
	int r;

	r = read_indexes(host, run, arena, kernel);
	if (r < 0)
		return r;
	if (kernel->dep && kc_module_find_line(kernel->dep, kernel->dep_size, module, &path,
					       &path_size, &rest, &rest_size)) {
		const char *copy = kc_arena_memdup(arena, path, path_size);

		found.dependencies = kc_arena_memdup(arena, rest, rest_size);
		found.path = copy && *copy != '/' ? kc_arena_printf(arena, "%s/%s/%s", folder,
								    kernel->release, copy)
						  : copy;
		if (!found.path || !found.dependencies)
			return -ENOMEM;
		r = look_at_file(host, run, arena, &found);
	} else if (kernel->builtin &&
		   kc_module_find_line(kernel->builtin, kernel->builtin_size, module, &path,
				       &path_size, &rest, &rest_size)) {
		found.state = KC_MODULE_BUILTIN;
	} else if (kernel->unknown) {
		found.state = KC_MODULE_UNKNOWN;
		found.unknown = kernel->unknown;
	}
	if (r == 0)
		*ret_found = found;
	return r;
}
