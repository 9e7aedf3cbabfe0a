/* SPDX-License-Identifier: Apache-2.0 */
#include "module-files.h"

#include "dropin.h"

enum {
	FILE_MAX = 1 << 20,
	ALIASES_TRIED_MAX = 1 << 20, /* lines of modules-load.d, times aliases of a module */
};

static const char service[] = "systemd-modules-load.service";

/* /run is empty when the system starts, and is left out. */
static const char *const load_folders[] = { "/etc/modules-load.d", "/usr/local/lib/modules-load.d",
					    "/usr/lib/modules-load.d", "/lib/modules-load.d",
					    NULL };
static const char *const probe_folders[] = { "/etc/modprobe.d", "/usr/local/lib/modprobe.d",
					     "/usr/lib/modprobe.d", "/lib/modprobe.d", NULL };

/* ---- reading ---- */

struct reading {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
};

static int keep_why(const struct reading *s, const char **ret_why)
{
	*ret_why = kc_arena_strdup(s->arena, kc_why(s->host, s->run));
	return *ret_why ? 0 : -ENOMEM;
}

typedef int parser(const char *file, const char *text, size_t size, struct kc_arena *arena,
		   struct kc_module_lines *lines);

static int read_file(const struct reading *s, const char *path, parser *parse,
		     struct kc_module_lines *lines, const char **unknown)
{
	struct kc_bytes bytes;
	int r;

	r = kc_read_file(s->host, s->run, path, FILE_MAX, &bytes);
	/* A folder called x.conf is passed over by both readers. */
	if (r == -ENOENT || r == -EISDIR)
		return 0;
	if (r < 0)
		return r == -ENOMEM ? r : keep_why(s, unknown);
	r = parse(path, bytes.data, bytes.size, s->arena, lines);
	if (r == -EBADMSG || r == -E2BIG) {
		*unknown = kc_arena_printf(s->arena, "%s is no text that could be read", path);
		return *unknown ? 0 : -ENOMEM;
	}
	return r;
}

static bool is_read(const char *name, bool probe)
{
	return kc_endswith(name, ".conf") || (probe && kc_endswith(name, ".alias"));
}

