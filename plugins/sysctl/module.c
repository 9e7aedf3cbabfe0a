/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"
#include "formats/dropin.h"

enum {
	FILE_MAX = 1 << 20,
	BUILTIN_MAX = 4 << 20,
};

static const char *const load_folders[] = { "/etc/modules-load.d", "/usr/local/lib/modules-load.d",
					    "/usr/lib/modules-load.d", "/lib/modules-load.d",
					    NULL };
static const char *const probe_folders[] = { "/etc/modprobe.d", "/usr/local/lib/modprobe.d",
					     "/usr/lib/modprobe.d", "/lib/modprobe.d", NULL };

/* What one module is looked for with. */
struct search {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	const char *name;
	const char *loaded; /* what loads it at boot: a clause, or NULL */
	const char *barred; /* what keeps it from being loaded so: a clause, or NULL */
	const char *unknown; /* what could not be read */
	const char *bar_unknown; /* the same, of what may keep it from being loaded */
};

/* Module names are the same with dashes and underscores. */
static bool is_module(const char *word, size_t n, const char *name)
{
	if (strlen(name) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((word[i] == '-' ? '_' : word[i]) != name[i])
			return false;
	}
	return true;
}

typedef int line_reader(struct search *s, const char *file, unsigned number, const char *line);

/* The next line, and how many of the file it takes: in modprobe.d a backslash joins two. */
static char *next_line(char **text, bool joins, unsigned *ret_lines)
{
	char *line = *text, *end;

	if (!line)
		return NULL;
	*ret_lines = 1;
	for (end = line + strcspn(line, "\n"); joins && *end && end > line && end[-1] == '\\';
	     end += strcspn(end, "\n")) {
		end[-1] = *end = ' ';
		++*ret_lines;
	}
	*text = *end ? end + 1 : NULL;
	*end = 0;
	return line;
}

