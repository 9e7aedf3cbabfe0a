/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A file system of a process (fuse(4)) that falls silent, as that of a dead NFS server does: it
 * reads what it is asked, and nobody who asks can be ended until it is. It has one folder, "below",
 * to mount something on while it still answers.
 */

/* Mounts it; takes root. The descriptor to serve it by, or negative errno. */
int silent_fs_mount(const char *path);

/* Answers until SIGUSR1, and from then on nothing. Does not return. Who ends this process ends all
 * waiting. */
void silent_fs_serve(int fd) __attribute__((noreturn));
