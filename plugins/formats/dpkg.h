/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * The package database of dpkg: /var/lib/dpkg/status, stanzas of "Field: value" lines parted by
 * empty lines (deb-control(5), dpkg-query(1)), and the files of /var/lib/dpkg/status.d that images
 * without dpkg have.
 */
struct kc_dpkg_package {
	const char *version; /* as the package has it: [EPOCH:]UPSTREAM[-REVISION] */
	unsigned line; /* of its "Package:" field */
	bool held; /* selected so, as by apt-mark(8): Status: hold ok installed */
};

/*
 * Finds an installed package in the text; pure. 1 when it is installed: its Status ends in
 * "installed", or it has none. 0 when it is not, or is of another state (removed with its
 * configuration left, half installed). -EBADMSG: a version that is none. The version lives in the
 * arena.
 */
int kc_dpkg_find(const char *text, size_t size, const char *name, struct kc_arena *arena,
		 struct kc_dpkg_package *ret_package);

/*
 * The same for several names in one pass; pure. packages[i] is that of names[i], and those whose
 * version is not NULL have been found already. How many were found now, or a negative errno.
 */
int kc_dpkg_find_each(const char *text, size_t size, const char *const *names, size_t n,
		      struct kc_arena *arena, struct kc_dpkg_package *packages);

/* The numbers that a package's version begins with: "1.6.20" of "1:1.6.20~ds1-1+b2". NULL: no
 * memory. */
const char *kc_dpkg_upstream(const char *version, struct kc_arena *arena);
