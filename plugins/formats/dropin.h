/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * Drop-in folders as systemd and kmod read them (sysctl.d, modules-load.d, modprobe.d): the files
 * of several folders in the order of their names; of two of the same name the one in the earlier
 * folder counts alone.
 */
struct kc_dropin {
	const char *name; /* "99-k8s.conf" */
	const char *path;
	bool masked; /* a link to /dev/null, or one that leads nowhere: nothing is read, others of
			its name neither */
	const char *const *hidden; /* files of the same name that it beats, NULL-terminated */
};

struct kc_dropins {
	struct kc_dropin *item;
	size_t n;
	const char *no_folder; /* the first of the folders that is something else, which systemd
				  passes over, and kmod reads as a file; or NULL */
};

/*
 * Lists the files NAME with the suffix in the folders, the earlier ones first in precedence; a
 * folder that is there under two names (/lib and /usr/lib) counts once. Hidden names (.x) are left
 * out. Folders that are not there are empty; one that cannot be listed is a negative errno, with
 * kc_why(). All lives in the arena.
 */
int kc_dropins_list(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		    const char *const *folders, const char *suffix, struct kc_dropins *ret_dropins);
