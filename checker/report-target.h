/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Where a report is to be written: a name in a folder that is held open, so that nobody moves it
 * away between the look and the rename; or a descriptor that whoever started the program has
 * opened.
 *
 * Root often writes into folders of others: a build's workspace, a user's home. There it must not
 * do what their owner could not: links are followed by hand, from a user's link on with that user's
 * rights, and `uid` says whose rights to take for opening, creating and renaming. Others than root
 * follow the links of root and their own alone.
 */
struct kc_report_target {
	int dir; /* O_PATH; -EBADF with a descriptor */
	char *name; /* in the folder; no link */
	int descriptor; /* inherited, as /dev/stdout and /dev/fd/N name it; -EBADF for none */
	mode_t type; /* S_IFMT bits of what is there; 0: nothing yet */
	mode_t mode; /* its permissions */
	uid_t owner; /* of what is there */
	nlink_t n_links; /* its names */
	bool foreign; /* take the rights of uid and gid, without further groups */
	uid_t uid;
	gid_t gid;
};

/*
 * Finds the place of a path, following links as the kernel would, at most 40. What is there is no
 * folder, socket or block device, no file that is mounted by itself, and no FIFO that waits for the
 * caller in a folder which others write; what is not there may be created. Done by
 * kc_report_target_done(). -EISDIR, -ENXIO, -EPERM, -EBUSY, -EACCES, -ELOOP, and what openat(2)
 * gives.
 */
int kc_report_target_find(const char *path, struct kc_err *err,
			  struct kc_report_target *ret_target);
void kc_report_target_done(struct kc_report_target *target);

/* What is to be restored after work with another's rights. Zeroed: nothing. */
struct kc_report_rights {
	bool taken;
	int n_groups;
	gid_t *groups;
};

/*
 * Takes the rights that the target asks for, for files alone and for this process (which has no
 * other threads). Nothing for a target that is not foreign. kc_report_rights_leave() gives them
 * back.
 */
int kc_report_rights_enter(const struct kc_report_target *target, struct kc_report_rights *rights);
void kc_report_rights_leave(struct kc_report_rights *rights);
