/* SPDX-License-Identifier: Apache-2.0 */
#include "swap.h"

/* As parse_boolean() of systemd has it. */
static int parse_boolean(const char *value)
{
	static const char *const yes[] = { "1", "yes", "y", "true", "t", "on", NULL };
	static const char *const no[] = { "0", "no", "n", "false", "f", "off", NULL };

	if (!value || kc_strv_has(yes, value))
		return 1;
	return kc_strv_has(no, value) ? 0 : -EINVAL;
}

/* Where there are none to be found they are taken as none, and a pass says so. */
static void read_arguments(struct swap_boot *boot)
{
	const char *why = NULL;
	int r;

	if (boot->arguments_read)
		return;
	boot->arguments_read = true;
	boot->arguments.source = "the kernel's arguments";
	r = kc_boot_arguments_read(boot->host, boot->run, boot->arena, &boot->arguments, &why);
	if (r == -ENOENT)
		swap_note(boot, "The kernel's arguments of the next start are not to be seen, and "
				"are taken as none.");
	else if (r)
		boot->arguments_why = kc_text(boot->host, boot->run, "%s",
					      why ? why : kc_why(boot->host, boot->run));
}

int swap_argument(struct swap_boot *boot, const char *name, const char **ret_source)
{
	const struct kc_kernel_argument *argument;
	int value;

	read_arguments(boot);
	argument = kc_kernel_argument_last(boot->arguments.item, boot->arguments.n, name);
	value = argument ? parse_boolean(argument->value) : -ENOENT;
	if (value < 0)
		return -ENOENT;
	if (boot->arguments.note && !boot->arguments_told) {
		swap_note(boot, "%s", boot->arguments.note);
		boot->arguments_told = true;
	}
	*ret_source = boot->arguments.source;
	return value;
}

/* systemd.mask= of the kernel's arguments (systemd-debug-generator(8)). */
static bool argument_masks(const struct swap_boot *boot, const char *unit)
{
	for (size_t i = 0; i < boot->arguments.n; i++) {
		const struct kc_kernel_argument *a = &boot->arguments.item[i];

		if (!a->for_init && a->value && kc_kernel_argument_is(a, "systemd.mask") &&
		    kc_streq(a->value, unit))
			return true;
	}
	return false;
}

int swap_unit_stopped(struct swap_boot *boot, const char *unit, bool generated, const char **ret_by)
{
	struct kc_unit_enabled enabled;
	int r;

	r = kc_unit_enablement(boot->host, boot->run, boot->arena, unit, &enabled);
	/* A name that no mask can have. */
	if (r == -EINVAL)
		return 0;
	if (r)
		return r;
	if (enabled.state == KC_UNIT_MASKED &&
	    (!generated || kc_after_prefix(enabled.source, "/etc/"))) {
		*ret_by =
			kc_text(boot->host, boot->run, "%s is masked by %s", unit, enabled.source);
		return 1;
	}
	read_arguments(boot);
	if (argument_masks(boot, unit)) {
		*ret_by = kc_text(boot->host, boot->run, "systemd.mask=%s (%s) stops it", unit,
				  boot->arguments.source);
		return 1;
	}
	return 0;
}

int swap_wanted_unit_stopped(struct swap_boot *boot, const char *unit, bool generated,
			     const char **ret_by)
{
	static const char by[] = "swap.target, which would start it, is masked";

	if (boot->target_stopped == 0) {
		const char *where;
		int r = swap_unit_stopped(boot, SWAP_TARGET, false, &where);

		boot->target_stopped = r < 0 ? r : r ? 1 : 2;
		if (r > 0)
			swap_note(boot, "%s.", where);
	}
	if (boot->target_stopped < 0)
		return boot->target_stopped;
	if (boot->target_stopped == 1) {
		*ret_by = by;
		return 1;
	}
	return swap_unit_stopped(boot, unit, generated, ret_by);
}

int swap_generator(struct swap_boot *boot, const char *name, const char **ret_by)
{
	static const char *const folders[] = { "/etc/systemd/system-generators",
					       "/usr/local/lib/systemd/system-generators",
					       "/usr/lib/systemd/system-generators",
					       "/lib/systemd/system-generators", NULL };

	KC_FOREACH_STR (folder, folders) {
		struct kc_stat st = { .size_of = sizeof(st) };
		const char *path = kc_text(boot->host, boot->run, "%s/%s", folder, name);
		const char *target;
		struct kc_strings names;
		int r;

		if (kc_unit_path_is_double(boot->host, boot->run, path))
			continue;
		/* Three generators are looked for in turn: the list tells which are not there. What
		 * cannot be listed is looked at all the same. */
		r = kc_list_dir(boot->host, boot->run, folder, &names);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		r = kc_read_link(boot->host, boot->run, path, &target);
		if (r == 0 && kc_endswith(target, "dev/null")) {
			*ret_by = path;
			return -EPERM;
		}
		r = kc_stat(boot->host, boot->run, path, 0, &st);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (r)
			return r == -EPERM ? -EACCES : r;
		/* What cannot be executed is passed over, and hides those of its name. */
		if (st.type == KC_FILE_REGULAR && st.size > 0 && (st.mode & 0111))
			return 1;
		*ret_by = path;
		return -EPERM;
	}
	return 0;
}

/* libsystemd-shared-252.so, libsystemd-shared-252.19-1.el9.so */
static int version_in(struct swap_boot *boot, const char *folder)
{
	struct kc_strings names;
	int r;

	r = kc_list_dir(boot->host, boot->run, folder, &names);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		const char *digits = kc_after_prefix(names.item[i], "libsystemd-shared-");
		int version = 0;

		for (; digits && *digits >= '0' && *digits <= '9' && version < 10000; digits++)
			version = version * 10 + (*digits - '0');
		if (version > 0)
			return version;
	}
	return -ENOENT;
}

int swap_systemd_version(struct swap_boot *boot)
{
	static const char *const folders[] = { "/usr/lib/systemd", "/lib/systemd",
					       "/usr/lib64/systemd", NULL };
	struct kc_strings names;
	int version = boot->systemd_version;

	if (version)
		return version;
	version = -ENOENT;
	KC_FOREACH_STR (folder, folders) {
		if (version < 0 && !kc_unit_path_is_double(boot->host, boot->run, folder))
			version = version_in(boot, folder);
	}
	/* Debian's folders of an architecture. */
	if (version < 0 && kc_list_dir(boot->host, boot->run, "/usr/lib", &names) == 0)
		for (size_t i = 0; version < 0 && i < names.n; i++)
			if (strstr(names.item[i], "-linux-gnu"))
				version = version_in(boot,
						     kc_text(boot->host, boot->run,
							     "/usr/lib/%s/systemd", names.item[i]));
	boot->systemd_version = version;
	return version;
}
