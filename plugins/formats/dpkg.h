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
 * configuration left, half installed). -EBADMSG: a version that is none, or a stanza of two
 * packages, which dpkg refuses. The version lives in the arena.
 */
int kc_dpkg_find(const char *text, size_t size, const char *name, struct kc_arena *arena,
		 struct kc_dpkg_package *ret_package);

/* A look for several names in one pass through a text that comes in parts; `line` is 0 at first. */
struct kc_dpkg_scan {
	const char *const *names;
	size_t n;
	struct kc_arena *arena; /* for the versions */
	struct kc_dpkg_package *packages; /* of each name, zeroed; found once its version is set */
	unsigned line; /* how many lines were looked through */
};

/*
 * Looks through the whole stanzas that a part begins with, all of it when it ends the text; pure.
 * *ret_used is how many bytes they are: what follows is to stand at the beginning of the next part.
 * How many of the names are left to be found, or a negative errno as above. Lines are counted from
 * the beginning of the text.
 */
int kc_dpkg_scan(struct kc_dpkg_scan *scan, const char *part, size_t size, bool at_end,
		 size_t *ret_used);

/* The numbers that a package's version begins with: "1.6.20" of "1:1.6.20~ds1-1+b2". NULL: no
 * memory. */
const char *kc_dpkg_upstream(const char *version, struct kc_arena *arena);
