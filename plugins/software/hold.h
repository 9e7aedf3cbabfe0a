/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "software.h"

/* Whether an update leaves a package as it is. */
struct hold {
	bool held;
	const char *source; /* of what holds it; NULL when nothing does */
	const char *note; /* what comes near a hold and is none, a sentence; or NULL */
	const char *unseen; /* why it cannot be said: a sentence, with its place in `source` */
};

/*
 * dpkg: the package's selection ("hold", as apt-mark(8) sets it). rpm: the versionlock plugin of
 * yum and dnf, and dnf5's versionlock.toml; an exclude= of dnf's is a note. -ENOMEM.
 */
int hold_find(const struct software_rule *rule, enum kc_package_system system,
	      const struct kc_package *package, struct hold *ret_hold);

/* ---- between hold.c and version-lock.c; pure ---- */

/* Whether an entry of a versionlock.list locks a package of that name: NAME-[EPOCH:]VERSION-…,
 * EPOCH:NAME-VERSION-… or NAME, globs; "!" in front takes one version out and locks nothing. */
bool version_lock_names(const char *entry, const char *name, struct kc_arena *arena);

/*
 * Looks for a lock in dnf5's versionlock.toml, in the form that dnf5 writes: the line of its name,
 * 0 for none. -EBADMSG: *ret_line is in no such form. A lock has a condition that keeps newer
 * versions out (=, < or <=).
 */
int version_lock_toml(const char *text, size_t size, const char *name, struct kc_arena *arena,
		      unsigned *ret_line);
