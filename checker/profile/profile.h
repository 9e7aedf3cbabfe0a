/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "manifest-index.h"
#include "model/rule.h"
#include "sys/trust.h"

/*
 * Profiles: YAML to validated rules. Nothing here looks at the host that is judged; profiles and
 * manifests are files of the machine that k8scheck runs on.
 */

/*
 * Told that a plugin is needed when that is seen, and whether for the first time: for a rule with
 * its check, or for a fact (NULL). The profile may turn out faulty all the same.
 */
typedef void kc_on_need(void *context, const struct kc_manifest *plugin, const struct kc_rule *rule,
			bool first);

/* NAME=VALUE or RULE.FIELD=VALUE of the command line, and files, in the order they were given. */
struct kc_profile_request {
	const char *const
		*profiles; /* --profile: name, file (with a slash or .yaml/.yml), or "-" */
	const char *const *var_files; /* --vars */
	const char *const *vars; /* --var */
	const char *const *sets; /* --set */
	const char *const *profile_dirs; /* where names are looked for, first hit wins */
	const char *const *plugin_dirs; /* where manifests are: DIR/NAME.yaml */
	bool brief; /* of manifests: see struct kc_manifest_cache */
	bool keep_texts; /* of sources */
	kc_on_need *on_need; /* may be NULL */
	void *context;
};

/*
 * Messages of a profile's faults, all of them, not the first alone: "FILE:LINE:COLUMN: what" lines.
 * Zeroed is empty; done by kc_diagnostics_done().
 */
struct kc_diagnostics {
	struct kc_buf text; /* a line each */
	unsigned n_errors, n_warnings;
};

void kc_diagnostics_done(struct kc_diagnostics *d);

/*
 * Loads, merges and validates. Everything of *ret_profile lives in the arena. -EINVAL when a fault
 * was found; *diagnostics has at least one line then. A profile that others than root (or who runs
 * this) can write gets a warning in its source, and its rules have runs_untrusted set.
 */
int kc_profile_load(const struct kc_profile_request *request, struct kc_arena *arena,
		    struct kc_diagnostics *diagnostics, const struct kc_profile **ret_profile);

/*
 * Reads one manifest, DIR/NAME.yaml. -ENOENT when no folder has one; err then names the nearest.
 * The same manifest is read once per arena: pass the same `cache` (zeroed at first).
 */
struct kc_manifest_cache {
	const struct kc_manifest **items;
	uint32_t n;
	struct kc_trust_folder *folder; /* of kc_trust_open_near(); may be NULL */
	bool brief; /* leave out what people read: docs, meanings, places, references */
	/* With `brief`: the folders whose index was looked for, and what they have. */
	struct kc_folder_index {
		const char *dir;
		struct kc_manifest_index index;
	} * indexes;
	size_t n_indexes, indexes_room;
};

int kc_manifest_load(const char *const *plugin_dirs, const char *name,
		     struct kc_manifest_cache *cache, struct kc_arena *arena, struct kc_err *err,
		     const struct kc_manifest **ret_manifest);

/*
 * Whether a manifest can list facts, without parsing it: the word stands in those that do. Most do
 * not, and parsing them all would cost a small run more than its rules. One that cannot be read
 * may. A folder's index knows it of those that are older.
 */
bool kc_manifest_may_gather(const char *const *plugin_dirs, const char *name,
			    struct kc_manifest_cache *cache, struct kc_arena *arena);

/* Parses a manifest's text; pure, for tests and fuzzing. */
int kc_manifest_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		      struct kc_err *err, const struct kc_manifest **ret_manifest);

/* The names of all files NAME.yaml in the folders, sorted, each once; NULL-terminated, in the
 * arena. */
int kc_profile_names(const char *const *dirs, struct kc_arena *arena, struct kc_err *err,
		     const char *const **ret_names);
