/* SPDX-License-Identifier: Apache-2.0 */
#include "modules.h"

enum {
	FILE_MAX = 1 << 20
};

/* The kernel of the longest release that stands in a text; NULL when none does. */
static struct kc_module_kernel *named_in(const struct kc_module_kernels *kernels, const char *text,
					 size_t n)
{
	struct kc_module_kernel *best = NULL;

	for (size_t i = 0; i < kernels->n; i++) {
		struct kc_module_kernel *k = kernels->item + i;

		if (memmem(text, n, k->release, strlen(k->release)) &&
		    (!best || strlen(k->release) > strlen(best->release)))
			best = k;
	}
	return best;
}

/* The line of the boot loader's entry: in grub.cfg it names the kernel's image. */
static struct kc_module_kernel *named_by_line(const struct kc_host *host, struct kc_run *run,
					      const struct kc_module_kernels *kernels,
					      const char *file, uint64_t number)
{
	struct kc_bytes bytes;
	const char *line;

	if (kc_read_file(host, run, file, FILE_MAX, &bytes) < 0)
		return NULL;
	line = bytes.data;
	for (; number > 1 && line; number--) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	return line ? named_in(kernels, line, strcspn(line, "\n")) : NULL;
}

/* By the entry that the boot loader takes: its line, or the name of its file. */
static struct kc_module_kernel *named_by_entry(const struct kc_host *host, struct kc_run *run,
					       const struct kc_module_kernels *kernels,
					       const char *source)
{
	const char *colon = strrchr(source, ':');
	struct kc_module_kernel *k = NULL;
	const char *file = source, *name;
	uint64_t number;

	if (colon && kc_parse_u64(colon + 1, &number) == 0) {
		file = kc_text(host, run, "%.*s", (int)KC_MIN(colon - source, 4096), source);
		k = named_by_line(host, run, kernels, file, number);
	}
	if (k)
		return k;
	name = strrchr(file, '/');
	name = name ? name + 1 : file;
	return named_in(kernels, name, strlen(name));
}

int modules_find_next(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const struct kc_module_kernels *kernels,
		      const struct kc_boot_arguments *arguments, struct modules_next *ret_next)
{
	struct modules_next next = { 0 };

	if (kernels->n == 1) {
		next.kernel = kernels->item;
		next.why = "it is the only one that is installed";
	} else if (kernels->n > 1) {
		if (arguments->source && !arguments->present)
			next.kernel = named_by_entry(host, run, kernels, arguments->source);
		if (next.kernel)
			next.why = kc_arena_printf(arena, "%s starts it", arguments->source);
		else
			next.why = "it is the newest that is installed";
		if (!next.kernel)
			next.kernel = kernels->item + kernels->n - 1;
	}
	if (next.kernel && !next.why)
		return -ENOMEM;
	*ret_next = next;
	return 0;
}
