/* SPDX-License-Identifier: Apache-2.0 */
#include "swap.h"

/* Services that make swap by a program of their own, without any unit of the type swap. */
static const struct tool {
	const char *unit; /* its name without .service is that of its script in /etc/init.d, too */
	const char *package;
	const char *config; /* shell variables; NULL: none is looked at */
	const char *size; /* the variable that turns nothing on when it is 0 */
	const char *before; /* one that beats `size` where it has a value */
} tools[] = {
	{ "zramswap.service", "zram-tools (on openSUSE: systemd-zram-service)",
	  "/etc/default/zramswap", "SIZE", "PERCENT" },
	{ "zram-config.service", "zram-config", NULL, NULL, NULL },
	{ "zram-swap.service", "zram", NULL, NULL, NULL },
	{ "dphys-swapfile.service", "dphys-swapfile", "/etc/dphys-swapfile", "CONF_SWAPSIZE",
	  NULL },
	{ "swapspace.service", "swapspace", NULL, NULL, NULL },
	{ "systemd-swap.service", "systemd-swap", NULL, NULL, NULL },
	{ "zramd.service", "zramd", NULL, NULL, NULL },
};

static const char *value_of(const struct kc_environment_variable *variables, size_t n,
			    const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (kc_streq(variables[i].name, name))
			return variables[i].value;
	return "";
}

/* True when the configuration asks for a swap of no size. */
static bool is_sized_zero(struct swap_boot *boot, const struct tool *tool)
{
	struct kc_environment_variable *variables;
	struct kc_bytes text;
	const char *size;
	size_t n;

	if (!tool->config ||
	    kc_read_file(boot->host, boot->run, tool->config, SWAP_FILE_MAX, &text) != 0 ||
	    kc_environment_file_parse(tool->config, text.data, text.size, boot->arena, &variables,
				      &n) != 0)
		return false;
	/* A shell reads it, to which a carriage return is part of the value. */
	if (memchr(text.data, '\r', text.size))
		return false;
	size = value_of(variables, n, tool->before);
	if (!*size)
		size = value_of(variables, n, tool->size);
	return kc_streq(size, "0");
}

/* `path`: its unit's file; NULL: a script, of which systemd makes one. */
static int add_tool(struct swap_boot *boot, const struct tool *tool, const char *path,
		    const char *by, const char *source)
{
	struct kc_unit_enabled enabled = { 0 };

	if (is_sized_zero(boot, tool)) {
		swap_note(boot, "%s starts, and %s has a size of 0.", tool->unit, tool->config);
		return 0;
	}
	if (path && kc_unit_enablement(boot->host, boot->run, boot->arena, tool->unit, &enabled))
		return swap_add_unseen(boot, tool->unit, path, NULL);
	return swap_add(
		boot,
		&(struct swap_cause){
			.verdict = KC_FAIL,
			.origin = SWAP_FROM_SERVICE,
			.subject = tool->unit,
			.found = kc_text(boot->host, boot->run, "started by %s, turns swap on", by),
			.source = source,
			.message = kc_text(boot->host, boot->run,
					   "The service is that of the package %s.", tool->package),
			.unit = tool->unit,
			.fragment = path,
			.enabled = enabled.state == KC_UNIT_ENABLED,
		});
}

static int judge_unit(struct swap_boot *boot, const struct tool *tool, const char *path)
{
	struct kc_unit_start start;
	const char *by;
	int r;

	r = swap_unit_stopped(boot, tool->unit, false, &by);
	if (r > 0) {
		swap_note(boot, "%s.", by);
		return 0;
	}
	if (!r)
		r = kc_unit_start(boot->host, boot->run, boot->arena, tool->unit, &start);
	if (r)
		return swap_add_unseen(boot, tool->unit, path, NULL);
	return start.reached ? add_tool(boot, tool, path, start.by, start.source) : 0;
}

/* A script of /etc/init.d, of which systemd makes a unit that the runlevels' links start. */
static int judge_script(struct swap_boot *boot, const struct tool *tool)
{
	static const char *const runlevels[] = { "/etc/rc2.d", "/etc/rc3.d", "/etc/rc4.d",
						 "/etc/rc5.d", NULL };
	const char *script = kc_text(boot->host, boot->run, "%.*s",
				     (int)(strlen(tool->unit) - strlen(".service")), tool->unit);
	const char *path = kc_text(boot->host, boot->run, "/etc/init.d/%s", script);
	struct kc_stat st = { .size_of = sizeof(st) };
	int r = kc_stat(boot->host, boot->run, path, 0, &st);

	if (r)
		return r == -ENOENT || r == -ENOTDIR
			       ? 0
			       : swap_add_unseen(boot, tool->unit, path, NULL);
	KC_FOREACH_STR (dir, runlevels) {
		struct kc_strings names;

		r = kc_list_dir(boot->host, boot->run, dir, &names);
		if (r == -ENOENT || r == -ENOTDIR)
			continue;
		if (r)
			return swap_add_unseen(boot, tool->unit, dir, NULL);
		for (size_t i = 0; i < names.n; i++)
			if (names.item[i][0] == 'S' && strlen(names.item[i]) > 3 &&
			    kc_streq(names.item[i] + 3, script))
				return add_tool(boot, tool, NULL, "its runlevel",
						kc_text(boot->host, boot->run, "%s/%s", dir,
							names.item[i]));
	}
	return 0;
}

/* Where the unit's file is; NULL: in no folder. */
static const char *find_unit(struct swap_boot *boot, const char *unit)
{
	struct kc_stat st = { .size_of = sizeof(st) };

	for (const char *const *dir = kc_unit_dirs; *dir; dir++) {
		const char *path = kc_text(boot->host, boot->run, "%s/%s", *dir, unit);

		if (kc_stat(boot->host, boot->run, path, KC_NOFOLLOW, &st) == 0)
			return path;
	}
	return NULL;
}

int swap_collect_services(struct swap_boot *boot)
{
	int r = 0;

	for (size_t i = 0; i < KC_ARRAY_SIZE(tools) && !r; i++) {
		const char *path = find_unit(boot, tools[i].unit);

		r = path ? judge_unit(boot, &tools[i], path) : judge_script(boot, &tools[i]);
	}
	return r;
}