/* Calls a reader for every line of every file; what cannot be read is noted. */
static int read_folders(struct search *s, const char *const *folders, line_reader *reader)
{
	struct kc_dropins files;
	int r;

	r = kc_dropins_list(s->host, s->run, s->arena, folders, ".conf", &files);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		s->unknown = kc_arena_strdup(s->arena, kc_why(s->host, s->run));
		return s->unknown ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < files.n; i++) {
		const char *path = files.item[i].path;
		struct kc_bytes bytes;
		char *text, *line;
		unsigned number = 1, lines;

		if (files.item[i].masked)
			continue;
		r = kc_read_file(s->host, s->run, path, FILE_MAX, &bytes);
		if (r == -ENOENT || r == -EISDIR)
			continue;
		if (r < 0) {
			s->unknown = kc_arena_strdup(s->arena, kc_why(s->host, s->run));
			if (!s->unknown)
				return -ENOMEM;
			continue;
		}
		text = kc_arena_memdup(s->arena, bytes.data, bytes.size);
		if (!text)
			return -ENOMEM;
		for (; (line = next_line(&text, folders == probe_folders, &lines));
		     number += lines) {
			r = reader(s, path, number, kc_strstrip(line));
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* modules-load.d(5): a module a line. */
static int read_load_line(struct search *s, const char *file, unsigned number, const char *line)
{
	if (*line == '#' || *line == ';' || !is_module(line, strlen(line), s->name))
		return 0;
	s->loaded = kc_arena_printf(s->arena, "%s:%u loads it", file, number);
	return s->loaded ? 0 : -ENOMEM;
}

/* What becomes of a module that a command is run for: NULL when the command loads it. */
static const char *effect_of(const char *command)
{
	static const char *const nothing[] = { "true", "false", ":", "exit" };
	size_t n = strcspn(command, " \t;&|"), from = n;

	while (from > 0 && command[from - 1] != '/')
		from--;
	for (size_t i = 0; i < KC_ARRAY_SIZE(nothing); i++) {
		if (n - from == strlen(nothing[i]) && !memcmp(command + from, nothing[i], n - from))
			return "has it replaced by a program that does nothing";
	}
	return NULL;
}

/* A command of the administrator's: does it load the module? */
static int read_install(struct search *s, const char *file, unsigned number, const char *command)
{
	const char *effect = effect_of(command);

	if (effect) {
		s->barred = kc_arena_printf(s->arena, "%s:%u %s", file, number, effect);
		return s->barred ? 0 : -ENOMEM;
	}
	if (!*command || strstr(command, "modprobe") || strstr(command, "insmod"))
		return 0;
	s->unknown = kc_arena_printf(s->arena,
				     "%s:%u runs '%.200s' in its place, and what that does is not "
				     "known",
				     file, number, command);
	return s->unknown ? 0 : -ENOMEM;
}

/* modprobe.d(5): what systemd-modules-load honours of it. */
static int read_probe_line(struct search *s, const char *file, unsigned number, const char *line)
{
	size_t verb = strcspn(line, " \t"), skip, name;
	const char *start = line;

	skip = verb + strspn(line + verb, " \t");
	name = strcspn(line + skip, " \t");
	if (!is_module(line + skip, name, s->name))
		return 0;
	line += skip + name;
	if (verb == strlen("install") && kc_after_prefix(start, "install"))
		return read_install(s, file, number, line + strspn(line, " \t"));
	if (verb != strlen("blacklist") || !kc_after_prefix(start, "blacklist"))
		return 0;
	s->barred = kc_arena_printf(s->arena, "%s:%u blacklists it", file, number);
	return s->barred ? 0 : -ENOMEM;
}

/* In modules.builtin of one kernel. -ENOENT when it has no such file. */
static int in_builtin(struct search *s, const char *release)
{
	struct kc_bytes bytes;
	const char *path, *p;
	int r;

	path = kc_arena_printf(s->arena, "/lib/modules/%s/modules.builtin", release);
	if (!path)
		return -ENOMEM;
	r = kc_read_file(s->host, s->run, path, BUILTIN_MAX, &bytes);
	if (r < 0)
		return r;
	for (p = bytes.data; *p; p += strspn(p, "\n")) {
		size_t n = strcspn(p, "\n"), from = n;

		while (from > 0 && p[from - 1] != '/')
			from--;
		if (n - from > 3 && memcmp(p + n - 3, ".ko", 3) == 0 &&
		    is_module(p + from, n - from - 3, s->name))
			return 1;
		p += n;
	}
	return 0;
}

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
	r = kc_read_file(s->host, s->run, "/proc/modules", BUILTIN_MAX, &bytes);
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
	struct kc_strings names = { 0 };
	bool all;
	int r;

	if (in_running_kernel(s)) {
		*ret_builtin = true;
		return 0;
	}
	if (kc_is_live(s->host, s->run) &&
	    kc_kernel(s->host, s->run, &release, &machine, &host_name) == 0) {
		r = in_builtin(s, release);
		*ret_builtin = r == 1;
		return r == -ENOMEM ? r : 0;
	}
	if (kc_list_dir(s->host, s->run, "/lib/modules", &names) < 0)
		names.n = 0;
	all = names.n > 0;
	for (size_t i = 0; i < names.n && all; i++) {
		r = in_builtin(s, names.item[i]);
		if (r == -ENOMEM)
			return r;
		all = r == 1;
	}
	*ret_builtin = all;
	return 0;
}

static int search_cmdline(struct search *s, const char *modules)
{
	while (*modules) {
		size_t n = strcspn(modules, ",");

		if (is_module(modules, n, s->name)) {
			s->loaded = "the kernel's argument modules_load= loads it";
			return 0;
		}
		modules += n + strspn(modules + n, ",");
	}
	return 0;
}

static int search_files(struct search *s)
{
	const char *mask = NULL;
	int r;

	r = read_folders(s, probe_folders, read_probe_line);
	if (r < 0)
		return r;
	r = sysctl_unit_mask(s->host, s->run, s->arena, "systemd-modules-load.service", &mask);
	if (r < 0 && r != -ENOMEM)
		s->unknown = kc_arena_strdup(s->arena, kc_why(s->host, s->run));
	if (r == -ENOMEM || (r < 0 && !s->unknown))
		return -ENOMEM;
	s->bar_unknown = s->unknown;
	s->unknown = NULL;
	if (mask) {
		s->loaded = NULL;
		s->barred =
			kc_arena_printf(s->arena, "%s masks systemd-modules-load.service", mask);
		return s->barred ? 0 : -ENOMEM;
	}
	return s->loaded ? 0 : read_folders(s, load_folders, read_load_line);
}

int sysctl_boot_load_module(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			    const char *name, const char *cmdline_modules,
			    struct sysctl_module *ret_module)
{
	struct search s = { .host = host, .run = run, .arena = arena, .name = name };
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
	r = search_cmdline(&s, cmdline_modules);
	if (r == 0)
		r = search_files(&s);
	if (r < 0)
		return r;
	if (s.barred) {
		ret_module->state = SYSCTL_MODULE_MISSING;
		ret_module->text = s.barred;
	} else if (s.bar_unknown || (s.unknown && !s.loaded)) {
		ret_module->state = SYSCTL_MODULE_UNKNOWN;
		ret_module->text = s.bar_unknown ? s.bar_unknown : s.unknown;
	} else if (s.loaded) {
		ret_module->text = s.loaded;
	} else {
		ret_module->state = SYSCTL_MODULE_MISSING;
		ret_module->text = "no file in modules-load.d names it";
	}
	return 0;
}
