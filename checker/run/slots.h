/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/macro.h"

/*
 * What each worker is doing, in memory that it shares with k8scheck alone, so that a rule's start
 * costs no system call. The worker may write anything into its slot: it is a hint for whom to
 * blame, and when.
 */
struct kc_slot {
	uint32_t doing; /* index of the rule + 1; KC_DOING_*; 0: nothing */
	uint32_t waits; /* 1: for facts that are still gathered, which is not the rule's time */
	uint64_t since_usec; /* kc_now_usec() */
};

enum {
	KC_DOING_NOTHING = 0,
	KC_DOING_LOADING = UINT32_MAX,
	KC_DOING_GATHERING = UINT32_MAX - 1,
};

enum {
	KC_SLOTS_MAX = 4096
};

/* One mapping, made before the zygote is forked; a page for each slot, so that a worker can be left
 * with its own. */
struct kc_slots {
	char *memory;
	size_t page;
	uint64_t used[KC_SLOTS_MAX / 64];
};

int kc_slots_map(struct kc_slots *slots);
void kc_slots_unmap(struct kc_slots *slots);

/* A slot that nobody has, zeroed. -EAGAIN: all are taken. */
int kc_slots_take(struct kc_slots *slots, uint32_t *ret_index);

/* Gives a slot back once its worker is gone. */
void kc_slots_give(struct kc_slots *slots, uint32_t index);

/* index < KC_SLOTS_MAX */
struct kc_slot *kc_slots_at(const struct kc_slots *slots, uint32_t index);

/* In a worker: parts with all slots but its own. */
int kc_slots_leave(const struct kc_slots *slots, uint32_t index);
