/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "software.h"

/*
 * The configuration of dnf (libdnf 0.31 and later), dnf5 and yum 3: repositories, excludes. As
 * dnf/conf/read.py, libdnf/conf/Config*.cpp and libdnf5/repo/repo_sack.cpp read it.
 */
enum dnf_kind {
	DNF_NONE = 0, /* none of them is here */
	DNF_YUM = 3,
	DNF_4 = 4, /* also microdnf of that age */
	DNF_5 = 5,
};

/* A pattern of package names that are not taken, and where it stands. */
struct dnf_exclude {
	const char *pattern;
	const char *source; /* "FILE:LINE" */
};

struct dnf_excludes {
	struct dnf_exclude *item;
	size_t n, room;
};

struct dnf_repository {
	const char *id;
	const char *source; /* "FILE:LINE" of its section */
	bool enabled;
	const char *enabled_source; /* of what says so; NULL: nothing does, and it is enabled */
	const char *odd; /* a value of enabled= that dnf does not know and leaves out; or NULL */
	const char *again; /* where the same id comes up once more and does not count; or NULL */
	struct dnf_excludes excludes; /* its own */
};

/* A fault in a file, or why it could not be read. */
struct dnf_fault {
	const char *source; /* "FILE:LINE", or the file */
	const char *text; /* a sentence */
	bool fatal; /* nothing that dnf would do can be said, not of other files either */
};

struct dnf {
	enum dnf_kind kind;
	struct dnf_repository *repository;
	size_t n, room;
	struct dnf_excludes excludes; /* of [main]: of all repositories */
	const char *const *unexcluded; /* disable_excludes=: "all", "main", ids; or NULL */
	const char *unexcluded_source;
	const char *plugins_off; /* where plugins= is off; or NULL */
	struct dnf_fault fault; /* the worst; text NULL for none */
};

/*
 * Reads all of it; 0 also when there is nothing to read (kind DNF_NONE) or a file has a fault.
 * -ENOMEM, -E2BIG (more than 4,096 repositories or excludes).
 */
int dnf_load(const struct software_rule *rule, struct dnf *ret_dnf);

/* Where a package is excluded from a repository (NULL: from all): the source, or NULL. */
const char *dnf_excluded(const struct dnf *dnf, const struct dnf_repository *repository,
			 const char *package);

/* ---- between dnf.c and dnf-repository.c ---- */

struct kc_ini;

/* Takes the repositories of a file: all sections but [main]. */
int dnf_add_repositories(const struct software_rule *rule, struct dnf *dnf, const char *file,
			 const struct kc_ini *ini);

/* dnf5: a file that overrides settings of the repositories whose ids its sections match. */
int dnf_override_repositories(const struct software_rule *rule, struct dnf *dnf, const char *file,
			      const struct kc_ini *ini);

/* The patterns of exclude= and excludepkgs= in a section. */
int dnf_read_excludes(const struct software_rule *rule, const char *file, const struct kc_ini *ini,
		      const char *section, struct dnf_excludes *excludes);

/* "FILE:LINE", in the arena; NULL: no memory. */
const char *dnf_place(const struct software_rule *rule, const char *file, unsigned line);

/* A boolean of libdnf's: 1, 0, or -EINVAL. */
int dnf_parse_bool(const char *value);

/* The words of a list, parted by commas and white space; in the arena, NULL-terminated. */
int dnf_split(const struct software_rule *rule, const char *value, const char *const **ret_words);
