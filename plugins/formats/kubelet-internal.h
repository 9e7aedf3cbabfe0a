/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "kubelet-config.h"

/* What kubelet-config.c and kubelet-process.c share. */

/* Keeps the first thing that could not be read; `source` is borrowed. Only -ENOMEM. */
int kc_kubelet_set_unread(struct kc_kubelet_config *config, struct kc_arena *arena,
			  const char *what, const char *source);

/* Takes the arguments, and what is wrong with them. Only -ENOMEM. */
int kc_kubelet_take_flags(struct kc_kubelet_config *config, struct kc_arena *arena,
			  const struct kc_kubelet_argument *argument, size_t n);

/* Reads the files that the flags name. Only -ENOMEM. */
int kc_kubelet_load_files(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			  struct kc_kubelet_config *config);
