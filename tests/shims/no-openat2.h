/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "filter.h"

/*
 * A filter that lets openat2(2) fail with `error`, as an older kernel (ENOSYS) or an older
 * container runtime (EPERM) does. For this process and all that it starts. 0, or negative errno.
 */
static inline int kc_test_deny_openat2(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 437, 0, 1), /* openat2 on every architecture */
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)error & SECCOMP_RET_DATA)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return kc_test_filter(code, sizeof(code) / sizeof(code[0]));
}
