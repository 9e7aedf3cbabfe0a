/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/kernel-arguments.h"

/* What the kernel's arguments say of SELinux. */
struct selinux_arguments {
	const char *off; /* the argument that turns it off, as it is written; or NULL */
	bool on; /* an argument asks for it, where the kernel itself would not bring it up */
	const char *enforcing; /* the argument enforcing=, as it is written; or NULL */
	bool enforces; /* its value */
	bool several; /* it is there with different values: versions of libselinux differ */
};

/*
 * Reads them as the kernel does (security/security.c, security/selinux/hooks.c): selinux=0; lsm=
 * without selinux, or with it behind another of its kind; security= another module, unless lsm= is
 * there. enforcing= as libselinux does (selinux_init_load_policy()), which sets the mode again when
 * it loads the policy: the first one, and what is no number is 0. Pure, but for the arena.
 */
int selinux_arguments_read(const struct kc_kernel_argument *item, size_t n, struct kc_arena *arena,
			   struct selinux_arguments *ret_arguments);
