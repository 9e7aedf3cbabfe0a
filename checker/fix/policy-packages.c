/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "policy-parts.h"

static bool is_blank_or_comment(const char *line)
{
	line += strspn(line, " \t");
	return !*line || *line == '#' || *line == ';';
}

/* "name" of "name = value", at the beginning of a line, and in small letters; else NULL. */
static const char *setting_value(const char *line, const char *name)
{
	const char *rest = kc_after_prefix(line, name);

	if (!rest)
		return NULL;
	rest += strspn(rest, " \t");
	if (*rest != '=')
		return NULL;
	rest++;
	return rest + strspn(rest, " \t");
}

static const char *const signatures[] = { "gpgcheck",	   "pkg_gpgcheck", "localpkg_gpgcheck",
					  "repo_gpgcheck", "sslverify",	   NULL };

static bool is_yes(const char *value)
{
	size_t n = strcspn(value, " \t");

	return (n == 1 && *value == '1') || (n == 3 && strncasecmp(value, "yes", 3) == 0) ||
	       (n == 4 && strncasecmp(value, "true", 4) == 0);
}

bool kc_policy_package_guard(const char *line)
{
	KC_FOREACH_STR (name, signatures) {
		const char *value = setting_value(line, name);

		if (value)
			return is_yes(value);
	}
	return false;
}

/*
 * Everything else could say where packages come from, which code dnf loads, or whose the lines
 * behind it are: a header, and a line that goes on with the one before.
 */
bool kc_policy_package_line(const char *line)
{
	static const char *const plain[] = { "exclude",
					     "excludepkgs",
					     "includepkgs",
					     "name",
					     "cost",
					     "priority",
					     "skip_if_unavailable",
					     "metadata_expire",
					     "installonly_limit",
					     "clean_requirements_on_remove",
					     "best",
					     "keepcache",
					     "fastestmirror",
					     "max_parallel_downloads",
					     "retries",
					     "timeout",
					     NULL };
	const char *off;

	if (is_blank_or_comment(line) || kc_policy_package_guard(line))
		return false;
	off = setting_value(line, "enabled");
	if (off)
		return !kc_streq(off, "0");
	KC_FOREACH_STR (name, plain) {
		if (setting_value(line, name))
			return false;
	}
	/* As Python's configparser has it. */
	return !kc_after_prefix(line, "exclude:");
}
