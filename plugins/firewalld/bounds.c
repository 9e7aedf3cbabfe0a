/* SPDX-License-Identifier: Apache-2.0 */
#include "firewalld.h"
#include "formats/unit.h"

enum {
	PROFILE_MAX = 1 << 20, /* bytes of a file */
};

int bounds_add(const struct zone_rule *rule, struct zone_bounds *bounds,
	       const struct zone_bound *bound)
{
	struct zone_bound *items =
		kc_arena_grow(rule->arena, bounds->item, bounds->n, &bounds->room, sizeof(*items));

	if (!items)
		return -ENOMEM;
	bounds->item = items;
	bounds->item[bounds->n++] = *bound;
	return 0;
}

int bounds_elsewhere(const struct zone_rule *rule, const struct zone_bounds *all,
		     struct zone_bounds *ret_elsewhere)
{
	struct zone_bounds elsewhere = { 0 };

	for (size_t i = 0; i < all->n; i++) {
		const struct zone_bound *b = &all->item[i];
		bool other = false;
		int r;

		for (size_t k = 0; k < rule->others.n; k++)
			other = other || kc_streq(b->zone, rule->others.item[k]);
		if (other || kc_streq(b->zone, rule->zone))
			continue;
		r = bounds_add(rule, &elsewhere, b);
		if (r)
			return r;
	}
	*ret_elsewhere = elsewhere;
	return 0;
}

/* What of a profile decides: the last value of a key counts, as in GLib's key files. */
struct profile {
	const char *zone, *interface, *id, *autoconnect;
	unsigned line; /* of the zone */
};

/* Takes KEY=VALUE of a line of n bytes. */
static int take_key(const struct zone_rule *rule, const char *line, size_t n, unsigned number,
		    struct profile *p)
{
	const struct {
		const char *key;
		const char **value;
	} keys[] = {
		{ "zone", &p->zone },
		{ "interface-name", &p->interface },
		{ "id", &p->id },
		{ "autoconnect", &p->autoconnect },
	};
	const char *equals = memchr(line, '=', n);
	char *key, *value;

	if (!equals)
		return 0;
	key = kc_arena_memdup(rule->arena, line, (size_t)(equals - line));
	value = kc_arena_memdup(rule->arena, equals + 1, n - (size_t)(equals - line) - 1);
	if (!key || !value)
		return -ENOMEM;
	key = kc_strstrip(key);
	for (size_t i = 0; i < KC_ARRAY_SIZE(keys); i++) {
		if (!kc_streq(key, keys[i].key))
			continue;
		*keys[i].value = zone_text(rule, "%s", kc_strstrip(value));
		if (keys[i].value == &p->zone)
			p->line = number;
	}
	return 0;
}

/* The section [connection] of a key file of NetworkManager's (nm-settings-keyfile(5)). */
static int read_keyfile(const struct zone_rule *rule, const struct kc_bytes *bytes,
			struct profile *p)
{
	const char *s = bytes->data, *end = s + bytes->size;
	bool connection = false;
	int r = 0;

	for (unsigned number = 1; s < end && !r; number++) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));
		size_t n;

		if (!stop)
			stop = end;
		while (s < stop && kc_isspace(*s))
			s++;
		n = (size_t)(stop - s);
		if (n > 0 && *s == '[')
			connection = n >= 12 && memcmp(s, "[connection]", 12) == 0;
		else if (n > 0 && connection && *s != '#')
			r = take_key(rule, s, n, number, p);
		s = stop < end ? stop + 1 : end;
	}
	return r;
}

/*
 * An ifcfg file: a shell fragment of assignments, as initscripts and NetworkManager read it, and
 * wicked of openSUSE (ifcfg(5)), where STARTMODE says what ONBOOT says elsewhere.
 */
static int read_ifcfg(const struct zone_rule *rule, const char *path, const struct kc_bytes *bytes,
		      struct profile *p)
{
	struct kc_environment_variable *v;
	size_t n;
	int r;

