/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/num.h"
#include "doors.h"

KC_DEFINE_CLEANUP(DIR *, closedir);

enum {
	COMM_MAX = 64,
	LINK_MAX_SIZE = 64, /* "socket:[18446744073709551615]" fits */
};

static bool is_refusal(int code)
{
	return code == -EACCES || code == -EPERM;
}

/*
 * 1: one of the descriptors of the process is the socket; 0: none is; -EACCES: they may not be
 * seen.
 */
static int holds(const struct kc_root *root, const char *pid, const char *wanted, uint64_t until)
{
	kc_cleanup(kc_freep) char *path = kc_asprintf("/proc/%s/fd", pid);
	kc_cleanup(closedirp) DIR *dir = NULL;
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct kc_err ignored = { 0 };
	const struct dirent *entry;
	bool refused = false;
	int readable, r;

	if (!path)
		return -ENOMEM;
	r = kc_root_path_fd(root, path, 0, &ignored, &fd);
	if (r < 0)
		return is_refusal(r) ? -EACCES : 0;
	readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (readable < 0)
		return is_refusal(-errno) ? -EACCES : 0;
	dir = fdopendir(readable);
	if (!dir) {
		(void)close(readable);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		char target[LINK_MAX_SIZE];
		ssize_t n = readlinkat(fd, entry->d_name, target, sizeof(target));

		if (n > 0 && (size_t)n == strlen(wanted) && !memcmp(target, wanted, (size_t)n))
			return 1;
		refused = refused || (n < 0 && is_refusal(-errno));
		if (kc_now_usec() > until)
			return -ETIMEDOUT;
	}
	return refused ? -EACCES : 0;
}

/* What the kernel calls the process; it may be gone by now. */
static void read_name(const struct kc_root *root, const char *pid, struct kc_buf *name)
{
	kc_cleanup(kc_freep) char *path = kc_asprintf("/proc/%s/comm", pid);
	struct kc_err ignored = { 0 };

	if (!path || kc_root_read(root, path, COMM_MAX, &ignored, name) < 0)
		kc_buf_reset(name);
	while (name->len > 0 && name->data[name->len - 1] == '\n')
		name->len--;
}

/* The processes below /proc by number. */
static int compare_pids(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	size_t n = strlen(x), m = strlen(y);

	return n != m ? (n < m ? -1 : 1) : strcmp(x, y);
}

static int find_holder(const struct kc_root *root, int64_t inode, uint64_t until,
		       struct kc_arena *arena, struct kc_err *err, const char **ret_pid)
{
	const char *wanted = kc_arena_printf(arena, "socket:[%lld]", (long long)inode);
	struct kc_strings names;
	const char **pids;
	size_t n = 0;
	bool hidden;
	int r;

	if (!wanted)
		return kc_err_set(err, -ENOMEM, "out of memory");
	r = kc_root_list(root, "/proc", arena, err, &names);
	if (r < 0)
		return r;
	pids = kc_arena_zalloc(arena, names.n + 1, sizeof(*pids));
	if (!pids)
		return kc_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < names.n; i++) {
		if (names.item[i][strspn(names.item[i], "0123456789")] == '\0')
			pids[n++] = names.item[i];
	}
	qsort(pids, n, sizeof(*pids), compare_pids);
	/* Every PID namespace has a process 1; /proc mounted with hidepid= does not list it. */
	hidden = n == 0 || !kc_streq(pids[0], "1");
	for (size_t i = 0; i < n; i++) {
		r = holds(root, pids[i], wanted, until);
		if (r == -ETIMEDOUT)
			return kc_err_set(err, r,
					  "/proc: who has %s was not found within the deadline",
					  wanted);
		hidden = hidden || r == -EACCES;
		if (r < 0 && r != -EACCES)
			return kc_err_set(err, r, "out of memory");
		if (r > 0) {
			*ret_pid = pids[i];
			return 0;
		}
	}
	if (hidden)
		return kc_err_set(err, -EACCES,
				  "/proc: who has %s may not be seen: run k8scheck as root",
				  wanted);
	return kc_err_set(err, -ENOENT, "/proc: no process that can be seen has %s", wanted);
}

void kc_door_socket_holder(const struct kc_door_host *host, void **state,
			   const struct kc_question *question, struct kc_arena *arena,
			   struct kc_answer *ret_answer)
{
	kc_cleanup(kc_buf_done) struct kc_buf name = { 0 };
	struct kc_err err = { 0 };
	const char *pid = NULL;
	uint64_t number = 0;

	*ret_answer = (struct kc_answer){ 0 };
	if (question->strings.n != 0 || question->number < 1) {
		kc_answer_fail(ret_answer, arena, -EINVAL,
			       "a socket is asked for by its inode, a number above 0");
		return;
	}
	if (find_holder(host->root, question->number, kc_now_usec() + question->timeout_usec, arena,
			&err, &pid) < 0) {
		kc_answer_err(ret_answer, arena, &err);
		return;
	}
	if (kc_parse_u64(pid, &number) < 0 || number > UINT32_MAX) {
		kc_answer_fail(ret_answer, arena, -EBADMSG, "/proc/%s is no process", pid);
		return;
	}
	read_name(host->root, pid, &name);
	ret_answer->numbers[0] = (int64_t)number;
	kc_answer_add(ret_answer, arena, name.data ? name.data : "", name.len);
}
