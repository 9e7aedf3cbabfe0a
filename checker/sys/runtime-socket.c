/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "runtime-socket.h"

int kc_runtime_endpoint_path(const char *endpoint, struct kc_err *err, const char **ret_path)
{
	const char *path = endpoint;

	if (kc_after_prefix(path, "unix://"))
		path = kc_after_prefix(path, "unix://");
	else if (kc_after_prefix(path, "unix:"))
		path = kc_after_prefix(path, "unix:");
	if (path[0] != '/')
		return kc_err_set(err, -EPERM,
				  "%s: only a unix socket is asked: give its absolute path, or "
				  "unix://PATH",
				  endpoint);
	*ret_path = path;
	return 0;
}

int kc_runtime_question_path(const struct kc_question *question, struct kc_err *err,
			     const char **ret_path)
{
	if (question->strings.n != 1 || question->number < KC_RUNTIME_VERSION ||
	    question->number > KC_RUNTIME_PODS_OWNED)
		return kc_err_set(err, -EPERM, "a container runtime is not asked question %" PRId64,
				  question->number);
	return kc_runtime_endpoint_path(question->strings.item[0], err, ret_path);
}

int kc_runtime_find(const struct kc_root *root, const char *path, struct kc_err *err,
		    struct kc_socket_file *ret_file)
{
	int r;

	if (!kc_root_is_live(root))
		return kc_err_set(err, -EOPNOTSUPP,
				  "%s: a container runtime is asked only on a running system",
				  path);
	r = kc_socket_find(root, path, err, ret_file);
	if (r == -ENOENT)
		return kc_err_set(
			err, r,
			"%s: there is no such socket: no container runtime was started with "
			"it",
			path);
	return r;
}
