/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "sys/trust.h"

/*
 * Opens a regular file for reading, and says whether anybody but root and who runs this can change
 * what is read: the file, or a folder or link on the way to it (see kc_trust_open(), whose sticky
 * folders are fine). Nothing but a regular file is ever opened, since that alone can be an act.
 *
 * *ret_distrust is a sentence that names the first file or folder that others can change, or ""
 * when there is none. `folder` saves the way to files that lie beside one another; it may be NULL.
 * Negative errno with a sentence; -ENOENT when there is no such file.
 */
int kc_profile_open(const char *path, struct kc_trust_folder *folder, struct kc_err *err,
		    int *ret_fd, struct kc_err *ret_distrust);

/* The same question about standard input: a file that was redirected, without the folders above. */
void kc_profile_stdin(int fd, struct kc_err *ret_distrust);
