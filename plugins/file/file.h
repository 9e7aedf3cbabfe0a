/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* What the checks of this plugin share: of which file a rule is, and at which horizon it counts. */
struct file_place {
	const struct kc_host *host;
	struct kc_run *run;
	const char *path; /* as the rule has it */
	const char *source; /* the file that it leads to, where that is known; else the path */
	uint32_t horizon; /* KC_NOW or KC_BOOT: where it is judged */
	bool judged; /* that horizon is asked for, and nothing was reported yet */
};

/* Finds out where a file is judged; nowhere, when the path is not absolute. 0. */
int file_place_locate(const struct kc_host *host, struct kc_run *run, const char *path, bool follow,
		      struct file_place *ret_place);

/*
 * Finds out where a file is judged, and reports what there is to say of the other horizon: a file
 * is one file at both. A path that is not absolute is reported as an error. Returns what reporting
 * returns.
 */
int file_place_find(const struct kc_host *host, struct kc_run *run, const char *path, bool follow,
		    struct file_place *ret_place);

/* A finding about the file; texts may be NULL. */
int file_report(const struct file_place *place, uint32_t verdict, const char *expected,
		const char *found, const char *message);

/* An error: what a service failed with. */
int file_report_error(const struct file_place *place);

/* Whether an errno of a service says that there is no such file. */
bool file_is_absent(int code);

/* A file that shall be there is not: by the rule's parameter `missing`. */
int file_report_absent(const struct file_place *place, const char *expected);

/*
 * Whether the owner (or group) is the one that is wanted, a name or a number, as a finding. Names
 * are those of the root's /etc/passwd (or /etc/group).
 */
int file_judge_owner(const struct file_place *place, bool group, const char *wanted, uint32_t id);

/* The number of an owner (or group), by a name of the root's files or as it is given; else a
 * negative errno. */
int file_owner_id(const struct file_place *place, bool group, const char *wanted, uint32_t *ret_id);

/* What a pattern came to. */
struct file_match {
	const char *text; /* the line, in the run's memory; NULL: none matches */
	unsigned number; /* of that line */
	unsigned cut; /* no line matches, but this one is too long to say so; 0: none is */
};

/*
 * Matches a POSIX extended regular expression against the lines of a text, up to the first that
 * matches. -EINVAL: it is none, or none that is allowed here, with a sentence in *ret_why; -ENOMEM.
 */
int file_match_lines(const struct file_place *place, const char *pattern, const char *comment,
		     const struct kc_bytes *bytes, struct file_match *ret_match,
		     const char **ret_why);
