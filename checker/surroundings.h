/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "model/report.h"

/* Where k8scheck runs, and what it looks at. */

/*
 * Why the running kernel is not the one to judge, as a sentence: a chroot (pid 1 has another root),
 * or a container (systemd's mark, or another PID namespace than the machine's first). NULL when
 * neither is seen.
 */
const char *kc_surroundings_foreign(void);

/* Whether a container is seen, by the same two marks. */
bool kc_surroundings_in_container(void);

/*
 * Name, hashed machine id and the like of what is looked at, for reports; from facts where they
 * know. Never fails: what is not known is NULL, and the machine id without `sha256` too. Kernel and
 * machine are left out for an offline root.
 */
void kc_surroundings_host(const char *root, bool live, const struct kc_fact_value *facts,
			  uint32_t n_facts,
			  void (*sha256)(const void *data, size_t size, char ret_hex[65]),
			  struct kc_arena *arena, struct kc_report_host *ret_host);
