/* SPDX-License-Identifier: Apache-2.0 */

/* A host whose rpm prints the input: what stands before the first NUL to standard output, the rest
 * to standard error. */

#include <errno.h>
#include <stdlib.h>

#include "formats/packages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct kc_run {
	struct kc_arena arena;
	struct kc_bytes out, err;
};

static int on_stat(struct kc_run *run, const char *path, uint32_t flags, struct kc_stat *ret_stat)
{
	(void)run;
	(void)flags;
	if (!kc_streq(path, "/var/lib/rpm/rpmdb.sqlite"))
		return -ENOENT;
	ret_stat->type = KC_FILE_REGULAR;
	ret_stat->size = 4096;
	return 0;
}

static int is_live(struct kc_run *run)
{
	(void)run;
	return 1;
}

static const char *on_why(struct kc_run *run)
{
	(void)run;
	return "";
}

static void *on_alloc(struct kc_run *run, size_t size)
{
	return kc_arena_zalloc(&run->arena, 1, size);
}

static int on_program(struct kc_run *run, const struct kc_program *program,
		      struct kc_program_result *ret_result)
{
	(void)program;
	ret_result->out = run->out;
	ret_result->err = run->err;
	return 0;
}

static const struct kc_host host = {
	.size = sizeof(host),
	.is_live = is_live,
	.why = on_why,
	.alloc = on_alloc,
	.stat = on_stat,
	.program = on_program,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "kubelet", "cri-o", "a", "kubelet", NULL };
	struct kc_run run = { .arena = { .limit = 256 * 1024 * 1024 } };
	const char *text = kc_arena_memdup(&run.arena, data, size), *why = NULL;
	const size_t n = text ? strnlen(text, size) : 0;
	struct kc_packages packages = { 0 };
	int r;

	if (!text)
		abort();
	run.out = (struct kc_bytes){ .data = text, .size = n };
	run.err = (struct kc_bytes){ .data = n < size ? text + n + 1 : "",
				     .size = n < size ? size - n - 1 : 0 };
	r = kc_packages_find(&host, &run, &run.arena, names, &packages, &why);
	if (r > 0 || (r < 0 && r != -ENOMEM && !why))
		abort();
	if (r == 0 && (packages.system != KC_PACKAGES_RPM || packages.n != 4))
		abort();
	for (size_t i = 0; i < packages.n; i++) {
		const struct kc_package *p = &packages.item[i];

		if (!kc_streq(p->name, names[i]) || !p->source || p->held ||
		    p->installed != (p->version != NULL) || p->installed != (p->full != NULL))
			abort();
	}
	kc_arena_done(&run.arena);
	return 0;
}
