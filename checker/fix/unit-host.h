/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "sys/root.h"

/*
 * The table of services as far as the readers of unit files ask for it, over a root, so that what a
 * repair enables is read by the code that judges what is enabled.
 */
struct kc_unit_host {
	const struct kc_root *root;
	struct kc_arena *arena; /* of all that is handed out */
	struct kc_err err; /* of the last service that failed */
};

extern const struct kc_host kc_unit_host_table;

/* What the table's functions take as their run. */
static inline struct kc_run *kc_unit_host_run(struct kc_unit_host *host)
{
	return (struct kc_run *)(void *)host;
}
