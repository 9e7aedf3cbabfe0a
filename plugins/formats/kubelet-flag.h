/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kubelet-setting.h"

/*
 * The kubelet's command line as its flag library (pflag) takes it: --flag=value, --flag value,
 * boolean flags alone; -v 2, -v=2, -v2; "_" in a name is "-"; the last of several wins. Pure.
 */

/* A word of the command line, without the program's name, and where it was written. */
struct kc_kubelet_argument {
	const char *text;
	const char *source; /* "FILE:LINE (VARIABLE)", "/proc/PID/cmdline, argument 3" */
};

struct kc_kubelet_flag {
	const char *name; /* without dashes */
	const char *value; /* "true" for a boolean flag that stands alone */
	const char *source;
};

struct kc_kubelet_flags {
	const struct kc_kubelet_flag *flag; /* in the order they were given */
	size_t n;
	const char *refusal; /* why the kubelet would not start with them; NULL: nothing is wrong */
	const char *refusal_source;
};

enum {
	KC_KUBELET_ARGUMENTS_MAX = 4096,
};

/*
 * Texts live in the arena, sources are borrowed. Arguments that the kubelet would refuse are told
 * in `refusal` (the first of them), and the others read on. -E2BIG for more than
 * KC_KUBELET_ARGUMENTS_MAX, -ENOMEM.
 */
int kc_kubelet_flags_parse(const struct kc_kubelet_argument *argument, size_t n,
			   struct kc_arena *arena, struct kc_kubelet_flags *ret_flags);

/* Whether a flag is known to take a value, as --flag value, too. */
bool kc_kubelet_flag_takes_value(const char *name);

/* The flag that counts, the last of its name; NULL when it is not given. */
const struct kc_kubelet_flag *kc_kubelet_flags_last(const struct kc_kubelet_flags *flags,
						    const char *name);

/*
 * Refuses (in flags->refusal, when it has none yet) what this release does not know: flags that
 * were removed, --config-dir before 1.28. Nothing when the release is not known.
 */
int kc_kubelet_flags_check(struct kc_kubelet_flags *flags, const struct kc_kubelet_release *release,
			   struct kc_arena *arena);