static int read_folders(const struct reading *s, bool probe, struct kc_module_lines *lines,
			const char **unknown)
{
	struct kc_dropins files;
	int r;

	r = kc_dropins_list(s->host, s->run, s->arena, probe ? probe_folders : load_folders,
			    probe ? "" : ".conf", &files);
	if (r < 0)
		return r == -ENOMEM ? r : keep_why(s, unknown);
	if (probe && files.no_folder && !*unknown) {
		*unknown = kc_arena_printf(s->arena, "%s is no folder", files.no_folder);
		if (!*unknown)
			return -ENOMEM;
	}
	for (size_t i = 0; i < files.n; i++) {
		const struct kc_dropin *f = files.item + i;

		if (f->masked || !is_read(f->name, probe))
			continue;
		r = read_file(s, f->path, probe ? kc_modprobe_parse : kc_modules_load_parse, lines,
			      unknown);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_mask(const struct reading *s, struct kc_module_config *config)
{
	int r;

	r = kc_unit_mask(s->host, s->run, s->arena, service, &config->mask);
	if (r < 0)
		return r == -ENOMEM ? r : keep_why(s, &config->probe_unknown);
	return 0;
}

int kc_module_config_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			  struct kc_module_config *ret_config)
{
	const struct reading s = { .host = host, .run = run, .arena = arena };
	struct kc_module_config config = { 0 };
	int r;

	r = read_folders(&s, false, &config.load, &config.load_unknown);
	if (r == 0)
		r = read_folders(&s, true, &config.probe, &config.probe_unknown);
	if (r == 0)
		r = read_mask(&s, &config);
	if (r == 0)
		*ret_config = config;
	return r;
}

/* ---- judging ---- */

struct judging {
	const struct kc_module_config *config;
	struct kc_arena *arena;
	const char *name; /* with "_" for "-" */
	const struct kc_kernel_argument *argument;
	size_t n_arguments;
	bool dependency;
	const char **alias; /* names and patterns of modprobe.d that stand for it */
	size_t n_aliases;
	unsigned tried; /* of them, for lines of modules-load.d */
	struct kc_module_files out;
};

static const char *text_of(struct judging *j, const char *fmt, ...) kc_printf(2, 3);

static const char *text_of(struct judging *j, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = kc_arena_vprintf(j->arena, fmt, ap);
	va_end(ap);
	return text;
}

static void bar(struct judging *j, struct kc_place place, const char *clause)
{
	if (j->out.barred_by)
		return;
	j->out.barred_by = clause;
	j->out.barred_at = place;
}

/* Notes what keeps the module away, whoever asks; the first that was found stands. */
static int refuse(struct judging *j, struct kc_place place, const char *clause, bool bars)
{
	if (!clause)
		return -ENOMEM;
	if (bars)
		bar(j, place, clause);
	if (!j->out.refused_by) {
		j->out.refused_by = clause;
		j->out.refused_at = place;
	}
	return 0;
}

static int doubt(struct judging *j, bool bars, const char *sentence)
{
	if (!sentence)
		return -ENOMEM;
	if (!j->out.unknown || (bars && !j->out.unknown_bars))
		j->out.unknown = sentence;
	j->out.unknown_bars = j->out.unknown_bars || bars;
	return 0;
}

static int doubt_pattern(struct judging *j, const struct kc_module_line *line)
{
	return doubt(j, true,
		     text_of(j, "%s:%u has a pattern of too many wildcards", line->place.file,
			     line->place.line));
}

/* Whether a word of an argument's comma-separated value is the module. */
static bool lists(const char *value, const char *name)
{
	while (value && *value) {
		size_t n = strcspn(value, ",");

		if (kc_module_is(value, n, name))
			return true;
		value += n + (value[n] ? 1 : 0);
	}
	return false;
}

/* The first line of a verb whose name or pattern is for the name; NULL when there is none. */
static const struct kc_module_line *find(struct judging *j, uint32_t verb, const char *name,
					 int *ret)
{
	for (size_t i = 0; i < j->config->probe.n; i++) {
		const struct kc_module_line *line = j->config->probe.item + i;
		int r;

		if (line->verb != verb)
			continue;
		r = kc_module_matches(line->name, name);
		if (r > 0)
			return line;
		if (r < 0)
			*ret = doubt_pattern(j, line);
		if (*ret < 0)
			return NULL;
	}
	return NULL;
}

/* An alias of the administrator's leads to other modules than the one it names. */
static int judge_alias(struct judging *j, const char *asked, bool bars)
{
	const struct kc_module_line *elsewhere = NULL;
	int r = 0;

	for (size_t i = 0; i < j->config->probe.n && r == 0; i++) {
		const struct kc_module_line *line = j->config->probe.item + i;
		int match;

		if (line->verb != KC_MODULE_ALIAS)
			continue;
		match = kc_module_matches(line->name, asked);
		if (match < 0)
			r = doubt_pattern(j, line);
		if (match <= 0)
			continue;
		if (kc_streq(line->rest, j->name))
			return 0;
		elsewhere = elsewhere ? elsewhere : line;
	}
	if (r == 0 && elsewhere)
		r = refuse(j, elsewhere->place,
			   text_of(j, "%s:%u makes %s another name of %s", elsewhere->place.file,
				   elsewhere->place.line, asked, elsewhere->rest),
			   bars);
	return r;
}

static int judge_blacklist(struct judging *j)
{
	for (size_t i = 0; i < j->config->probe.n; i++) {
		const struct kc_module_line *line = j->config->probe.item + i;

		if (line->verb != KC_MODULE_BLACKLIST || !kc_streq(line->name, j->name))
			continue;
		j->out.barred_by_blacklist = !j->out.barred_by;
		return refuse(j, line->place,
			      text_of(j, "%s:%u blacklists it", line->place.file, line->place.line),
			      true);
	}
	return 0;
}

static int judge_install(struct judging *j)
{
	const struct kc_module_line *line, *softdep;
	int r = 0;

	line = find(j, KC_MODULE_INSTALL, j->name, &r);
	if (r < 0 || !line)
		return r;
	switch (kc_module_install_effect(line->rest)) {
	case KC_MODULE_INSTALL_LOADS:
		return 0;
	case KC_MODULE_INSTALL_UNKNOWN:
		return doubt(j, true,
			     text_of(j,
				     "%s:%u runs '%.200s' in its place, and what that does is not "
				     "known",
				     line->place.file, line->place.line, line->rest));
	default:
		break;
	}
	/* libkmod passes over the command of a module whose softdep brings others. */
	softdep = find(j, KC_MODULE_SOFTDEP, j->name, &r);
	if (r < 0)
		return r;
	if (softdep)
		return doubt(j, true,
			     text_of(j,
				     "%s:%u has it replaced by a program that does nothing, which "
				     "libkmod may pass over for the sake of %s:%u",
				     line->place.file, line->place.line, softdep->place.file,
				     softdep->place.line));
	return refuse(j, line->place,
		      text_of(j, "%s:%u has it replaced by a program that does nothing",
			      line->place.file, line->place.line),
		      true);
}

/* Of module_blacklist= the last one counts, of modprobe.blacklist= all. */
static int judge_arguments(struct judging *j)
{
	const struct kc_kernel_argument *last = NULL;
	const struct kc_place nowhere = { 0 };

	if (j->n_arguments > 0)
		last = kc_kernel_argument_last(j->argument, j->n_arguments, "module_blacklist");
	if (last && lists(last->value, j->name))
		return refuse(j, nowhere, "the kernel's argument module_blacklist= refuses it",
			      true);
	for (size_t i = 0; i < j->n_arguments && !j->dependency; i++) {
		if (kc_kernel_argument_is(j->argument + i, "modprobe.blacklist") &&
		    lists(j->argument[i].value, j->name))
			return refuse(j, nowhere,
				      "the kernel's argument modprobe.blacklist= blacklists it",
				      true);
	}
	return 0;
}

static int judge_service(struct judging *j)
{
	const struct kc_place at = { .file = j->config->mask };

	if (at.file) {
		const char *clause = text_of(j, "%s masks %s", at.file, service);

		if (!clause)
			return -ENOMEM;
		bar(j, at, clause);
	}
	for (size_t i = 0; i < j->n_arguments; i++) {
		const struct kc_kernel_argument *a = j->argument + i;

		if (a->value && kc_streq(a->name, "systemd.mask") &&
		    (kc_streq(a->value, service) || kc_streq(a->value, "systemd-modules-load")))
			bar(j, at,
			    "the kernel's argument systemd.mask= masks "
			    "systemd-modules-load.service");
	}
	return 0;
}

/* Whether loading what a line names loads the module: by its name, or an alias of modprobe.d. */
static bool leads_to(struct judging *j, const char *name)
{
	if (kc_module_is(name, strlen(name), j->name))
		return true;
	for (size_t i = 0; i < j->n_aliases && j->tried < ALIASES_TRIED_MAX; i++, j->tried++)
		if (kc_module_matches(j->alias[i], name) > 0)
			return true;
	return false;
}

/* The aliases of modprobe.d that stand for the module. */
static int collect_aliases(struct judging *j)
{
	j->alias = kc_arena_zalloc(j->arena, j->config->probe.n + 1, sizeof(*j->alias));
	if (!j->alias)
		return -ENOMEM;
	for (size_t i = 0; i < j->config->probe.n; i++) {
		const struct kc_module_line *line = j->config->probe.item + i;

		if (line->verb == KC_MODULE_ALIAS && kc_streq(line->rest, j->name))
			j->alias[j->n_aliases++] = line->name;
	}
	return 0;
}

static int find_loader(struct judging *j)
{
	int r;

	for (size_t i = 0; i < j->n_arguments; i++) {
		const struct kc_kernel_argument *a = j->argument + i;
		bool rd = kc_kernel_argument_is(a, "rd.modules_load");

		if (!(rd || kc_kernel_argument_is(a, "modules_load")) || !lists(a->value, j->name))
			continue;
		j->out.loaded_by = rd ? "the kernel's argument rd.modules_load= loads it"
				      : "the kernel's argument modules_load= loads it";
		return 0;
	}
	r = collect_aliases(j);
	if (r < 0)
		return r;
	for (size_t i = 0; i < j->config->load.n; i++) {
		const struct kc_module_line *line = j->config->load.item + i;

		if (!leads_to(j, line->name))
			continue;
		j->out.loaded_at = line->place;
		j->out.loaded_by = text_of(j, "%s:%u loads it", line->place.file, line->place.line);
		return j->out.loaded_by ? 0 : -ENOMEM;
	}
	if (j->tried < ALIASES_TRIED_MAX)
		return 0;
	return doubt(j, false,
		     "modules-load.d and modprobe.d have more lines and aliases than are held "
		     "against each other");
}

static int judge_unread(struct judging *j)
{
	int r = 0;

	if (j->config->probe_unknown)
		r = doubt(j, true, j->config->probe_unknown);
	if (r == 0 && j->config->load_unknown && !j->out.loaded_by && !j->dependency)
		r = doubt(j, false, j->config->load_unknown);
	return r;
}

static int judge_asked(struct judging *j)
{
	const char *filesystem = text_of(j, "fs_%s", j->name);
	int r;

	if (!filesystem)
		return -ENOMEM;
	r = judge_blacklist(j);
	if (r == 0)
		r = judge_alias(j, j->name, true);
	if (r == 0)
		r = judge_alias(j, filesystem, false);
	return r;
}

static int judge_module(struct judging *j, const char *module, struct kc_module_files *ret_files)
{
	char *name = kc_arena_strdup(j->arena, module);
	int r = 0;

	if (!name)
		return -ENOMEM;
	for (char *p = name; *p; p++)
		*p = *p == '-' ? '_' : *p;
	j->name = name;
	if (!j->dependency)
		r = judge_asked(j);
	if (r == 0)
		r = judge_install(j);
	if (r == 0)
		r = judge_arguments(j);
	if (r == 0 && !j->dependency)
		r = judge_service(j);
	if (r == 0 && !j->dependency)
		r = find_loader(j);
	if (r == 0)
		r = judge_unread(j);
	if (r == 0)
		*ret_files = j->out;
	return r;
}

static int judge(const struct kc_module_config *config, struct kc_arena *arena, const char *module,
		 const struct kc_kernel_argument *arguments, size_t n_arguments, bool dependency,
		 struct kc_module_files *ret_files)
{
	struct judging j = {
		.config = config,
		.arena = arena,
		.argument = arguments,
		.n_arguments = n_arguments,
		.dependency = dependency,
	};

	return judge_module(&j, module, ret_files);
}

int kc_module_files_judge(const struct kc_module_config *config, struct kc_arena *arena,
			  const char *module, const struct kc_kernel_argument *arguments,
			  size_t n_arguments, struct kc_module_files *ret_files)
{
	return judge(config, arena, module, arguments, n_arguments, false, ret_files);
}

int kc_module_files_judge_dependency(const struct kc_module_config *config, struct kc_arena *arena,
				     const char *module, const struct kc_kernel_argument *arguments,
				     size_t n_arguments, struct kc_module_files *ret_files)
{
	return judge(config, arena, module, arguments, n_arguments, true, ret_files);
}
