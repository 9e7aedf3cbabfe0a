/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layers.h"

static int get(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static int set(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

bool kc_has_capabilities(uint32_t all)
{
	struct __user_cap_data_struct data[2];

	return get(data) == 0 && (data[0].permitted & all) == all;
}

int kc_layer_capabilities(uint32_t keep, struct kc_err *err)
{
	struct __user_cap_data_struct data[2];
	int r = get(data);

	if (r == 0) {
		/* All that is kept has a number below 32. */
		data[0].permitted &= keep;
		data[0].effective = data[0].permitted;
		data[0].inheritable = 0;
		data[1] = (struct __user_cap_data_struct){ 0 };
		r = set(data);
	}
	return r < 0 ? kc_err_set(err, r, "capset: %s", kc_strerror(r)) : 0;
}

int kc_layer_privileges(uint32_t keep, struct kc_err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return kc_err_set(err, -errno, "no_new_privs: %s", kc_strerror(errno));
	for (unsigned long i = 0; i < 64; i++) {
		if ((i < 32 && keep & (1u << i)) || prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0)
			continue;
		/* The first that the kernel does not know; or none can be dropped, and then
		 * executing gains none but those that are held: who executes drops these. */
		if (errno == EINVAL || errno == EPERM)
			break;
		return kc_err_set(err, -errno, "the bounding set: %s", kc_strerror(errno));
	}
	return 0;
}
