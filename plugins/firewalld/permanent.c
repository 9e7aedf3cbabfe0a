/* SPDX-License-Identifier: Apache-2.0 */
#include "conf-file.h"
#include "firewalld.h"
#include "formats/unit.h"
#include "zone-file.h"

#define FALLBACK_ZONE "public"

/* Where firewalld reads: by its arguments, else /etc/firewalld and /usr/lib/firewalld. */
struct places {
	const char *etc, *lib;
};

/* Names of zones that there are. */
struct zones {
	struct kc_strings etc, lib; /* of the two folders, all of them */
	const char **combined; /* folders of the first that have zone files in them */
	size_t n_combined;
};

void permanent_trouble(struct permanent *p, const char *source, const char *trouble)
{
	if (p->trouble)
		return;
	p->trouble = trouble;
	p->trouble_source = source;
}

/* -ENOMEM stays one; any other error of a service is a trouble. */
static int trouble_of(struct zone_rule *rule, int r, const char *source)
{
	if (r == -ENOMEM)
		return r;
	permanent_trouble(&rule->permanent, source, zone_why(rule));
	return 0;
}

/* The value of "--option VALUE" or "--option=VALUE". */
static const char *option(const struct kc_command *command, const char *name)
{
	const char *value = NULL;

	for (size_t i = 1; i < command->n; i++) {
		const char *rest = kc_after_prefix(command->word[i].text, name);

		if (rest && *rest == '=')
			value = rest + 1;
		else if (rest && !*rest && i + 1 < command->n)
			value = command->word[++i].text;
	}
	return value && *value == '/' ? value : NULL;
}

static int find_places(struct zone_rule *rule, struct places *places)
{
	struct kc_service_command service = { 0 };
	const struct kc_unit_file *unit;
	const char *value;
	int r;

	*places = (struct places){ "/etc/firewalld", "/usr/lib/firewalld" };
	r = kc_unit_file_load(rule->host, rule->run, rule->arena, FIREWALLD_UNIT, &unit);
	if (!r && unit->fragment && !unit->masked && !unit->fault)
		r = kc_unit_service_command(rule->host, rule->run, rule->arena, unit, &service);
	if (r)
		return trouble_of(rule, r, FIREWALLD_UNIT);
	if (service.fault)
		permanent_trouble(&rule->permanent, service.command.place.file,
				  zone_text(rule, "%s", service.fault));
	value = option(&service.command, "--system-config");
	if (value)
		places->etc = value;
	value = option(&service.command, "--default-config");
	if (value)
		places->lib = value;
	return 0;
}

/* What is bound in a zone file, and whether the packaged `trusted` is still what it was. */
static int read_zone(struct zone_rule *rule, const char *path, const char *zone, bool own)
{
	struct permanent *p = &rule->permanent;
	struct firewalld_zone file;
	const char *fault = NULL;
	struct kc_bytes bytes;
	unsigned line = 0;
	int r;

	r = kc_read_file(rule->host, rule->run, path, FIREWALLD_ZONE_MAX, &bytes);
	if (r)
		return trouble_of(rule, r, path);
	r = firewalld_zone_parse(bytes.data, bytes.size, rule->arena, &file, &line, &fault);
	if (r == -ENOMEM)
		return r;
	if (r) {
		permanent_trouble(p, line ? zone_text(rule, "%s:%u", path, line) : path,
				  zone_text(rule,
					    "firewalld does not take this for a zone file, and "
					    "versions differ in what they do then.%s%s",
					    fault ? " " : "", fault ? fault : ""));
		return 0;
	}
	if (own && kc_streq(zone, "trusted")) {
		p->target = file.target ? zone_text(rule, "%s", file.target) : NULL;
		p->target_source = path;
	}
	for (size_t i = 0; i < file.n_bindings && !r; i++) {
		const struct zone_bound bound = {
			.name = zone_text(rule, "%s", file.binding[i].name),
			.zone = zone,
			.source = zone_text(rule, "%s:%u", path, file.binding[i].line),
			.is_source = file.binding[i].source,
		};

		r = bounds_add(rule, &p->bounds, &bound);
	}
	return r;
}

/* "trusted" of "trusted.xml"; NULL of anything else. */
static const char *zone_of_file(const struct zone_rule *rule, const char *name)
{
	if (!kc_endswith(name, ".xml"))
		return NULL;
	return zone_text(rule, "%.*s", (int)(strlen(name) - 4), name);
}

/* A folder of zone files is one zone that has what all of them have. */
static int read_combined(struct zone_rule *rule, const char *dir, const char *zone,
			 struct zones *zones)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	struct kc_strings names;
	bool any = false;
	int r;

	r = kc_stat(rule->host, rule->run, dir, 0, &st);
	if (r == -ENOENT || (!r && st.type != KC_FILE_DIRECTORY))
		return 0;
	if (!r)
		r = kc_list_dir(rule->host, rule->run, dir, &names);
	if (r)
		return trouble_of(rule, r, dir);
	for (size_t i = 0; i < names.n && !r; i++) {
		if (!kc_endswith(names.item[i], ".xml"))
			continue;
		any = true;
		r = read_zone(rule, zone_text(rule, "%s/%s", dir, names.item[i]), zone, false);
	}
	if (!r && any)
		zones->combined[zones->n_combined++] = zone;
	return r;
}

static bool has_name(const struct kc_strings *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (kc_streq(names->item[i], name))
			return true;
	return false;
}

/* The names in a folder; one that is not there has none. */
static int list_zones(struct zone_rule *rule, const char *dir, struct kc_strings *ret_names)
{
	int r = kc_list_dir(rule->host, rule->run, dir, ret_names);

	if (!r)
		return 0;
	*ret_names = (struct kc_strings){ 0 };
	return r == -ENOENT || r == -ENOTDIR ? 0 : trouble_of(rule, r, dir);
}

