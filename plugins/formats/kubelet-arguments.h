/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kubelet-flag.h"

/*
 * Flags in the environment file that the unit of the kubelet takes KUBELET_EXTRA_ARGS from:
 * /etc/sysconfig/kubelet of the RHEL family, /etc/default/kubelet of Debian and Ubuntu.
 */
#define KC_KUBELET_EXTRA_ARGS "KUBELET_EXTRA_ARGS"

/*
 * The file's text with flags in the variable, key and value each; pure. A flag that is there keeps
 * its place, and is written --FLAG=VALUE; others come behind those that are there. Where nothing
 * sets the variable, a line at the end does. Other flags, their quotes, other variables and
 * comments stay byte for byte. -ENOTSUP where that cannot be done for sure: what
 * kc_environment_find() does not read, a value that is odd, words or values that would need more
 * quotes. -ENOMEM.
 */
int kc_kubelet_arguments_edit(const char *text, size_t size, const char *variable,
			      const struct kc_pair *flags, size_t n, struct kc_arena *arena,
			      struct kc_buf *out);
