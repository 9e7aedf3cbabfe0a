/* SPDX-License-Identifier: Apache-2.0 */
#include "dnf.h"
#include "formats/dropin.h"
#include "formats/ini.h"

enum {
	FILE_SIZE_MAX = 1 << 20
};

/* Keeps the worst fault, and the first of those. */
static int set_fault(struct dnf *dnf, const char *source, const char *text, bool fatal)
{
	if (!source || !text)
		return -ENOMEM;
	if (!dnf->fault.text || (fatal && !dnf->fault.fatal))
		dnf->fault = (struct dnf_fault){ source, text, fatal };
	return 0;
}

/* ---- a file ---- */

/* The line that libdnf refuses in what its parser and yum's have in common; 0 for none. */
static unsigned refused_line(const struct dnf *dnf, const struct kc_ini *ini,
			     const char **ret_fault)
{
	unsigned line = ini->bad_line;

	*ret_fault = ini->fault;
	for (size_t i = 0; i < ini->n; i++) {
		const struct kc_ini_setting *setting = &ini->item[i];
		const char *fault = !*setting->section ? "a setting before the first section"
				    : setting->colon && dnf->kind != DNF_YUM
					    ? "a setting without its \"=\""
					    : NULL;

		if (fault && (!line || setting->line < line)) {
			line = setting->line;
			*ret_fault = fault;
		}
	}
	return line;
}

/*
 * 1: read; 0: there is none, or its fault is kept. A repository file with a fault is left out by
 * dnf with a warning, and ends dnf5; the main file's ends both.
 */
static int read_ini(const struct software_rule *rule, struct dnf *dnf, const char *file, bool main,
		    struct kc_ini *ret_ini)
{
	struct kc_bytes bytes;
	const char *fault;
	unsigned line;
	int r;

	r = kc_read_file(rule->host, rule->run, file, FILE_SIZE_MAX, &bytes);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return set_fault(dnf, file,
				 software_text(rule, "%s", kc_why(rule->host, rule->run)), true);
	r = kc_ini_parse(bytes.data, bytes.size, rule->arena, ret_ini);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return set_fault(dnf, file,
				 r == -EBADMSG ? "It has NUL bytes."
					       : "It has more settings than k8scheck reads.",
				 true);
	line = refused_line(dnf, ret_ini, &fault);
	if (!line)
		return 1;
	return set_fault(dnf, dnf_place(rule, file, line),
			 software_text(rule, "%s, so that %s.", fault,
				       main		    ? "dnf does not start"
				       : dnf->kind == DNF_5 ? "dnf5 does not start"
							    : "dnf leaves the whole file out"),
			 main || dnf->kind == DNF_5);
}

/* ---- [main] ---- */

/* What [main] has: a later file's settings replace those of one before it, but excludes add up. */
struct main_settings {
	const char *const *reposdir;
};

static int read_main_section(const struct software_rule *rule, struct dnf *dnf, const char *file,
			     const struct kc_ini *ini, void *context)
{
	struct main_settings *settings = context;
	const struct kc_ini_setting *setting;
	int r;

	setting = kc_ini_get(ini, "main", "reposdir");
	r = setting ? dnf_split(rule, setting->value, &settings->reposdir) : 0;
	setting = kc_ini_get(ini, "main", "disable_excludes");
	if (r == 0 && setting) {
		dnf->unexcluded_source = dnf_place(rule, file, setting->line);
		r = dnf->unexcluded_source ? dnf_split(rule, setting->value, &dnf->unexcluded)
					   : -ENOMEM;
	}
	setting = kc_ini_get(ini, "main", "plugins");
	if (r == 0 && setting) {
		bool off = dnf_parse_bool(setting->value) == 0;

		dnf->plugins_off = off ? dnf_place(rule, file, setting->line) : NULL;
		r = off && !dnf->plugins_off ? -ENOMEM : 0;
	}
	return r < 0 ? r : dnf_read_excludes(rule, file, ini, "main", &dnf->excludes);
}

/* What takes the settings of a drop-in. */
typedef int dropin_reader(const struct software_rule *rule, struct dnf *dnf, const char *file,
			  const struct kc_ini *ini, void *context);

/* The drop-ins of dnf5 by their names. */
static int read_dropins(const struct software_rule *rule, struct dnf *dnf,
			const char *const *folders, const char *suffix, dropin_reader *reader,
			void *context)
{
	struct kc_dropins dropins;
	int r;

	r = kc_dropins_list(rule->host, rule->run, rule->arena, folders, suffix, &dropins);
	if (r < 0)
		return set_fault(dnf, folders[0],
				 software_text(rule, "%s", kc_why(rule->host, rule->run)), true);
	for (size_t i = 0; r >= 0 && i < dropins.n; i++) {
		const char *file = dropins.item[i].path;
		struct kc_ini ini;

		if (dropins.item[i].masked)
			continue;
		r = read_ini(rule, dnf, file, reader == read_main_section, &ini);
		if (r > 0)
			r = reader(rule, dnf, file, &ini, context);
	}
	return KC_MIN(r, 0);
}

/* Before dnf.conf. */
static int read_main_dropins(const struct software_rule *rule, struct dnf *dnf,
			     struct main_settings *settings)
{
	static const char *const folders[] = { "/etc/dnf/libdnf5.conf.d",
					       "/usr/share/dnf5/libdnf.conf.d", NULL };

	return read_dropins(rule, dnf, folders, ".conf", read_main_section, settings);
}

