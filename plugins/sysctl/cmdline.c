/* SPDX-License-Identifier: Apache-2.0 */
#include "cmdline.h"
#include "boot.h"

bool sysctl_cmdline_next(char **at, char **ret_key, char **ret_value)
{
	char *p = *at, *out, *key, *value = NULL;
	bool quoted = false;

	while (kc_isspace(*p))
		p++;
	if (!*p)
		return false;
	key = out = p;
	for (; *p && (quoted || !kc_isspace(*p)); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (*p == '=' && !value) {
			*out++ = 0;
			value = out;
			continue;
		}
		*out++ = *p;
	}
	if (*p)
		p++;
	*out = 0;
	*at = p;
	*ret_key = key;
	*ret_value = value;
	/* What follows is for the first process. */
	return !kc_streq(key, "--");
}

/* As the kernel's process_sysctl_arg(): every dot becomes a slash. NULL when it is no such
 * argument. */
static char *argument_key(char *key)
{
	static const char prefix[] = "sysctl";
	size_t n = strlen(prefix);

	if (strncmp(key, prefix, n) != 0 || (key[n] != '.' && key[n] != '/') || !key[n + 1])
		return NULL;
	key += n + 1;
	for (char *p = key; *p; p++) {
		if (*p == '.')
			*p = '/';
	}
	return key;
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

static bool read_argument(char *name, const char *value, struct sysctl_argument *ret_argument)
{
	const char *key = argument_key(name);

	*ret_argument = (struct sysctl_argument){ .key = key, .value = value };
	for (size_t i = 0; !key && i < KC_ARRAY_SIZE(early); i++) {
		if (!kc_streq(name, early[i].name) ||
		    (early[i].only && !kc_streq(value, early[i].only)))
			continue;
		key = early[i].key;
		*ret_argument = (struct sysctl_argument){
			.key = key,
			.value = early[i].value ? early[i].value : value,
			.early = true,
		};
	}
	return key != NULL;
}

/* systemd takes dashes and underscores in the names of its arguments for the same. */
static bool is_modules_load(const char *key)
{
	static const char name[] = "modules_load";
	const char *rest = kc_after_prefix(key, "rd.");
	size_t i;

	key = rest ? rest : key;
	for (i = 0; key[i] && i < strlen(name); i++) {
		if (key[i] != name[i] && !(key[i] == '-' && name[i] == '_'))
			return false;
	}
	return i == strlen(name) && !key[i];
}

enum {
	CMDLINE_MAX = 65536,
	ARGUMENTS_MAX = 4096,
};

int sysctl_boot_load_cmdline(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			     struct sysctl_boot *boot, const char **ret_modules)
{
	kc_cleanup(kc_buf_done) struct kc_buf modules = { 0 };
	struct kc_bytes bytes;
	char *at, *key, *value;
	size_t room = 0;
	int r;

	*ret_modules = "";
	if (!kc_is_live(host, run))
		return 0;
	r = kc_read_file(host, run, "/proc/cmdline", CMDLINE_MAX, &bytes);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		boot->cmdline_why = kc_arena_strdup(arena, kc_why(host, run));
		return boot->cmdline_why ? 0 : -ENOMEM;
	}
	at = kc_arena_memdup(arena, bytes.data, bytes.size);
	if (!at)
		return -ENOMEM;
	for (const char *p = at; *p; p++)
		room += kc_isspace(*p);
	room = KC_MIN(room + 1, (size_t)ARGUMENTS_MAX);
	boot->argument = kc_arena_zalloc(arena, room, sizeof(*boot->argument));
	if (!boot->argument)
		return -ENOMEM;
	while (sysctl_cmdline_next(&at, &key, &value)) {
		if (value && is_modules_load(key))
			kc_buf_addf(&modules, ",%s", value);
		if (value && boot->n_arguments < room &&
		    read_argument(key, value, boot->argument + boot->n_arguments))
			boot->n_arguments++;
	}
	*ret_modules = kc_arena_memdup(arena, modules.data ? modules.data : "", modules.len);
	return *ret_modules && kc_buf_error(&modules) == 0 ? 0 : -ENOMEM;
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
