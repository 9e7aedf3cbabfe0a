/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * CNI configuration as CRI-O reads it: libcni's ConfFiles(), ConfFromFile() and ConfListFromFile(),
 * called by ocicni's loadNetworks(), as vendored by CRI-O 1.37. Files NAME.conf and NAME.json have
 * one plugin, NAME.conflist a list of them.
 */
enum cni_state {
	CNI_USABLE = 1,
	CNI_SKIPPED = 2, /* the runtime says so in its log, and goes on with the next file */
	CNI_UNSURE = 3, /* it cannot be told from here what the runtime makes of it */
};

enum {
	CNI_FILE_MAX = 256 * 1024,
	CNI_FILES_MAX = 1024,
	CNI_PLUGINS_MAX = 64,
};

struct cni_network {
	uint32_t state; /* enum cni_state */
	const char *file; /* its name in the folder */
	const char *path;
	const char *name; /* of the network; the file's where it has none. NULL unless usable */
	const char *const *types; /* of its plugins, NULL-terminated; NULL unless usable */
	const char *why; /* it is not usable: a clause */
};

/* Whether a name ends in .conf, .conflist or .json, as path.Ext() of Go has it. */
bool cni_name_counts(const char *file);

/*
 * One file's text; pure. Fills state, name, types and why; `file` is its name. Keys are those of
 * libcni's structures, with Go's disregard of case. -ENOMEM is the only error.
 */
int cni_file_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		   struct cni_network *ret_network);

struct cni_list {
	struct cni_network *item; /* in the order of the runtime */
	size_t n;
};

/*
 * The files of a folder; with plugin folders, a network is usable only if each of its plugins is a
 * file in one of them, as libcni's ValidateNetworkList() wants it. A folder that is not there is
 * empty; one that cannot be listed is a negative errno, with kc_why(). -E2BIG: more than 1,024
 * files. In the arena.
 */
int cni_list_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		  const char *dir, const struct kc_strings *plugin_dirs, struct cni_list *ret_list);
