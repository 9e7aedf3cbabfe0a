/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "plugin-file.h"
#include "proto.h"

/*
 * Loads the plugin `name` into this process, which is a worker, for good (it is never unloaded),
 * from the descriptor of the file that was vetted; `path` is for messages. On failure *ret_refusal
 * says whether the object could not be loaded, or breaks the contract.
 */
int kc_plugin_load(const char *name, const char *path, int fd, struct kc_err *err,
		   enum kc_refusal *ret_refusal, const struct kc_plugin **ret_plugin);

/* Holds a plugin's descriptor against its manifest. -EINVAL: they disagree, or it is of no ABI that
 * this program knows. */
int kc_plugin_compare(const struct kc_plugin *plugin, const struct kc_manifest *manifest,
		      struct kc_err *err);

/* The check that a manifest's check is, in a plugin that agrees with it. */
const struct kc_check *kc_plugin_check(const struct kc_plugin *plugin, const char *id);