/* The main file, and the repositories that it has itself: the first of all. */
static int read_main(const struct software_rule *rule, struct dnf *dnf,
		     struct main_settings *settings)
{
	static const char *const files[] = { "/etc/dnf/dnf.conf", "/etc/yum.conf", NULL };
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_ini ini;
	int r = 0;

	if (dnf->kind == DNF_5)
		r = read_main_dropins(rule, dnf, settings);
	KC_FOREACH_STR (file, files) {
		if (r < 0 || kc_stat(rule->host, rule->run, file, 0, &st) == -ENOENT)
			continue;
		r = read_ini(rule, dnf, file, true, &ini);
		if (r > 0)
			r = read_main_section(rule, dnf, file, &ini, settings);
		else
			return r;
		return r < 0 ? r : dnf_add_repositories(rule, dnf, file, &ini);
	}
	return r;
}

/* ---- folders of repositories ---- */

static int read_folder(const struct software_rule *rule, struct dnf *dnf, const char *folder)
{
	struct kc_strings names;
	int r = kc_list_dir(rule->host, rule->run, folder, &names);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return set_fault(dnf, folder,
				 software_text(rule, "%s", kc_why(rule->host, rule->run)), true);
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		const char *file = kc_arena_printf(rule->arena, "%s/%s", folder, names.item[i]);
		struct kc_ini ini;

		if (!file)
			return -ENOMEM;
		if (names.item[i][0] == '.' || !kc_endswith(file, ".repo"))
			continue;
		r = read_ini(rule, dnf, file, false, &ini);
		if (r > 0)
			r = dnf_add_repositories(rule, dnf, file, &ini);
	}
	return KC_MIN(r, 0);
}

static int read_folders(const struct software_rule *rule, struct dnf *dnf,
			const char *const *reposdir)
{
	static const char *const of_yum[] = { "/etc/yum/repos.d", "/etc/yum.repos.d", NULL };
	static const char *const of_dnf[] = { "/etc/yum.repos.d", "/etc/yum/repos.d",
					      "/etc/distro.repos.d", NULL };
	static const char *const of_dnf5[] = { "/etc/yum.repos.d", "/etc/distro.repos.d",
					       "/usr/share/dnf5/repos.d", NULL };
	int r = 0;

	if (!reposdir)
		reposdir = dnf->kind == DNF_5 ? of_dnf5 : dnf->kind == DNF_4 ? of_dnf : of_yum;
	KC_FOREACH_STR (folder, reposdir)
		if (r == 0)
			r = read_folder(rule, dnf, folder);
	return r;
}

static int override(const struct software_rule *rule, struct dnf *dnf, const char *file,
		    const struct kc_ini *ini, void *context)
{
	return dnf_override_repositories(rule, dnf, file, ini);
}

static int read_overrides(const struct software_rule *rule, struct dnf *dnf)
{
	static const char *const folders[] = { "/etc/dnf/repos.override.d",
					       "/usr/share/dnf5/repos.override.d", NULL };

	return read_dropins(rule, dnf, folders, ".repo", override, NULL);
}

/* ---- all of it ---- */

/* Whether a file is there; one that cannot be looked for is a fault. 0 or 1, or -ENOMEM. */
static int exists(const struct software_rule *rule, struct dnf *dnf, const char *path)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(rule->host, rule->run, path, 0, &st);

	if (r == 0 || r == -ENOENT || r == -ENOTDIR)
		return r == 0;
	return set_fault(dnf, path, software_text(rule, "%s", kc_why(rule->host, rule->run)),
			 false);
}

/* dnf is a link to dnf-3, or to dnf5 where that has taken over; yum is one to dnf since EL 8. */
static int find_kind(const struct software_rule *rule, struct dnf *dnf)
{
	static const struct {
		const char *path;
		enum dnf_kind kind;
	} signs[] = {
		{ "/usr/bin/dnf5", DNF_5 },	{ "/etc/dnf/dnf.conf", DNF_4 },
		{ "/usr/bin/microdnf", DNF_4 }, { "/usr/bin/yum", DNF_YUM },
		{ "/etc/yum.conf", DNF_YUM },
	};
	const char *target;
	int r = 0;

	if (kc_resolve(rule->host, rule->run, "/usr/bin/dnf", &target) == 0) {
		dnf->kind = kc_endswith(target, "/dnf5") ? DNF_5 : DNF_4;
		return 0;
	}
	for (size_t i = 0; r == 0 && i < KC_ARRAY_SIZE(signs); i++) {
		r = exists(rule, dnf, signs[i].path);
		if (r > 0)
			dnf->kind = signs[i].kind;
	}
	/* One that could not be seen may be there. */
	if (r == 0 && dnf->fault.text)
		dnf->kind = DNF_4;
	return KC_MIN(r, 0);
}

int dnf_load(const struct software_rule *rule, struct dnf *ret_dnf)
{
	struct dnf dnf = { .kind = DNF_NONE };
	struct main_settings settings = { 0 };
	int r = find_kind(rule, &dnf);

	if (r == 0 && dnf.kind != DNF_NONE)
		r = read_main(rule, &dnf, &settings);
	if (r == 0 && dnf.kind != DNF_NONE)
		r = read_folders(rule, &dnf, settings.reposdir);
	if (r == 0 && dnf.kind == DNF_5)
		r = read_overrides(rule, &dnf);
	if (r < 0)
		return r;
	*ret_dnf = dnf;
	return 0;
}
