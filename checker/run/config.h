/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "model/report.h"
#include "plugin-file.h"
#include "sandbox.h"

/*
 * What a run is asked to do. Constant once the profile and the plugins are set, which comes after
 * the zygote was started: it and its workers have neither. The broker is started later, and asks
 * for neither.
 */
struct kc_run_config {
	const struct kc_profile *profile;
	const struct kc_plugin_file *plugins; /* those of the profile, then those for facts alone */
	uint32_t n_plugins;
	const char *root;
	bool live;
	bool no_openat2; /* for tests of the walk */
	uint32_t horizons;
	bool planning; /* steps are asked for, by `plan`, in place of verdicts */
	const char *offline_reason; /* why `now` is skipped, when it is: a sentence */
	uint64_t timeout_usec; /* of a rule */
	uint64_t deadline_usec; /* of the run, from its start; 0: none */
	uint32_t jobs; /* most workers at a time */
	enum kc_sandbox_policy sandbox;
	const char *const *door_dirs; /* where modules of the broker lie */
};

/* The horizons a rule's check is to be run for: its own, those asked, those that the root has. */
uint32_t kc_config_horizons(const struct kc_run_config *config, const struct kc_rule *rule);

/* The index of a plugin in config->plugins, or -ENOENT. */
int kc_config_plugin(const struct kc_run_config *config, const struct kc_manifest *manifest);
