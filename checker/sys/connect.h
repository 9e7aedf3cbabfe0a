/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "root.h"

/* A socket file that was found: a name for it that no rename or link can turn to another. */
struct kc_socket_file {
	int path_fd; /* O_PATH; closed by kc_socket_file_done() */
	dev_t device;
	ino_t inode;
};

/*
 * Finds the socket below the root; links are followed, and stay inside. -ENOENT, -EACCES, -ENOTSOCK
 * when something else is there.
 */
int kc_socket_find(const struct kc_root *root, const char *path, struct kc_err *err,
		   struct kc_socket_file *ret_file);
void kc_socket_file_done(struct kc_socket_file *file);

/*
 * Connects to it as a stream; `path` is for messages. Waits until `deadline` (kc_now_usec()) for
 * room in the queue of a daemon that does not accept: -ETIMEDOUT. -ECONNREFUSED: nobody listens;
 * -EACCES: no right to write to the socket; -EPROTO: a socket, but not of streams. *ret_fd is
 * non-blocking.
 */
int kc_socket_connect(const struct kc_socket_file *file, const char *path, uint64_t started,
		      uint64_t deadline, struct kc_err *err, int *ret_fd);

/* Connects to 127.0.0.1, or ::1 with `ipv6`; `url` is for messages. *ret_fd is non-blocking. */
int kc_connect_loopback(bool ipv6, uint16_t port, const char *url, uint64_t started,
			uint64_t deadline, struct kc_err *err, int *ret_fd);
