/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dpkg.h"

/*
 * Installed packages, by whatever database the root has: dpkg's status file (or status.d), or rpm
 * through its own program. Where a root has both, dpkg's counts: rpm's program is found on Debian,
 * too, where it looks after an empty database of its own.
 */
enum kc_package_system {
	KC_PACKAGES_NONE = 0, /* the root has no package database that is known */
	KC_PACKAGES_DPKG = 1,
	KC_PACKAGES_RPM = 2,
};

struct kc_package {
	const char *name; /* as asked */
	bool installed;
	bool held; /* selected to be held, which only dpkg knows */
	const char *version; /* upstream part: "1.18.4" of "1.18.4-00", "0:1.18.4-1.el8"; NULL when
				not installed */
	const char *full; /* "1.18.4-00", "1:1.18.4-1.el8.x86_64"; no epoch of rpm's that is 0 */
	const char *source; /* "/var/lib/dpkg/status:1203", "rpm -q kubelet": also when it is not
			       installed, then without the line */
};

struct kc_packages {
	enum kc_package_system system;
	struct kc_package *item; /* as many as names were asked, in their order */
	size_t n;
};

/*
 * Looks all names up in one go: dpkg's file is read once, and no further than to the last of them;
 * rpm is run once. Of several installed versions, rpm's last. `names` is NULL-terminated; one that
 * no package can have is not installed.
 *
 * Errors have a clause in *ret_why. -EOPNOTSUPP: the database is rpm's and the root is offline, so
 * that nothing can be said. Others: what reading, or rpm, failed with; -EPERM: rpm may not be run.
 * Lives in the arena.
 */
int kc_packages_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     const char *const *names, struct kc_packages *ret_packages,
		     const char **ret_why);

/* Which database the root has; reads none. Errors as above. */
int kc_packages_system(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       enum kc_package_system *ret_system, const char **ret_why);

/* Whether the text can be the name of a package of either system. */
bool kc_package_name_valid(const char *name);
