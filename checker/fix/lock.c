/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/num.h"
#include "lock.h"

enum {
	STEP_NSEC = 5 * 1000 * 1000,
	/* Who merely looks whether there is a lock has one in that moment. */
	LOOK_USEC = 100 * 1000,
	TURN_USEC = 1000 * 1000,
	LOCKS_MAX = 1024 * 1024, /* bytes of /proc/locks */
};

static int lock_within(int dir, uint64_t usec)
{
	const struct timespec step = { .tv_nsec = STEP_NSEC };
	uint64_t deadline = kc_now_usec() + usec;

	while (flock(dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (kc_now_usec() >= deadline)
			return -EBUSY;
		(void)nanosleep(&step, NULL);
	}
	return 0;
}

/* "1: FLOCK  ADVISORY  WRITE 1234 fd:00:131 0 EOF": the process, of a folder of that name. */
static int read_holder(char *line, const char *object, uint64_t *ret_pid)
{
	const char *words[6] = { NULL };
	char *word;

	for (size_t i = 0; i < KC_ARRAY_SIZE(words) && (word = strsep(&line, " "));) {
		if (*word)
			words[i++] = word;
	}
	if (!words[5] || !kc_streq(words[1], "FLOCK") || !kc_streq(words[5], object))
		return -ENOENT;
	return kc_parse_u64(words[4], ret_pid);
}

/* 0: it cannot be told. Some file systems (btrfs) have another number in that list. */
static uint64_t find_holder(int dir)
{
	kc_cleanup(kc_closep) int fd = open("/proc/locks", O_RDONLY | O_CLOEXEC);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	kc_cleanup(kc_freep) char *object = NULL;
	uint64_t pid = 0;
	struct stat st;
	char *rest, *line;

	if (fd < 0 || fstat(dir, &st) < 0 || kc_read_all(fd, LOCKS_MAX, &text) < 0 || !text.data)
		return 0;
	object = kc_asprintf("%02x:%02x:%llu", major(st.st_dev), minor(st.st_dev),
			     (unsigned long long)st.st_ino);
	rest = text.data;
	while (object && (line = strsep(&rest, "\n"))) {
		if (read_holder(line, object, &pid) == 0)
			return pid;
	}
	return 0;
}

static int refuse(int dir, struct kc_err *err)
{
	uint64_t pid = find_holder(dir);
	char process[40] = "";

	if (pid > 0)
		(void)snprintf(process, sizeof(process), " (process %llu)",
			       (unsigned long long)pid);
	return kc_err_set(err, -EBUSY,
			  "another k8scheck%s is repairing this system, or taking a repair back; "
			  "try again when it has ended",
			  process);
}

int kc_lock_take(int dir, struct kc_err *err)
{
	struct statfs figures;
	int r = lock_within(dir, LOOK_USEC);

	if (r == -EBUSY)
		return refuse(dir, err);
	/* There such a lock is one of fcntl(2), which takes a descriptor for writing. */
	if (r == -EBADF && fstatfs(dir, &figures) == 0 && figures.f_type == NFS_SUPER_MAGIC)
		return kc_err_set(err, -EOPNOTSUPP,
				  "it is on NFS, where a folder cannot be locked against another "
				  "k8scheck: nothing is repaired there");
	return r < 0 ? kc_err_set(err, r, "it cannot be locked against another k8scheck: %s",
				  kc_strerror(r))
		     : 0;
}

bool kc_lock_is_taken(int dir)
{
	return flock(dir, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

void kc_lock_await_turn(int dir)
{
	(void)lock_within(dir, TURN_USEC);
}
