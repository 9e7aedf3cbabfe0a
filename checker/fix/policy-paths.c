/* SPDX-License-Identifier: Apache-2.0 */
#include <fnmatch.h>

#include "policy-parts.h"
#include "policy.h"

enum {
	PATH_LENGTH_MAX = 1024,
};

/* Where files may be written at all. */
static const char *const writable[] = { "/etc/", "/usr/local/etc/", "/var/lib/", NULL };

/* Of what is sealed as a whole: files that are read with rules of their own for what they say. */
static const char *const opened[] = { "/etc/sysconfig/kubelet", "/etc/default/kubelet",
				      "/etc/dnf/dnf.conf", NULL };

/* Files of which a line may be changed, and that are never written or taken away as a whole. */
static const char *const edited_only[] = { "/etc/fstab",       "/etc/yum.repos.d",
					   "/etc/yum.conf",    "/etc/dnf",
					   "/etc/apt",	       "/etc/hosts",
					   "/etc/resolv.conf", NULL };

/* Owner and mode may be set more widely: checks of permissions judge those of all the node's files.
 */
static const char *const mode_only[] = { "/etc/",     "/usr/local/etc/", "/var/lib/", "/var/log/",
					 "/opt/cni/", "/run/",		 NULL };

static const char *const mode_sealed[] = { "/etc/shadow*",  "/etc/gshadow*", "/etc/sudo*",
					   "/etc/ssh",	    "/etc/pam.d",    "/var/lib/k8scheck",
					   "/var/lib/dpkg", "/var/lib/rpm",  NULL };

/* Where systemd reads units from (systemd.unit(5)); its generators' are below /run. */
static const char *const unit_folders[] = {
	"/usr/lib/systemd/system/", "/lib/systemd/system/", "/usr/local/lib/systemd/system/",
	"/etc/systemd/system/",	    "/run/systemd/",	    NULL
};

bool kc_policy_is_listed(const char *const *list, const char *path)
{
	KC_FOREACH_STR (entry, list) {
		if (fnmatch(entry, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0)
			return true;
	}
	return false;
}

static bool is_below(const char *const *list, const char *path)
{
	KC_FOREACH_STR (entry, list) {
		if (kc_after_prefix(path, entry))
			return true;
	}
	return false;
}

static bool is_sealed(const char *path)
{
	/* What is built by hand has its files there, by the same names. */
	const char *own = kc_after_prefix(path, "/usr/local/etc/");

	path = own ? own - strlen("/etc/") : path;
	KC_FOREACH_STR (entry, opened) {
		if (kc_streq(entry, path))
			return false;
	}
	for (const char *const *const *list = kc_policy_sealed; *list; list++) {
		if (kc_policy_is_listed(*list, path))
			return true;
	}
	return false;
}

bool kc_policy_is_plain_path(const char *path)
{
	size_t n = strlen(path);

	if (*path != '/' || n >= PATH_LENGTH_MAX || kc_endswith(path, "/") || strstr(path, "//"))
		return false;
	for (const char *p = path; (p = strchr(p, '/')); p++) {
		size_t part = strcspn(p + 1, "/");

		if (part > KC_POLICY_NAME_MAX || (part == 1 && p[1] == '.') ||
		    (part == 2 && p[1] == '.' && p[2] == '.'))
			return false;
	}
	for (const char *p = path; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return false;
	}
	return true;
}

bool kc_policy_is_name(const char *name, const char *more)
{
	size_t n = strlen(name);

	if (n == 0 || n > KC_POLICY_NAME_MAX || *name == '-' || *name == '.')
		return false;
	for (const char *p = name; *p; p++) {
		bool word = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
			    (*p >= '0' && *p <= '9');

		if (!word && !strchr(more, *p))
			return false;
	}
	return true;
}

int kc_policy_path(uint32_t kind, const char *path, struct kc_err *err)
{
	if (!kc_policy_is_plain_path(path))
		return kc_err_set(err, -EINVAL, "%.200s is no path that a repair may have", path);
	if (kind == KC_STEP_SET_MODE) {
		if (is_below(mode_only, path) && !kc_policy_is_listed(mode_sealed, path))
			return 0;
		return kc_err_set(err, -EPERM, "%s: no repair may set its owner or mode", path);
	}
	if (!is_below(writable, path))
		return kc_err_set(err, -EPERM,
				  "%s: a repair changes files below /etc, /usr/local/etc and "
				  "/var/lib alone",
				  path);
	if (is_sealed(path))
		return kc_err_set(
			err, -EPERM,
			"%s: no repair may touch that (accounts, rights, what is executed, "
			"what boots)",
			path);
	if (kind != KC_STEP_EDIT_FILE && kc_policy_is_listed(edited_only, path))
		return kc_err_set(err, -EPERM, "%s: a repair may change lines of it, and no more",
				  path);
	return 0;
}

int kc_policy_unit_link(const char *path, struct kc_err *err)
{
	const char *rest = kc_after_prefix(path, "/etc/systemd/system/");

	if (rest && kc_policy_is_plain_path(path) &&
	    (!strchr(rest, '/') || fnmatch("*.wants", rest, FNM_PATHNAME) == 0 ||
	     fnmatch("*.wants/*", rest, FNM_PATHNAME) == 0 ||
	     fnmatch("*.requires/*", rest, FNM_PATHNAME) == 0 ||
	     fnmatch("*.upholds/*", rest, FNM_PATHNAME) == 0))
		return 0;
	return kc_err_set(err, -EPERM, "%.200s is no link that enables or masks a unit", path);
}

/* What a link's text comes to: the same, or by "../" up to the root a path; NULL for no memory. */
static char *full_target(const char *link)
{
	const char *rest = link;
	unsigned up = 0;

	for (const char *next; (next = kc_after_prefix(rest, "../")); up++)
		rest = next;
	/* From /etc/systemd/system, and from a folder in it. */
	if (up >= 3)
		return kc_asprintf("/%s", rest);
	if (*link != '/' && !strchr(rest, '/') && up <= 1)
		return kc_asprintf("/etc/systemd/system/%s", rest);
	return strdup(link);
}

int kc_policy_unit_link_target(const char *link, struct kc_err *err)
{
	kc_cleanup(kc_freep) char *path = full_target(link);
	const char *name = path ? strrchr(path, '/') : NULL;

	if (kc_streq(link, "/dev/null") ||
	    (name && kc_policy_is_plain_path(path) && is_below(unit_folders, path) &&
	     kc_policy_is_unit_name(name + 1)))
		return 0;
	return kc_err_set(err, -EPERM, "a link to %.200s is none to a unit in a folder of systemd",
			  link);
}
