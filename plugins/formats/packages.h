/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dpkg.h"

/*
 * Installed packages, by whatever database the root has: dpkg's status file (or status.d), or rpm
 * through its own program.
 */
enum kc_package_system {
	KC_PACKAGES_NONE = 0, /* the root has no package database that is known */
	KC_PACKAGES_DPKG = 1,
	KC_PACKAGES_RPM = 2,
};

struct kc_package {
	const char *name; /* as asked */
	bool installed;
	const char *version; /* upstream part: "1.18.4" of "1.18.4-00", "0:1.18.4-1.el8"; NULL when
				not installed */
	const char *full; /* as the database has it: "1.18.4-00", "1.18.4-1.el8.x86_64" */
	const char *source; /* "/var/lib/dpkg/status:1203", "rpm -q kubelet" */
};

struct kc_packages {
	enum kc_package_system system;
	struct kc_package *item; /* as many as names were asked, in their order */
	size_t n;
};

/*
 * Looks all names up in one go: dpkg's file is read once, rpm is run once. -EOPNOTSUPP with
 * kc_why()-like text in *ret_why: the database is rpm's and the root is offline, so that nothing
 * can be said. Other errors: what reading, or rpm, failed with, in *ret_why. Lives in the arena.
 */
int kc_packages_find(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		     const char *const *names, struct kc_packages *ret_packages,
		     const char **ret_why);
