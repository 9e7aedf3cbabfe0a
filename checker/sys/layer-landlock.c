/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fdio.h"
#include "layers.h"

/* By number, for headers that are older than the kernel. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#ifndef SYS_landlock_restrict_self
#define SYS_landlock_restrict_self 446
#endif

enum {
	CREATE_RULESET_VERSION = 1u << 0,
	ABI_KNOWN = 6,
};

/* struct landlock_ruleset_attr */
struct attributes {
	uint64_t fs, net, scoped;
};

/* What each ABI added of what is denied here; all of fs but READ_FILE (bit 2) and READ_DIR (3). */
static const struct attributes added[ABI_KNOWN + 1] = {
	[1] = { .fs = 0x1ff3 },
	[2] = { .fs = 1u << 13 }, /* REFER */
	[3] = { .fs = 1u << 14 }, /* TRUNCATE */
	[4] = { .net = 1u << 0 | 1u << 1 }, /* BIND_TCP, CONNECT_TCP */
	[5] = { .fs = 1u << 15 }, /* IOCTL_DEV */
	[6] = { .scoped = 1u << 0 | 1u << 1 }, /* ABSTRACT_UNIX_SOCKET, SIGNAL */
};

/* A kernel refuses an attribute that it does not know, even if it is empty and in the structure. */
static size_t size_of(unsigned abi)
{
	if (abi < 4)
		return sizeof(uint64_t);
	return abi < 6 ? 2 * sizeof(uint64_t) : sizeof(struct attributes);
}

static int create(unsigned abi, bool network)
{
	struct attributes a = { 0 };
	long fd;

	for (unsigned i = 1; i <= abi; i++) {
		a.fs |= added[i].fs;
		a.net |= network ? 0 : added[i].net;
		a.scoped |= network ? 0 : added[i].scoped;
	}
	fd = syscall(SYS_landlock_create_ruleset, &a, size_of(abi), 0);
	return fd < 0 ? -errno : (int)fd;
}

static int missing(int code, struct kc_err *err)
{
	switch (-code) {
	case ENOSYS:
		return kc_err_set(err, code,
				  "the kernel has no Landlock (Linux 5.13 and later can)");
	case EOPNOTSUPP:
		return kc_err_set(err, code,
				  "Landlock is off in this kernel (its lsm= list lacks it)");
	default:
		return kc_err_set(err, code, "Landlock: %s", kc_strerror(code));
	}
}

int kc_layer_landlock(bool network, unsigned *ret_abi, struct kc_err *err)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);
	kc_cleanup(kc_closep) int fd = -EBADF;
	unsigned abi;

	if (version <= 0)
		return missing(version < 0 ? -errno : -EOPNOTSUPP, err);
	/* 5.14.0 of EL 9.7 says 6 and knows no scopes; 6.8 of Ubuntu was seen to lack IOCTL_DEV. */
	for (abi = KC_MIN((unsigned)version, (unsigned)ABI_KNOWN); abi > 0; abi--) {
		fd = create(abi, network);
		if (fd != -EINVAL && fd != -E2BIG)
			break;
	}
	if (fd < 0)
		return missing(fd, err);
	/* Without CAP_SYS_ADMIN it takes this, which is harmless to have twice. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return missing(-errno, err);
	*ret_abi = abi;
	return 0;
}
