/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>

#include "sys/ask.h"

/*
 * A door in the place of the runtimes' and the bus's that answers how often it was asked. The first
 * time that it is asked for a status, there is none.
 */
static void count(const struct kc_door_host *host, void **state, const struct kc_question *question,
		  struct kc_arena *arena, struct kc_answer *ret_answer)
{
	unsigned *n = *state;
	char text[16];

	*ret_answer = (struct kc_answer){ 0 };
	if (!n)
		*state = n = calloc(1, sizeof(*n));
	if (!n) {
		kc_answer_fail(ret_answer, arena, -ENOMEM, "no memory to count with");
		return;
	}
	++*n;
	if (question->number == KC_RUNTIME_STATUS && *n == 1) {
		kc_answer_fail(ret_answer, arena, -ETIMEDOUT, "asked for the first time");
		return;
	}
	(void)snprintf(text, sizeof(text), "%u", *n);
	kc_answer_adds(ret_answer, arena, text);
}

extern const struct kc_door_module kc_door_module __attribute__((visibility("default")));
const struct kc_door_module kc_door_module = {
	.magic = KC_DOOR_MAGIC,
	.size = sizeof(struct kc_question),
	.door = count,
};
