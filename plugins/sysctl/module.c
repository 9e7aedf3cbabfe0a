/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"
#include "formats/module-files.h"
#include "formats/module-index.h"

enum {
	LOADED_MAX = 4 << 20
};

/* What one module is looked for with. */
struct search {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *name;
};

/* A key of it is there, and the running kernel has it not as a module: it has it in itself. */
static bool in_running_kernel(struct search *s)
{
	kc_cleanup(kc_buf_done) struct kc_buf needle = { 0 };
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_bytes bytes;
	int r;

	if (!kc_is_live(s->host, s->run) || !kc_streq(s->name, "br_netfilter") ||
	    kc_stat(s->host, s->run, "/proc/sys/net/bridge", 0, &st) < 0)
		return false;
	r = kc_read_file(s->host, s->run, "/proc/modules", LOADED_MAX, &bytes);
	if (r == -ENOENT) /* a kernel without modules */
		return true;
	kc_buf_addf(&needle, "\n%s ", s->name);
	if (r < 0 || kc_buf_error(&needle) < 0)
		return false;
	return !strstr(bytes.data, needle.data) && !kc_after_prefix(bytes.data, needle.data + 1);
}

/* Whether every kernel that may be started has it built in: the running one, or all of an offline
 * root. */
static int is_builtin(struct search *s, bool *ret_builtin)
{
	const char *release = NULL, *machine, *host_name;
	struct kc_module_kernels kernels = { 0 };
	size_t n = 0;
	int r;

	*ret_builtin = true;
	if (in_running_kernel(s))
		return 0;
	if (kc_is_live(s->host, s->run))
		(void)kc_kernel(s->host, s->run, &release, &machine, &host_name);
	r = kc_module_kernels_list(s->host, s->run, s->arena, &kernels);
	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; i < kernels.n && *ret_builtin; i++) {
		struct kc_module_found found;

		if (release && !kc_streq(kernels.item[i].release, release))
			continue;
		r = kc_module_kernel_find(s->host, s->run, s->arena, kernels.item + i, s->name,
					  &found);
		if (r < 0)
			return r;
		*ret_builtin = found.state == KC_MODULE_BUILTIN;
		n++;
	}
	*ret_builtin = *ret_builtin && n > 0;
	return 0;
}

int sysctl_boot_load_module(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			    const char *name, const struct kc_kernel_argument *arguments,
			    size_t n_arguments, struct sysctl_module *ret_module)
{
	struct search s = { .host = host, .run = run, .arena = arena, .name = name };
	struct kc_module_config config;
	struct kc_module_files files;
	bool builtin = false;
	int r;

	*ret_module = (struct sysctl_module){ .name = name, .state = SYSCTL_MODULE_READY };
	r = is_builtin(&s, &builtin);
	if (r < 0)
		return r;
	if (builtin) {
		ret_module->text = "the kernel has it built in";
		return 0;
	}
	r = kc_module_config_read(host, run, arena, &config);
	if (r == 0)
		r = kc_module_files_judge(&config, arena, name, arguments, n_arguments, &files);
	if (r < 0)
		return r;
	if (files.barred_by) {
		ret_module->state = SYSCTL_MODULE_MISSING;
		ret_module->text = files.barred_by;
	} else if (files.unknown) {
		ret_module->state = SYSCTL_MODULE_UNKNOWN;
		ret_module->text = files.unknown;
	} else if (files.loaded_by) {
		ret_module->text = files.loaded_by;
	} else {
		ret_module->state = SYSCTL_MODULE_MISSING;
		ret_module->text = "no file in modules-load.d names it";
	}
	return 0;
}
