/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "policy-parts.h"

/*
 * Lines of the configuration of CRI-O, containerd and containers/storage. A line is judged alone,
 * so that it has to be whole: what goes on over several, or is nested, is not sure.
 */

#define BARE "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/*
 * What they name is run as root, or is where programs, hooks and further configuration are looked
 * for: crio.conf(5) of 1.18 to 1.33, containerd-config.toml(5) and its plugins' options of 1.4 to
 * 2.0, containers-storage.conf(5). All of them take names in any case.
 */
static const char *const programs[] = {
	"conmon",    "monitor_path", "runtime_path", "runtime_type",  "runtime_config_path",
	"hooks_dir", "pinns_path",   "plugin_dir",   "plugin_dirs",   "bin_dir",
	"bin_dirs",  "BinaryName",   "ConfigPath",   "shim",	      "runtime",
	"path",	     "args",	     "imports",	     "mount_program", "credential-helpers",
	NULL,
};

/* The environment of what is run as root. */
static const char *const environments[] = { "conmon_env", "monitor_env", "env", NULL };

static const char *skip(const char *p)
{
	return p + strspn(p, " \t");
}

/* Whether a key of `[a.b]`, `a.b = …` is one of a list, by its last part. */
static bool is_key(const char *const *list, const char *key, size_t n)
{
	KC_FOREACH_STR (name, list) {
		if (strlen(name) == n && strncasecmp(name, key, n) == 0)
			return true;
	}
	return false;
}

/* A name without a folder is looked for in those that only root can write. */
static bool is_trusted_program(const char *text, size_t n)
{
	static const char *const folders[] = { "/usr/", "/opt/", "/bin/", "/sbin/", NULL };
	kc_cleanup(kc_freep) char *path = strndup(text, n);

	if (!path)
		return false;
	if (!strchr(path, '/'))
		return !kc_streq(path, "..");
	if (path[n - 1] == '/')
		path[n - 1] = '\0';
	KC_FOREACH_STR (folder, folders) {
		if (kc_after_prefix(path, folder))
			return kc_policy_is_plain_path(path);
	}
	return false;
}

/* "[a.b."c"]": others' plugins, and programs that unpack images, are a table each. */
static bool is_plain_header(const char *line)
{
	const char *end = strrchr(line, ']');

	if (!end || strcasestr(line, "proxy_plugins") || strcasestr(line, "stream_processors"))
		return false;
	end = skip(end + 1);
	return (!*end || *end == '#') && !strchr(line, '=') && !strchr(line, ',');
}

enum value {
	VALUE_OF_PROGRAM,
	VALUE_OF_ENVIRONMENT,
	VALUE_PLAIN,
};

/* A value that ends in the line where it begins, with nothing in it that is not allowed. */
static bool is_plain_value(const char *p, enum value kind)
{
	unsigned depth = 0;

	while (*p && *p != '#') {
		const char *end;

		if (*p == '{' || *p == '}' || (*p == ']' && depth == 0))
			return false;
		depth += *p == '[';
		depth -= *p == ']';
		if (*p != '"' && *p != '\'') {
			p++;
			continue;
		}
		end = strchr(p + 1, *p);
		/* Of three quotes it would go on in the next line. */
		if (!end || (end == p + 1 && end[1] == *p))
			return false;
		if ((kind == VALUE_OF_PROGRAM &&
		     !is_trusted_program(p + 1, (size_t)(end - p - 1))) ||
		    (kind == VALUE_OF_ENVIRONMENT && end > p + 1))
			return false;
		p = end + 1;
	}
	return depth == 0;
}

bool kc_policy_runtime_line(const char *line)
{
	const char *key = skip(line), *end = key;
	enum value kind;
	size_t n;

	if (!*key || *key == '#')
		return false;
	/* An escape can stand for any character, in names as well. */
	if (strchr(line, '\\'))
		return true;
	if (*key == '[')
		return !is_plain_header(key);
	for (;;) {
		n = strspn(end, BARE);
		key = end;
		end = skip(end + n);
		if (n == 0 || *end != '.')
			break;
		end = skip(end + 1);
	}
	if (n == 0 || *end != '=')
		return true;
	end = skip(end + 1);
	kind = is_key(programs, key, n)	      ? VALUE_OF_PROGRAM
	       : is_key(environments, key, n) ? VALUE_OF_ENVIRONMENT
					      : VALUE_PLAIN;
	/* A value that begins in the next line is none of TOML; one that is missing neither. */
	return !*end || *end == '#' || !is_plain_value(end, kind);
}
