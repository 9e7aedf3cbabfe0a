/* SPDX-License-Identifier: Apache-2.0 */
#include "modules-descriptor.h"
#include "modules.h"

enum {
	LOADED_MAX = 4 << 20,
	MEMORY_MAX = 256 << 20,
};

int modules_open(const struct kc_host *host, struct kc_run *run, void **ret_state)
{
	struct modules_state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->arena.limit = MEMORY_MAX;
	*ret_state = state;
	return 0;
}

void modules_close(void *state)
{
	struct modules_state *s = state;

	if (!s)
		return;
	modules_kmod_done(s->kmod);
	kc_arena_done(&s->arena);
	free(s);
}

static int keep_why(struct modules_state *s, const struct kc_host *host, struct kc_run *run,
		    const char **ret_why)
{
	*ret_why = kc_arena_strdup(&s->arena, kc_why(host, run));
	return *ret_why ? 0 : -ENOMEM;
}

int modules_read_now(struct modules_state *s, const struct kc_host *host, struct kc_run *run)
{
	const char *release, *machine, *name;
	struct kc_bytes bytes;
	int r;

	if (s->now_read)
		return 0;
	s->now_read = true;
	r = kc_kernel(host, run, &release, &machine, &name);
	if (r == 0) {
		s->release = kc_arena_strdup(&s->arena, release);
		r = s->release ? 0 : -ENOMEM;
	} else {
		r = keep_why(s, host, run, &s->release_why);
	}
	if (r < 0)
		return r;
	r = kc_read_file(host, run, "/proc/modules", LOADED_MAX, &bytes);
	if (r == 0) {
		s->loaded = kc_arena_memdup(&s->arena, bytes.data, bytes.size);
		return s->loaded ? 0 : -ENOMEM;
	}
	/* A kernel that takes no modules has no such file. */
	return r == -ENOENT ? 0 : keep_why(s, host, run, &s->loaded_why);
}

int modules_read_kernels(struct modules_state *s, const struct kc_host *host, struct kc_run *run)
{
	int r;

	if (s->kernels_read)
		return 0;
	s->kernels_read = true;
	r = kc_module_kernels_list(host, run, &s->arena, &s->kernels);
	if (r == -E2BIG) {
		s->kernels_why = "/lib/modules has more kernels than anybody installs";
		return 0;
	}
	return r < 0 && r != -ENOMEM ? keep_why(s, host, run, &s->kernels_why) : r;
}

int modules_read_boot(struct modules_state *s, const struct kc_host *host, struct kc_run *run)
{
	const char *why = NULL;
	int r;

	if (s->boot_read)
		return 0;
	r = modules_read_kernels(s, host, run);
	if (r == 0)
		r = kc_module_config_read(host, run, &s->arena, &s->config);
	if (r < 0)
		return r;
	r = kc_boot_arguments_read(host, run, &s->arena, &s->arguments, &why);
	if (r == -ENOMEM)
		return r;
	s->no_arguments = r == -ENOENT;
	if (r < 0)
		s->arguments = (struct kc_boot_arguments){ 0 };
	if (r < 0 && r != -ENOENT)
		s->arguments_why = why ? why : "the boot loader's entries cannot be read";
	r = modules_find_next(host, run, &s->arena, &s->kernels, &s->arguments, &s->next);
	s->boot_read = r == 0;
	return r;
}
