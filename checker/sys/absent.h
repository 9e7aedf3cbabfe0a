/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"

/*
 * Whether whoever a question goes to is not there: the bus or the runtime has no socket. Then
 * *ret_answer is what its door would say, without the process and the libraries of that door.
 * False when there is a socket, or anything else to say: a door has to say it. Looks only at
 * sockets below /run, which is in memory: a path that leads to a dead server would hold up the
 * broker.
 */
bool kc_is_absent(const struct kc_root *root, const struct kc_question *question,
		  struct kc_arena *arena, struct kc_answer *ret_answer);

/* Whether there is no bus to ask anything. */
bool kc_is_bus_absent(const struct kc_root *root);
