/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <unistd.h>

#include "base/fdio.h"
#include "doors.h"

enum {
	TARGET_MAX = 2 * PATH_MAX, /* " (deleted)" may follow a path */
	PID_MAX = 4194304, /* the kernel's own limit */
};

/* "exe", "cwd", "root", or "fd/" and a number: no other name is looked at. */
static bool name_is_valid(const char *name)
{
	const char *number = kc_after_prefix(name, "fd/");

	if (kc_streq(name, "exe") || kc_streq(name, "cwd") || kc_streq(name, "root"))
		return true;
	return number && number[0] != '\0' && strlen(number) <= 10 &&
	       strspn(number, "0123456789") == strlen(number);
}

static int read_process_link(const struct kc_root *root, int64_t pid, const char *name,
			     char target[TARGET_MAX], struct kc_err *err)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	char path[64];
	ssize_t n;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%lld", (long long)pid);
	r = kc_root_path_fd(root, path, 0, err, &fd);
	if (r == -ENOENT)
		return kc_err_set(err, r, "%s: there is no such process", path);
	if (r < 0)
		return r;
	n = readlinkat(fd, name, target, TARGET_MAX);
	/* A process that ends between the two is ESRCH to the kernel. */
	if (n < 0 && (errno == ESRCH || errno == ENOENT))
		return kc_err_set(err, -ENOENT,
				  "%s/%s: there is none (the process has ended, or never had one)",
				  path, name);
	if (n < 0)
		return kc_err_set(err, errno == EPERM ? -EACCES : -errno, "%s/%s: %s", path, name,
				  kc_strerror(errno));
	if (n == TARGET_MAX)
		return kc_err_set(err, -EFBIG, "%s/%s: the link is longer than %d bytes", path,
				  name, TARGET_MAX - 1);
	target[n] = '\0';
	return 0;
}

void kc_door_process(const struct kc_door_host *host, void **state,
		     const struct kc_question *question, struct kc_arena *arena,
		     struct kc_answer *ret_answer)
{
	char target[TARGET_MAX];
	struct kc_err err;

	*ret_answer = (struct kc_answer){ 0 };
	if (question->strings.n != 1 || !name_is_valid(question->strings.item[0]) ||
	    question->number < 1 || question->number > PID_MAX) {
		kc_answer_fail(
			ret_answer, arena, -EINVAL,
			"a link of a process is exe, cwd, root or fd/N, of a pid from 1 to %d",
			PID_MAX);
		return;
	}
	if (read_process_link(host->root, question->number, question->strings.item[0], target,
			      &err) < 0)
		kc_answer_err(ret_answer, arena, &err);
	else
		kc_answer_adds(ret_answer, arena, target);
}

void kc_door_sysctl(const struct kc_door_host *host, void **state,
		    const struct kc_question *question, struct kc_arena *arena,
		    struct kc_answer *ret_answer)
{
	struct kc_buf value = { 0 };
	struct kc_err err;

	*ret_answer = (struct kc_answer){ 0 };
	if (question->strings.n != 1) {
		kc_answer_fail(ret_answer, arena, -EINVAL, "one sysctl is asked at a time");
		return;
	}
	if (kc_root_sysctl(host->root, question->strings.item[0], &err, &value) < 0)
		kc_answer_err(ret_answer, arena, &err);
	else
		kc_answer_add(ret_answer, arena, value.data ? value.data : "", value.len);
	kc_buf_done(&value);
}
