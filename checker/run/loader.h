/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "plugin-file.h"
#include "proto.h"

/*
 * Loads a plugin into this process, which is a worker, for good (it is never unloaded), and holds
 * its descriptor against its manifest. On failure *ret_refusal says whether the object could not be
 * loaded, or breaks the contract.
 */
int kc_plugin_load(const struct kc_plugin_file *file, struct kc_err *err,
		   enum kc_refusal *ret_refusal, const struct kc_plugin **ret_plugin);

/* The comparison alone, for plugins that are linked in. */
int kc_plugin_compare(const struct kc_plugin *plugin, const struct kc_manifest *manifest,
		      struct kc_err *err);

/* The check that a manifest's check is, in a plugin that agrees with it. */
const struct kc_check *kc_plugin_check(const struct kc_plugin *plugin, const char *id);
