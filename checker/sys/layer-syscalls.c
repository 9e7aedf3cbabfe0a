/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layer-syscalls.h"
#include "layers.h"

#ifdef KC_WITH_SYSCALL_LISTS
#include "syscall-lists.h"

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW (1ul << 2)
#endif

struct list {
	const struct sock_filter *filter;
	size_t n;
};

static struct list find(enum kc_syscall_list list, bool no_openat2)
{
	if (list == KC_SYSCALLS_WORKER)
		return (struct list){ worker_filter, KC_ARRAY_SIZE(worker_filter) };
	if (no_openat2)
		return (struct list){ zygote_filter_no_openat2,
				      KC_ARRAY_SIZE(zygote_filter_no_openat2) };
	return (struct list){ zygote_filter, KC_ARRAY_SIZE(zygote_filter) };
}

static int take(const struct sock_fprog *program)
{
	/* Before Linux 5.16 a filter slows all of the process down against Spectre 4, in which
	 * there is nothing to be had here: workers read what they read. */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		    program) == 0)
		return 0;
	if (errno == EINVAL && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program) == 0)
		return 0;
	return -errno;
}

int kc_layer_syscalls(enum kc_syscall_list list, bool no_openat2, struct kc_err *err)
{
	const struct list found = find(list, no_openat2);
	kc_cleanup(kc_freep) struct sock_filter *own = calloc(found.n, sizeof(*own));
	const struct sock_fprog program = { .len = (unsigned short)found.n, .filter = own };
	int r;

	if (!own)
		return kc_err_set(err, -ENOMEM, "out of memory");
	memcpy(own, found.filter, found.n * sizeof(*own));
	for (size_t i = 0; i < found.n; i++) {
		if (own[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && own[i].k == KC_OWN_PID)
			own[i].k = (uint32_t)getpid();
	}
	r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : take(&program);
	return r < 0 ? kc_err_set(err, r, "a filter of system calls: %s",
				  r == -ENOSYS ? "the kernel has none" : kc_strerror(r))
		     : 0;
}

#else

int kc_layer_syscalls(enum kc_syscall_list list, bool no_openat2, struct kc_err *err)
{
	return kc_err_set(err, -ENOSYS,
			  "this k8scheck was built without lists of system calls (libseccomp)");
}

#endif
