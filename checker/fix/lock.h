/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/*
 * A lock on a folder (flock(2)), held as long as its descriptor is open. Whoever can open the
 * folder can hold it, and so keep others out: one that is root's alone is meant.
 */

/*
 * Takes it. -EBUSY: another has it, whom the sentence names if the kernel tells (proc_locks(5));
 * -EOPNOTSUPP: on NFS no folder can be locked.
 */
int kc_lock_take(int dir, struct kc_err *err);

/* Whether somebody else has it. */
bool kc_lock_is_taken(int dir);

/*
 * Waits a second at most until it is this one's turn, in a folder that anybody may lock: those who
 * are honest take turns, and the others hold nobody up.
 */
void kc_lock_await_turn(int dir);
