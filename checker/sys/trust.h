/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "base/macro.h"

enum {
	/*
	 * Let a sticky folder like /tmp pass, in which nobody can exchange what belongs to another.
	 * What is taken out of it, a link too, still has to belong to root or to who runs this.
	 */
	KC_TRUST_STICKY = 1u << 0,
};

/*
 * Opens a regular file that nobody but root, or who runs this, can change: the file and every
 * folder on the way to it, through links too, belongs to uid 0 or to the effective uid and is
 * writable by its owner alone. Every step is checked on the descriptor that the next step starts
 * from, so nothing can be exchanged between the look and the use.
 *
 * `root_fd` is the folder in which the path starts, and which neither ".." nor an absolute link
 * leaves; it is checked too. AT_FDCWD stands for "/". `path` is absolute as seen from there;
 * `flags` are 0 or KC_TRUST_STICKY. The descriptor is O_PATH and O_CLOEXEC and belongs to the
 * caller.
 *
 * -EPERM: not to be trusted, with the file or folder and the reason in the sentence; -ENOENT,
 * -ENOTDIR, -ELOOP, -EACCES as open(2); -EISDIR, -EINVAL: not a regular file.
 */
int kc_trust_open(int root_fd, const char *path, unsigned flags, struct kc_err *err, int *ret_fd);

/*
 * The folder of the file that was opened last: the way to it was found trustworthy, and it is still
 * open, so that a file beside it needs no walk of its own. Zeroed is empty.
 */
struct kc_trust_folder {
	char *path;
	int fd; /* valid with `path` */
	unsigned flags; /* of the walk */
};

void kc_trust_folder_done(struct kc_trust_folder *folder);

/*
 * kc_trust_open() from AT_FDCWD, with a folder that is used where it is the file's, and replaced
 * where it is not. `folder` may be NULL.
 */
int kc_trust_open_near(struct kc_trust_folder *folder, const char *path, unsigned flags,
		       struct kc_err *err, int *ret_fd);
