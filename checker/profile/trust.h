/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"

/*
 * Opens a regular file for reading by a walk from / down, folder after folder, through every link,
 * and looks at each of them on its descriptor: can anybody but root and who runs this change what
 * is read? A folder with the sticky bit may be writable by others if what is next belongs to root
 * or to who runs this. Nothing but a regular file is ever opened, since that alone can be an act.
 *
 * *ret_distrust is a sentence that names the first file or folder that others can change, or ""
 * when there is none. Negative errno with a sentence; -ENOENT when there is no such file.
 */
int kc_trusted_open(const char *path, struct kc_err *err, int *ret_fd, struct kc_err *ret_distrust);

/* The same question about what an open descriptor refers to, without the folders above. */
void kc_trusted_fd(int fd, const char *name, struct kc_err *ret_distrust);
