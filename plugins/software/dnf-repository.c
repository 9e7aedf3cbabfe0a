/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>
#include <strings.h>

#include "dnf.h"
#include "formats/ini.h"

enum {
	REPOSITORIES_MAX = 4096,
	EXCLUDES_MAX = 4096,
};

int dnf_parse_bool(const char *value)
{
	static const char *const yes[] = { "1", "yes", "true", "on", NULL };
	static const char *const no[] = { "0", "no", "false", "off", NULL };

	KC_FOREACH_STR (word, yes)
		if (strcasecmp(value, word) == 0)
			return 1;
	KC_FOREACH_STR (word, no)
		if (strcasecmp(value, word) == 0)
			return 0;
	return -EINVAL;
}

int dnf_split(const struct software_rule *rule, const char *value, const char *const **ret_words)
{
	char *rest = kc_arena_strdup(rule->arena, value), *word;
	size_t n = 0, most = strlen(value) / 2 + 2;
	const char **words = kc_arena_zalloc(rule->arena, most, sizeof(*words));

	if (!rest || !words)
		return -ENOMEM;
	while ((word = strsep(&rest, " \t\n,")))
		if (*word)
			words[n++] = word;
	*ret_words = words;
	return 0;
}

const char *dnf_place(const struct software_rule *rule, const char *file, unsigned line)
{
	return kc_arena_printf(rule->arena, "%s:%u", file, line);
}

static int add_exclude(const struct software_rule *rule, const char *pattern, const char *source,
		       struct dnf_excludes *excludes)
{
	struct dnf_exclude *items;

	if (excludes->n == EXCLUDES_MAX)
		return -E2BIG;
	items = kc_arena_grow(rule->arena, excludes->item, excludes->n, &excludes->room,
			      sizeof(*items));
	if (!items)
		return -ENOMEM;
	excludes->item = items;
	items[excludes->n++] = (struct dnf_exclude){ pattern, source };
	return 0;
}

int dnf_read_excludes(const struct software_rule *rule, const char *file, const struct kc_ini *ini,
		      const char *section, struct dnf_excludes *excludes)
{
	static const char *const keys[] = { "exclude", "excludepkgs", NULL };

	KC_FOREACH_STR (key, keys) {
		const struct kc_ini_setting *setting = kc_ini_get(ini, section, key);
		const char *const *words;
		const char *source;
		int r;

		if (!setting)
			continue;
		source = dnf_place(rule, file, setting->line);
		r = source ? dnf_split(rule, setting->value, &words) : -ENOMEM;
		if (r < 0)
			return r;
		KC_FOREACH_STR (word, words) {
			r = add_exclude(rule, word, source, excludes);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int read_enabled(const struct software_rule *rule, const char *file,
			const struct kc_ini *ini, const char *section,
			struct dnf_repository *repository)
{
	const struct kc_ini_setting *setting = kc_ini_get(ini, section, "enabled");
	const char *source = setting ? dnf_place(rule, file, setting->line) : NULL;
	int value;

	if (!setting)
		return 0;
	if (!source)
		return -ENOMEM;
	value = dnf_parse_bool(setting->value);
	if (value < 0) {
		repository->odd = software_text(rule, "enabled=%s (%s)", setting->value, source);
		return 0;
	}
	repository->enabled = value;
	repository->enabled_source = source;
	return 0;
}

static struct dnf_repository *find(const struct dnf *dnf, const char *id)
{
	for (size_t i = 0; i < dnf->n; i++)
		if (kc_streq(dnf->repository[i].id, id))
			return &dnf->repository[i];
	return NULL;
}

static int add(const struct software_rule *rule, struct dnf *dnf, const char *file,
	       const struct kc_ini *ini, const struct kc_ini_section *section)
{
	struct dnf_repository repository = { .id = section->name, .enabled = true }, *items, *known;
	int r;

	repository.source = dnf_place(rule, file, section->line);
	if (!repository.source)
		return -ENOMEM;
	/* The first counts, and dnf warns of the others. */
	known = find(dnf, section->name);
	if (known) {
		if (!known->again)
			known->again = repository.source;
		return 0;
	}
	if (dnf->n == REPOSITORIES_MAX)
		return -E2BIG;
	r = read_enabled(rule, file, ini, section->name, &repository);
	if (r == 0)
		r = dnf_read_excludes(rule, file, ini, section->name, &repository.excludes);
	if (r < 0)
		return r;
	items = kc_arena_grow(rule->arena, dnf->repository, dnf->n, &dnf->room, sizeof(*items));
	if (!items)
		return -ENOMEM;
	dnf->repository = items;
	items[dnf->n++] = repository;
	return 0;
}

int dnf_add_repositories(const struct software_rule *rule, struct dnf *dnf, const char *file,
			 const struct kc_ini *ini)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ini->n_sections; i++)
		if (!kc_streq(ini->section[i].name, "main"))
			r = add(rule, dnf, file, ini, &ini->section[i]);
	return r;
}

int dnf_override_repositories(const struct software_rule *rule, struct dnf *dnf, const char *file,
			      const struct kc_ini *ini)
{
	int r = 0;

	for (size_t i = 0; i < ini->n_sections; i++) {
		const char *pattern = ini->section[i].name;

		for (size_t k = 0; r == 0 && k < dnf->n; k++) {
			struct dnf_repository *repository = &dnf->repository[k];

			if (fnmatch(pattern, repository->id, 0) != 0)
				continue;
			r = read_enabled(rule, file, ini, pattern, repository);
			if (r == 0)
				r = dnf_read_excludes(rule, file, ini, pattern,
						      &repository->excludes);
		}
	}
	return r;
}

/*
 * "NAME-*" is every version of NAME: libdnf (hy-subject.cpp) tries a pattern as NAME first, and,
 * where no package has such a name, as NAME-VERSION.
 */
static bool is_any_version(const char *pattern, const char *package)
{
	size_t n = strlen(package);

	return strncmp(pattern, package, n) == 0 && kc_streq(pattern + n, "-*");
}

/* "NAME.ARCH", which libdnf tries after NAME, for any machine that Kubernetes has packages for. */
static bool is_of_machine(const char *pattern, const char *package)
{
	static const char *const machines[] = { "x86_64", "aarch64", "ppc64le", "s390x", NULL };
	const char *dot = strrchr(pattern, '.');
	char name[256];

	if (!dot || (size_t)(dot - pattern) >= sizeof(name))
		return false;
	memcpy(name, pattern, (size_t)(dot - pattern));
	name[dot - pattern] = '\0';
	if (fnmatch(name, package, 0) != 0)
		return false;
	KC_FOREACH_STR (machine, machines)
		if (fnmatch(dot + 1, machine, 0) == 0)
			return true;
	return false;
}

static const char *matches(const struct dnf_excludes *excludes, const char *package)
{
	for (size_t i = 0; i < excludes->n; i++)
		if (fnmatch(excludes->item[i].pattern, package, 0) == 0 ||
		    is_any_version(excludes->item[i].pattern, package) ||
		    is_of_machine(excludes->item[i].pattern, package))
			return excludes->item[i].source;
	return NULL;
}

const char *dnf_excluded(const struct dnf *dnf, const struct dnf_repository *repository,
			 const char *package)
{
	const char *source = NULL;

	if (kc_strv_has(dnf->unexcluded, "all"))
		return NULL;
	if (!kc_strv_has(dnf->unexcluded, "main"))
		source = matches(&dnf->excludes, package);
	if (!source && repository && !kc_strv_has(dnf->unexcluded, repository->id))
		source = matches(&repository->excludes, package);
	return source;
}
