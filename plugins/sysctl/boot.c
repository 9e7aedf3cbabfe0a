/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"
#include "formats/dropin.h"
#include "formats/unit.h"

enum {
	FILE_MAX = 1 << 20
};

/* sysctl.d(5); /run is empty when the system starts, so it is left out. */
static const char *const folders[] = { "/etc/sysctl.d", "/usr/local/lib/sysctl.d",
				       "/usr/lib/sysctl.d", "/lib/sysctl.d", NULL };

static const char *keep_why(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena)
{
	const char *why = kc_arena_strdup(arena, kc_why(host, run));

	return why ? why : "out of memory";
}

static int read_mask(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     struct sysctl_boot *boot)
{
	int r = kc_unit_mask(host, run, arena, "systemd-sysctl.service", &boot->masked);

	if (r < 0 && r != -ENOMEM)
		boot->mask_why = keep_why(host, run, arena);
	return r == -ENOMEM ? r : 0;
}

static int read_files(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const struct kc_dropins *files, struct sysctl_boot *boot)
{
	struct sysctl_lines *lines = &boot->settings.lines;

	for (size_t i = 0; i < files->n; i++) {
		const struct kc_dropin *f = files->item + i;
		struct kc_bytes bytes;
		int r;

		if (f->masked)
			continue;
		r = kc_read_file(host, run, f->path, FILE_MAX, &bytes);
		/* A folder called x.conf: systemd-sysctl says so and goes on. */
		if (r == -ENOENT || r == -EISDIR)
			continue;
		if (r == 0)
			r = sysctl_file_parse(f->path, bytes.data, bytes.size, arena, lines);
		else {
			boot->unreadable = f->path;
			boot->unreadable_why = keep_why(host, run, arena);
			boot->n_certain = lines->n;
			r = 0;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_sysctl_conf(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			    struct sysctl_boot *boot)
{
	static const char path[] = "/etc/sysctl.conf";
	struct kc_bytes bytes;
	int r;

	r = kc_read_file(host, run, path, FILE_MAX, &bytes);
	if (r == 0)
		return sysctl_file_parse(path, bytes.data, bytes.size, arena,
					 &boot->settings.lines);
	if (r != -ENOENT)
		boot->sysctl_conf_why = keep_why(host, run, arena);
	return 0;
}

int sysctl_boot_load(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     struct sysctl_boot *boot)
{
	static const char *const modules[] = { "br_netfilter" };
	struct kc_dropins files;
	int r;

	r = kc_dropins_list(host, run, arena, folders, ".conf", &files);
	if (r == 0)
		r = read_files(host, run, arena, &files, boot);
	boot->settings.n_systemd = boot->settings.lines.n;
	if (r == 0)
		r = read_sysctl_conf(host, run, arena, boot);
	if (r == 0)
		r = sysctl_settings_index(&boot->settings, arena);
	if (r == 0)
		r = sysctl_boot_load_cmdline(host, run, arena, boot);
	if (r == 0)
		r = read_mask(host, run, arena, boot);
	for (size_t i = 0; r == 0 && i < KC_ARRAY_SIZE(modules); i++) {
		r = sysctl_boot_load_module(host, run, arena, modules[i], boot->kernel.item,
					    boot->kernel.n, boot->module + i);
		boot->n_modules = i + 1;
		if (boot->module[i].state == SYSCTL_MODULE_MISSING && boot->cmdline_why) {
			boot->module[i].state = SYSCTL_MODULE_UNKNOWN;
			boot->module[i].text = boot->cmdline_why;
		}
	}
	return r;
}

const struct sysctl_module *sysctl_boot_module(const struct sysctl_boot *boot, const char *name)
{
	for (size_t i = 0; name && i < boot->n_modules; i++) {
		if (kc_streq(boot->module[i].name, name))
			return boot->module + i;
	}
	return NULL;
}