	r = kc_environment_file_parse(path, bytes->data, bytes->size, rule->arena, &v, &n);
	if (r)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (kc_streq(v[i].name, "ZONE")) {
			p->zone = zone_text(rule, "%s", v[i].value);
			p->line = v[i].place.line;
		} else if (kc_streq(v[i].name, "DEVICE")) {
			p->interface = zone_text(rule, "%s", v[i].value);
		} else if (kc_streq(v[i].name, "ONBOOT") && strcasecmp(v[i].value, "no") == 0) {
			p->autoconnect = "false";
		} else if (kc_streq(v[i].name, "STARTMODE") &&
			   (strcasecmp(v[i].value, "off") == 0 ||
			    strcasecmp(v[i].value, "manual") == 0)) {
			p->autoconnect = "false";
		}
	}
	return 0;
}

static int read_profile(struct zone_rule *rule, const char *dir, const char *name, bool ifcfg)
{
	const char *path = zone_text(rule, "%s/%s", dir, name);
	struct profile p = { 0 };
	struct zone_bound bound;
	struct kc_bytes bytes;
	int r;

	r = kc_read_file(rule->host, rule->run, path, PROFILE_MAX, &bytes);
	/* Folders, sockets and FIFOs are nobody's profile; nor is a link that leads nowhere. */
	if (r == -EISDIR || r == -EINVAL || r == -ENOENT)
		return 0;
	if (r && r != -ENOMEM)
		permanent_trouble(&rule->permanent, path, zone_why(rule));
	if (r)
		return r == -ENOMEM ? r : 0;
	r = ifcfg ? read_ifcfg(rule, path, &bytes, &p) : read_keyfile(rule, &bytes, &p);
	if (r == -ENOMEM)
		return r;
	if (r) {
		permanent_trouble(&rule->permanent, path,
				  "It cannot be read as a file of assignments.");
		return 0;
	}
	if (!p.zone || !*p.zone || kc_streq0(p.autoconnect, "false"))
		return 0;
	bound = (struct zone_bound){
		.name = p.interface,
		.zone = p.zone,
		.source = zone_text(rule, "%s:%u", path, p.line),
	};
	if (!bound.name)
		bound.name = ifcfg ? name + strlen("ifcfg-")
				   : zone_text(rule, "connection %s", p.id ? p.id : name);
	return bounds_add(rule, &rule->permanent.bounds, &bound);
}

/* Copies that package managers and editors leave behind, which NetworkManager passes over. */
static bool is_stray(const char *name)
{
	static const char *const suffixes[] = { "~",	    ".bak",	".orig",   ".rpmnew",
						".rpmorig", ".rpmsave", ".augnew", NULL };

	KC_FOREACH_STR (suffix, suffixes)
		if (kc_endswith(name, suffix))
			return true;
	return *name == '.';
}

int bounds_of_profiles(struct zone_rule *rule)
{
	static const struct {
		const char *path;
		bool ifcfg;
	} dirs[] = {
		{ "/etc/NetworkManager/system-connections", false },
		{ "/usr/lib/NetworkManager/system-connections", false },
		{ "/etc/sysconfig/network-scripts", true },
		{ "/etc/sysconfig/network", true },
	};

	for (size_t d = 0; d < KC_ARRAY_SIZE(dirs); d++) {
		struct kc_strings names;
		int r = kc_list_dir(rule->host, rule->run, dirs[d].path, &names);

		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (r == -ENOMEM)
			return r;
		if (r) {
			permanent_trouble(&rule->permanent, dirs[d].path, zone_why(rule));
			continue;
		}
		for (size_t i = 0; i < names.n && !r; i++) {
			const char *name = names.item[i];

			if (!is_stray(name) && (!dirs[d].ifcfg || kc_after_prefix(name, "ifcfg-")))
				r = read_profile(rule, dirs[d].path, name, dirs[d].ifcfg);
		}
		if (r)
			return r;
	}
	return 0;
}
