/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "verdict.h"

/*
 * What a plugin's manifest says: all that `list`, `explain`, `lint` and the validation of profiles
 * need to know of it without loading it. Everything is owned by the arena it was read into, and is
 * constant afterwards.
 */

struct kc_manifest_param {
	const char *name;
	uint32_t type; /* enum kc_type */
	bool required;
	const char *fallback; /* the default as written, or NULL */
	const char *const *choices; /* for KC_TYPE_CHOICE */
	const char *doc;
	bool has_value; /* the default, parsed, is in .value */
	struct kc_value {
		uint32_t type; /* enum kc_type; 0: not given */
		uint32_t n; /* of a list or map */
		union {
			const char *string;
			int64_t number;
			const char *const *list; /* n strings and a NULL */
			const struct kc_pair *map;
		};
	} value;
};

/* An id with the sentence that explains it: reasons to skip, meanings of verdicts. */
struct kc_manifest_text {
	const char *id;
	const char *text;
};

struct kc_manifest_check {
	const char *id; /* "sysctl.value" */
	const char *title; /* one line */
	const char *doc; /* what it judges and why, a paragraph */
	uint32_t flags; /* KC_CHECK_* */
	bool asks_bus; /* it asks the system bus for what is now: a hint, and no bound */
	const struct kc_manifest_param *params;
	uint32_t n_params;
	const struct kc_manifest_text *reasons; /* to skip */
	uint32_t n_reasons;
	const struct kc_manifest_text *results; /* what pass, fail, error, manual mean here */
	uint32_t n_results;
	const char *const *reads; /* places it looks at: paths, bus properties, end points */
	const char *const *touches; /* what its repair may touch: paths, or $NAME for a parameter */
	const char *remedy; /* how to mend it by hand, in general; may be NULL */
	const char *const *references;
};

struct kc_manifest_fact {
	const char *name; /* "os.id" */
	const char *doc;
};

struct kc_manifest {
	const char *file; /* where it was read from */
	const char *distrust; /* who else could change that file: a sentence; NULL: nobody */
	const char *name; /* of the plugin */
	const char *version; /* of the plugin */
	const char *title;
	const char *doc; /* may be NULL */
	bool state; /* it has open and close */
	const struct kc_manifest_check *checks;
	uint32_t n_checks;
	const struct kc_manifest_fact *facts; /* that it gathers */
	uint32_t n_facts;
};

/* A check by its full id ("plugin.check"), or NULL. */
const struct kc_manifest_check *kc_manifest_check(const struct kc_manifest *manifest,
						  const char *id);

/* The index of a parameter in check->params, or -ENOENT. */
int kc_manifest_param(const struct kc_manifest_check *check, const char *name);

/* The sentence of a reason to skip, or NULL when the check does not list it. */
const char *kc_manifest_reason(const struct kc_manifest_check *check, const char *id);
