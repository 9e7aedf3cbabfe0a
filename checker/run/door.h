/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config.h"
#include "sys/ask.h"

/*
 * Which door a question goes to. Questions of equal key are answered one after another by one
 * process; an empty key asks for a process of its own. In the arena; never NULL.
 */
const char *kc_door_key(const struct kc_question *question, struct kc_arena *arena);

/*
 * What it means that a question was not answered within its time, where its door cannot watch the
 * time itself: a sentence for -ETIMEDOUT, in the arena. NULL where the door does, and has to say so
 * soon after.
 */
const char *kc_door_late(const struct kc_question *question, struct kc_arena *arena);

/* Serves questions from a channel until it closes; the main function of a door's process. */
kc_noreturn void kc_door_main(const struct kc_run_config *config, const struct kc_root *root,
			      int channel);
