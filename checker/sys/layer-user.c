/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/num.h"
#include "layers.h"

enum {
	/* systemd, docs/UIDS-GIDS.md: 1879048192 to 2147483647 is handed out by nobody. */
	FIRST = 1879048192,
	PIDS = 4194304, /* PID_MAX_LIMIT of a 64-bit kernel */
	MAP_MAX = 64 * 1024,
	TASKS_MAX = 64, /* processes and threads */
};

/* Whether a map of user_namespaces(7) has all of the range: lines of first, first outside, count.
 */
static bool map_has(const char *path, const char **ret_why)
{
	kc_cleanup(kc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	char *save = NULL;

	*ret_why = path;
	if (fd < 0 || kc_read_all(fd, MAP_MAX, &text) < 0 || !text.data)
		return false;
	for (char *line = strtok_r(text.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		unsigned long long first, outside, count;

		if (sscanf(line, "%llu %llu %llu", &first, &outside, &count) == 3 &&
		    first <= FIRST && count > FIRST - first && count - (FIRST - first) > PIDS)
			return true;
	}
	return false;
}

int kc_layer_user_possible(struct kc_err *err)
{
	const char *path;

	if (geteuid() != 0)
		return kc_err_set(err, -EPERM, "it takes root");
	if (!kc_has_capabilities(1u << 6 | 1u << 7))
		return kc_err_set(err, -EPERM, "it takes CAP_SETGID and CAP_SETUID");
	if (!map_has("/proc/self/uid_map", &path) || !map_has("/proc/self/gid_map", &path))
		return kc_err_set(err, -EPERM, "%s has no users that nobody else has", path);
	return 0;
}

int kc_layer_user(int64_t group, struct kc_err *err)
{
	uid_t own = (uid_t)FIRST + (uid_t)getpid();
	const gid_t groups[] = { (gid_t)group };
	struct rlimit tasks;

	/* System calls themselves: glibc's would ask other threads, of which there are none. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_setgroups, group < 0 ? 0 : 1, groups) < 0 ||
	    syscall(SYS_setresgid, own, own, own) < 0 || syscall(SYS_setresuid, own, own, own) < 0)
		return kc_err_set(err, -errno, "the user %u cannot be taken: %s", (unsigned)own,
				  kc_strerror(errno));
	/* It is asked of users other than root, of all that they have: here, of this process's. */
	if (getrlimit(RLIMIT_NPROC, &tasks) == 0) {
		tasks.rlim_max = KC_MIN(tasks.rlim_max, (rlim_t)TASKS_MAX);
		tasks.rlim_cur = tasks.rlim_max;
		if (setrlimit(RLIMIT_NPROC, &tasks) < 0)
			return kc_err_set(err, -errno, "RLIMIT_NPROC: %s", kc_strerror(errno));
	}
	return 0;
}
