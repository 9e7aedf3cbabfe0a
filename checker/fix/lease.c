/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/clock.h"
#include "lease.h"

enum {
	WAIT_USEC = 2 * 1000 * 1000,
	STEP_NSEC = 2 * 1000 * 1000,
};

int kc_lease_take(int fd, struct kc_err *err, bool *ret_held)
{
	const struct timespec step = { .tv_nsec = STEP_NSEC };
	uint64_t deadline = kc_now_usec() + WAIT_USEC;

	for (;;) {
		if (fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
			*ret_held = true;
			return 0;
		}
		if (errno != EAGAIN)
			break;
		if (kc_now_usec() >= deadline)
			return kc_err_set(err, -EBUSY, "another process has it open for writing");
		(void)nanosleep(&step, NULL);
	}
	/* No such thing here (network and FUSE file systems), or not for who does not own it. */
	if (errno != EINVAL && errno != ENOLCK && errno != EOPNOTSUPP && errno != EACCES &&
	    errno != EPERM)
		return kc_err_set(err, -errno, "it cannot be guarded against writers: %s",
				  kc_strerror(errno));
	*ret_held = false;
	return 0;
}

bool kc_lease_holds(int fd)
{
	return fcntl(fd, F_GETLEASE) == F_RDLCK;
}

void kc_lease_give_up(int fd)
{
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
}