static int read_zones(struct zone_rule *rule, const struct places *places, struct zones *zones)
{
	const char *etc = zone_text(rule, "%s/zones", places->etc);
	const char *lib = zone_text(rule, "%s/zones", places->lib);
	int r;

	r = list_zones(rule, etc, &zones->etc);
	if (!r)
		r = list_zones(rule, lib, &zones->lib);
	if (r)
		return r;
	zones->combined = kc_arena_zalloc(rule->arena, zones->etc.n + 1, sizeof(char *));
	if (!zones->combined)
		return -ENOMEM;
	for (size_t i = 0; i < zones->etc.n && !r; i++) {
		const char *name = zones->etc.item[i], *zone = zone_of_file(rule, name);
		const char *path = zone_text(rule, "%s/%s", etc, name);

		r = zone ? read_zone(rule, path, zone, true)
			 : read_combined(rule, path, name, zones);
	}
	for (size_t i = 0; i < zones->lib.n && !r; i++) {
		const char *name = zones->lib.item[i], *zone = zone_of_file(rule, name);

		if (zone && !has_name(&zones->etc, name))
			r = read_zone(rule, zone_text(rule, "%s/%s", lib, name), zone, false);
	}
	return r;
}

static bool zone_exists(const struct zone_rule *rule, const struct zones *zones, const char *zone)
{
	const char *file = zone_text(rule, "%s.xml", zone);

	for (size_t i = 0; i < zones->n_combined; i++)
		if (kc_streq(zones->combined[i], zone))
			return true;
	return has_name(&zones->etc, file) || has_name(&zones->lib, file);
}

/* firewalld's own way out when there is no such zone: src/firewall/core/fw.py, _start_check(). */
static void fall_back(struct zone_rule *rule, const struct zones *zones)
{
	struct permanent *p = &rule->permanent;
	const char *zone = "block";

	if (zone_exists(rule, zones, p->zone))
		return;
	if (zone_exists(rule, zones, FALLBACK_ZONE))
		zone = FALLBACK_ZONE;
	else if (zone_exists(rule, zones, "external"))
		zone = "external";
	p->note = zone_text(rule, "There is no zone \"%s\", so that firewalld takes \"%s\".%s%s",
			    p->zone, zone, p->note ? " " : "", p->note ? p->note : "");
	p->zone = zone;
}

static void take_conf(struct zone_rule *rule, const struct firewalld_conf *conf)
{
	struct permanent *p = &rule->permanent;
	const char *value = conf->cleanup_on_exit.value;

	/* Without case, as firewalld compares it. */
	if (value && !conf->undecodable &&
	    (strcasecmp(value, "no") == 0 || strcasecmp(value, "false") == 0)) {
		p->keeps_rules = true;
		p->keeps_source = zone_text(rule, "%s:%u", p->conf, conf->cleanup_on_exit.line);
	}
	if (conf->undecodable) {
		p->source = zone_text(rule, "%s:%u", p->conf, conf->undecodable);
		p->note = "This line is not UTF-8, for which firewalld drops the whole file; its "
			  "own default is " FALLBACK_ZONE ".";
		return;
	}
	if (conf->default_zone.value) {
		p->zone = zone_text(rule, "%s", conf->default_zone.value);
		p->source = zone_text(rule, "%s:%u", p->conf, conf->default_zone.line);
	} else {
		p->note = "It sets no DefaultZone; firewalld's own default is " FALLBACK_ZONE ".";
	}
	if (conf->ignored_why)
		p->note = zone_text(rule, "%s%sfirewalld ignores line %u (%s): %s.",
				    p->note ? p->note : "", p->note ? " " : "", conf->ignored.line,
				    conf->ignored.value, conf->ignored_why);
}

static int read_conf(struct zone_rule *rule)
{
	struct permanent *p = &rule->permanent;
	struct firewalld_conf conf;
	struct kc_bytes bytes;
	int r;

	p->zone = FALLBACK_ZONE;
	p->source = p->conf;
	r = kc_read_file(rule->host, rule->run, p->conf, FIREWALLD_CONF_MAX, &bytes);
	if (r == -ENOENT || r == -ENOTDIR) {
		p->note = "It is not there; firewalld's own default is " FALLBACK_ZONE ".";
		return 0;
	}
	if (!r)
		r = firewalld_conf_parse(bytes.data, bytes.size, rule->arena, &conf);
	if (r == -EBADMSG) {
		permanent_trouble(p, p->conf, "It has NUL bytes in it.");
		p->zone = NULL;
		return 0;
	}
	if (r) {
		p->zone = NULL;
		return trouble_of(rule, r, p->conf);
	}
	take_conf(rule, &conf);
	return 0;
}

int permanent_read(struct zone_rule *rule)
{
	struct permanent *p = &rule->permanent;
	struct zones zones = { 0 };
	struct places places;
	int r;

	if (rule->permanent_known)
		return 0;
	r = find_places(rule, &places);
	if (r)
		return r;
	p->conf = zone_text(rule, "%s/firewalld.conf", places.etc);
	r = read_conf(rule);
	if (!r)
		r = read_zones(rule, &places, &zones);
	if (r)
		return r;
	p->has_zone = zone_exists(rule, &zones, rule->zone);
	/* What cannot be seen may be a zone of that name. */
	if (p->zone && !p->trouble)
		fall_back(rule, &zones);
	r = bounds_of_profiles(rule);
	rule->permanent_known = !r;
	return r;
}
