/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "absent.h"
#include "bus-socket.h"
#include "runtime-socket.h"

static bool is_below_run(const char *path)
{
	return (kc_after_prefix(path, "/run/") || kc_after_prefix(path, "/var/run/")) &&
	       !strstr(path, "/../");
}

static int find_bus(const struct kc_root *root, const struct kc_question *question,
		    struct kc_err *err, struct kc_socket_file *ret_file)
{
	enum kc_bus_service ignored;
	int r = kc_bus_check(root, question, err, &ignored);

	return r < 0 ? 0 : kc_bus_find(root, err, ret_file);
}

static int find_runtime(const struct kc_root *root, const struct kc_question *question,
			struct kc_err *err, struct kc_socket_file *ret_file)
{
	const char *path;
	int r = kc_runtime_question_path(question, err, &path);

	return r < 0 || !is_below_run(path) ? 0 : kc_runtime_find(root, path, err, ret_file);
}

bool kc_is_bus_absent(const struct kc_root *root)
{
	kc_cleanup(kc_socket_file_done) struct kc_socket_file file = { .path_fd = -EBADF };
	int r = kc_bus_find(root, NULL, &file);

	return r == -ENOENT || r == -ENOTCONN;
}

bool kc_is_absent(const struct kc_root *root, const struct kc_question *question,
		  struct kc_arena *arena, struct kc_answer *ret_answer)
{
	kc_cleanup(kc_socket_file_done) struct kc_socket_file file = { .path_fd = -EBADF };
	struct kc_err err = { 0 };
	int r = 0;

	if (question->kind == KC_ASK_UNIT || question->kind == KC_ASK_BUS)
		r = find_bus(root, question, &err, &file);
	else if (question->kind == KC_ASK_RUNTIME)
		r = find_runtime(root, question, &err, &file);
	if (r != -ENOENT && r != -ENOTCONN)
		return false;
	kc_answer_err(ret_answer, arena, &err);
	return true;
}
