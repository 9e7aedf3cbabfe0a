/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"
#include "runtime.h"

/*
 * setDefaultZone changes the running default and writes firewalld.conf, with the one before beside
 * it (src/firewall/core/io/firewalld_conf.py); so the files are laid aside, and brought back.
 */
static const char *const *zone_files(struct kc_fix *fix, const char *target)
{
	static const char *const files[] = { "/etc/firewalld/firewalld.conf",
					     "/etc/firewalld/firewalld.conf.old", NULL };

	return files;
}

static int get_zone(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
		    const char **ret_value)
{
	const struct kc_firewalld_call call = {
		.interface = "",
		.method = "getDefaultZone",
		.answer = 's',
	};

	return kc_fix_bus_firewalld(fix, &call, err, ret_value);
}

static int set_zone(struct kc_fix *fix, const char *target, const char *content, const char *value,
		    struct kc_err *err)
{
	const struct kc_firewalld_call call = {
		.interface = "",
		.method = "setDefaultZone",
		.args = (const char *const[]){ value, NULL },
	};

	return kc_fix_bus_firewalld(fix, &call, err, NULL);
}

const struct kc_runtime_kind kc_runtime_zone = {
	.kind = KC_STEP_FIREWALLD_ZONE,
	.get = get_zone,
	.set = set_zone,
	.inverse = "is set back, its file too",
	.files = zone_files,
};

/* ---- ports: of the running firewall, and of the zone's file ---- */

static const char *const open_both = "open";
static const char *const open_now = "open now alone";
static const char *const open_boot = "open at boot alone";
static const char *const closed = "closed";

/* The two parts of PORT/PROTOCOL. */
static int split(struct kc_fix *fix, const char *content, struct kc_err *err, const char **ret_port,
		 const char **ret_protocol)
{
	char *copy = kc_arena_strdup(fix->arena, content), *slash = copy ? strchr(copy, '/') : NULL;

	if (!slash)
		return kc_err_set(err, copy ? -EINVAL : -ENOMEM, "'%.40s' is no port", content);
	*slash = '\0';
	*ret_port = copy;
	*ret_protocol = slash + 1;
	return 0;
}

static int permanent_zone(struct kc_fix *fix, const char *zone, struct kc_err *err,
			  const char **ret_path)
{
	const struct kc_firewalld_call call = {
		.path = "/org/fedoraproject/FirewallD1/config",
		.interface = ".config",
		.method = "getZoneByName",
		.args = (const char *const[]){ zone, NULL },
		.answer = 'o',
	};

	return kc_fix_bus_firewalld(fix, &call, err, ret_path);
}

/* `verb`: queryPort, addPort or removePort. */
static int of_permanent(struct kc_fix *fix, const char *zone, const char *content, const char *verb,
			struct kc_err *err, const char **ret_answer)
{
	const char *path, *port, *protocol;
	int r = split(fix, content, err, &port, &protocol);

	if (r == 0)
		r = permanent_zone(fix, zone, err, &path);
	if (r == 0) {
		const struct kc_firewalld_call call = {
			.path = path,
			.interface = ".config.zone",
			.method = verb,
			.args = (const char *const[]){ port, protocol, NULL },
			.answer = ret_answer ? 'b' : 0,
		};

		r = kc_fix_bus_firewalld(fix, &call, err, ret_answer);
	}
	return r;
}

static int of_running(struct kc_fix *fix, const char *zone, const char *content, const char *verb,
		      struct kc_err *err, const char **ret_answer)
{
	const char *port, *protocol;
	int r = split(fix, content, err, &port, &protocol);

	if (r == 0) {
		const struct kc_firewalld_call call = {
			.interface = ".zone",
			.method = verb,
			.args = (const char *const[]){ zone, port, protocol, NULL },
			.has_timeout = kc_streq(verb, "addPort"),
			.answer = ret_answer ? 'b' : 0,
		};

		r = kc_fix_bus_firewalld(fix, &call, err, ret_answer);
	}
	return r;
}

static int get_port(struct kc_fix *fix, const char *target, const char *content, struct kc_err *err,
		    const char **ret_value)
{
	const char *now, *boot;
	int r = of_running(fix, target, content, "queryPort", err, &now);

	if (r == 0)
		r = of_permanent(fix, target, content, "queryPort", err, &boot);
	if (r < 0)
		return r;
	if (kc_streq(now, "yes"))
		*ret_value = kc_streq(boot, "yes") ? open_both : open_now;
	else
		*ret_value = kc_streq(boot, "yes") ? open_boot : closed;
	return 0;
}

static const char *wanted_port(const char *content)
{
	return open_both;
}

static int set_port(struct kc_fix *fix, const char *target, const char *content, const char *value,
		    struct kc_err *err)
{
	const bool now = kc_streq(value, open_both) || kc_streq(value, open_now);
	const bool boot = kc_streq(value, open_both) || kc_streq(value, open_boot);
	const char *is;
	int r = of_running(fix, target, content, "queryPort", err, &is);

	if (r == 0 && kc_streq(is, "yes") != now)
		r = of_running(fix, target, content, now ? "addPort" : "removePort", err, NULL);
	if (r == 0)
		r = of_permanent(fix, target, content, "queryPort", err, &is);
	if (r == 0 && kc_streq(is, "yes") != boot)
		r = of_permanent(fix, target, content, boot ? "addPort" : "removePort", err, NULL);
	return r;
}

static const char *const *port_files(struct kc_fix *fix, const char *target)
{
	const char **files = kc_arena_zalloc(fix->arena, 3, sizeof(*files));

	if (!files)
		return NULL;
	files[0] = kc_arena_printf(fix->arena, "/etc/firewalld/zones/%s.xml", target);
	files[1] = kc_arena_printf(fix->arena, "/etc/firewalld/zones/%s.xml.old", target);
	return files;
}

const struct kc_runtime_kind kc_runtime_port = {
	.kind = KC_STEP_FIREWALLD_PORT,
	.get = get_port,
	.wanted = wanted_port,
	.set = set_port,
	.inverse = "is closed again, its file too",
	.files = port_files,
};
