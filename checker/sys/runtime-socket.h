/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"
#include "connect.h"

/* What is known of a question to a container runtime before there is a connection to it. */

/*
 * The socket's path in an end point: "/PATH", "unix:///PATH" or "unix:/PATH", as the kubelet takes
 * them; borrowed. -EPERM for everything else: no other transport is asked. Pure.
 */
int kc_runtime_endpoint_path(const char *endpoint, struct kc_err *err, const char **ret_path);

/* The same of a question, -EPERM also when it is none of enum kc_runtime_question. */
int kc_runtime_question_path(const struct kc_question *question, struct kc_err *err,
			     const char **ret_path);

/* The runtime's socket, as kc_socket_find(). -EOPNOTSUPP for an offline root. */
int kc_runtime_find(const struct kc_root *root, const char *path, struct kc_err *err,
		    struct kc_socket_file *ret_file);
