/* SPDX-License-Identifier: Apache-2.0 */
#include "hold.h"
#include "dnf.h"
#include "formats/ini.h"

enum {
	LIST_SIZE_MAX = 1 << 20
};

/* A configuration of the plugin, by the program that reads it. */
static const struct plugin {
	enum dnf_kind kind;
	const char *conf;
} plugins[] = {
	{ DNF_4, "/etc/dnf/plugins/versionlock.conf" },
	{ DNF_YUM, "/etc/yum/pluginconf.d/versionlock.conf" },
};

static int set_unseen(const struct software_rule *rule, const char *source, const char *why,
		      struct hold *hold)
{
	hold->source = source;
	hold->unseen = software_text(rule, "%s", why);
	return 0;
}

static int set_unread(const struct software_rule *rule, const char *file, struct hold *hold)
{
	return set_unseen(rule, file, kc_why(rule->host, rule->run), hold);
}

/* The file with locks, that the plugin is told; NULL when it is off or not installed. */
static int find_list(const struct software_rule *rule, const char *conf, struct hold *hold,
		     const char **ret_list)
{
	const struct kc_ini_setting *enabled, *list;
	struct kc_bytes bytes;
	struct kc_ini ini;
	int r;

	*ret_list = NULL;
	r = kc_read_file(rule->host, rule->run, conf, LIST_SIZE_MAX, &bytes);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return set_unread(rule, conf, hold);
	r = kc_ini_parse(bytes.data, bytes.size, rule->arena, &ini);
	if (r == -ENOMEM)
		return r;
	if (r < 0 || ini.bad_line)
		return set_unseen(rule, conf, "The file is not in the form of an INI file.", hold);
	enabled = kc_ini_get(&ini, "main", "enabled");
	list = kc_ini_get(&ini, "main", "locklist");
	if (enabled && dnf_parse_bool(enabled->value) == 0)
		hold->note = software_text(rule, "The plugin versionlock is off (%s:%u).", conf,
					   enabled->line);
	else if (list)
		*ret_list = list->value;
	return 0;
}

static int read_list(const struct software_rule *rule, const char *file, const char *name,
		     struct hold *hold)
{
	struct kc_bytes bytes;
	char *rest, *line;
	int r;

	r = kc_read_file(rule->host, rule->run, file, LIST_SIZE_MAX, &bytes);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return set_unread(rule, file, hold);
	rest = kc_arena_memdup(rule->arena, bytes.data, bytes.size);
	if (!rest)
		return -ENOMEM;
	for (unsigned number = 1; (line = strsep(&rest, "\n")); number++) {
		line = kc_strstrip(line);
		if (!*line || *line == '#' || !version_lock_names(line, name, rule->arena))
			continue;
		hold->held = true;
		hold->source = software_text(rule, "%s:%u", file, number);
		return 0;
	}
	return 0;
}

static int read_toml(const struct software_rule *rule, const char *name, struct hold *hold)
{
	static const char file[] = "/etc/dnf/versionlock.toml";
	struct kc_bytes bytes;
	unsigned line;
	int r;

	r = kc_read_file(rule->host, rule->run, file, LIST_SIZE_MAX, &bytes);
	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return set_unread(rule, file, hold);
	r = version_lock_toml(bytes.data, bytes.size, name, rule->arena, &line);
	if (r == -EBADMSG)
		return set_unseen(rule, software_text(rule, "%s:%u", file, line),
				  "The line is not in the form that dnf5 writes.", hold);
	if (r == 0 && line) {
		hold->held = true;
		hold->source = software_text(rule, "%s:%u", file, line);
	}
	return r;
}

static int find_lock(const struct software_rule *rule, const struct dnf *dnf, const char *name,
		     struct hold *hold)
{
	const char *list;
	int r;

	if (dnf->kind == DNF_5)
		return read_toml(rule, name, hold);
	if (dnf->plugins_off) {
		hold->note = software_text(rule, "Plugins are off (%s).", dnf->plugins_off);
		return 0;
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(plugins); i++) {
		if (plugins[i].kind != dnf->kind)
			continue;
		r = find_list(rule, plugins[i].conf, hold, &list);
		if (r < 0 || hold->unseen || !list)
			return r;
		return read_list(rule, list, name, hold);
	}
	return 0;
}

/* An exclude= keeps a package from updates, too, until somebody says --disableexcludes. */
static void note_excludes(const struct software_rule *rule, const struct dnf *dnf, const char *name,
			  struct hold *hold)
{
	const char *source = dnf_excluded(dnf, NULL, name);

	for (size_t i = 0; !source && i < dnf->n; i++)
		if (dnf->repository[i].enabled)
			source = dnf_excluded(dnf, &dnf->repository[i], name);
	if (source)
		hold->note =
			software_text(rule,
				      "%s%sAn exclude= (%s) keeps updates of it away; that is "
				      "no lock, and ends with --disableexcludes.",
				      hold->note ? hold->note : "", hold->note ? " " : "", source);
}

int hold_find(const struct software_rule *rule, enum kc_package_system system,
	      const struct kc_package *package, struct hold *ret_hold)
{
	struct hold hold = { 0 };
	struct dnf dnf;
	int r;

	if (system != KC_PACKAGES_RPM) {
		hold.held = package->held;
		hold.source = package->held ? package->source : NULL;
		*ret_hold = hold;
		return 0;
	}
	r = dnf_load(rule, &dnf);
	if (r < 0)
		return r;
	r = dnf.fault.fatal ? set_unseen(rule, dnf.fault.source, dnf.fault.text, &hold)
			    : find_lock(rule, &dnf, package->name, &hold);
	if (r < 0)
		return r;
	if (!hold.held && !hold.unseen)
		note_excludes(rule, &dnf, package->name, &hold);
	*ret_hold = hold;
	return 0;
}
