/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

/*
 * As the kernel's process_sysctl_arg(): every dot becomes a slash. 0 with a key of NULL when it is
 * no such argument; -ENOMEM.
 */
static int argument_key(const char *name, struct kc_arena *arena, const char **ret_key)
{
	const char *rest = kc_after_prefix(name, "sysctl");
	char *key;

	*ret_key = NULL;
	if (!rest || (*rest != '.' && *rest != '/') || !rest[1])
		return 0;
	key = kc_arena_strdup(arena, rest + 1);
	if (!key)
		return -ENOMEM;
	for (char *p = key; *p; p++) {
		if (*p == '.')
			*p = '/';
	}
	*ret_key = key;
	return 0;
}

/*
 * Arguments with names of their own (the kernel's Documentation/admin-guide/kernel-parameters.txt).
 * They are taken before those of sysctl.KEY=, wherever they stand.
 */
static const struct {
	const char *name, *only, *key, *value;
} early[] = {
	{ .name = "panic", .key = "kernel/panic" },
	{ .name = "oops", .only = "panic", .key = "kernel/panic_on_oops", .value = "1" },
};

/* 1 when it sets a key, else 0; -ENOMEM. */
static int read_argument(const struct kc_kernel_argument *argument, struct kc_arena *arena,
			 struct sysctl_argument *ret_argument)
{
	const char *key;
	int r;

	if (argument->for_init || !argument->value)
		return 0;
	r = argument_key(argument->name, arena, &key);
	if (r < 0)
		return r;
	*ret_argument = (struct sysctl_argument){ .key = key, .value = argument->value };
	for (size_t i = 0; !key && i < KC_ARRAY_SIZE(early); i++) {
		if (!kc_streq(argument->name, early[i].name) ||
		    (early[i].only && !kc_streq(argument->value, early[i].only)))
			continue;
		key = early[i].key;
		*ret_argument = (struct sysctl_argument){
			.key = key,
			.value = early[i].value ? early[i].value : argument->value,
			.early = true,
		};
	}
	return key != NULL;
}

int sysctl_boot_load_cmdline(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			     struct sysctl_boot *boot)
{
	const char *why;
	int r = kc_boot_arguments_read(host, run, arena, &boot->kernel, &why);

	/* Neither an entry nor a running kernel: none that could be judged. */
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		boot->cmdline_why = why;
		return r == -ENOMEM ? r : 0;
	}
	boot->argument = kc_arena_zalloc(arena, boot->kernel.n + 1, sizeof(*boot->argument));
	if (!boot->argument)
		return -ENOMEM;
	for (size_t i = 0; i < boot->kernel.n; i++) {
		r = read_argument(&boot->kernel.item[i], arena, &boot->argument[boot->n_arguments]);
		if (r < 0)
			return r;
		boot->n_arguments += (size_t)r;
	}
	return 0;
}

const struct sysctl_argument *sysctl_boot_argument(const struct sysctl_boot *boot, const char *key)
{
	const struct sysctl_argument *found = NULL;

	for (size_t i = 0; i < boot->n_arguments; i++) {
		const struct sysctl_argument *argument = boot->argument + i;

		if (kc_streq(argument->key, key) && (!found || found->early || !argument->early))
			found = argument;
	}
	return found;
}
