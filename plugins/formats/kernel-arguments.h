/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * The kernel's command line (/proc/cmdline, the options of a boot loader's entry), as the kernel
 * itself splits it: next_arg() of lib/cmdline.c, documented in admin-guide/kernel-parameters. Pure.
 */
struct kc_kernel_argument {
	const char *name; /* "systemd.unified_cgroup_hierarchy" */
	const char *value; /* without its quotes; NULL when there is no "=" */
	bool for_init; /* behind "--": the kernel leaves it to init */
};

/*
 * Splits a command line; it ends with the text, or at the first NUL. White space separates
 * arguments but within double quotes, which may stand around a value (a="b c") or a whole argument
 * ("a=b c") and are then taken away; a quote that is not closed goes on to the end. There are no
 * escapes. -EFBIG for more than 64 KiB (kernels take 4 KiB at most), -ENOMEM.
 */
int kc_kernel_arguments_parse(const char *text, size_t size, struct kc_arena *arena,
			      struct kc_kernel_argument **ret_arguments, size_t *ret_n);

/* Whether two names are the same parameter: "-" and "_" are one character to the kernel. */
bool kc_kernel_argument_is(const struct kc_kernel_argument *argument, const char *name);

/*
 * The last argument of a name, which is the one that counts where a parameter takes one value;
 * those for init alone do not. NULL when there is none.
 */
const struct kc_kernel_argument *kc_kernel_argument_last(const struct kc_kernel_argument *arguments,
							 size_t n, const char *name);
