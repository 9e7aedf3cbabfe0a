/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "sys/cri-answer.h"
#include "sys/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	ANSWER_MEMORY_MAX = 32 * 1024 * 1024
};

/* Every item that is handed on ends with a NUL, and every key has a value. */
static void check(int r, const struct kc_answer *answer, const struct kc_err *err)
{
	if (r < 0 && (err->code != r || err->text[0] == '\0'))
		abort();
	if (r == 0 && (answer->code != 0 || answer->n_items % 2 != 0))
		abort();
	for (size_t i = 0; i < answer->n_items; i++) {
		if (answer->items[i].data[answer->items[i].size] != '\0')
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_arena arena = { .limit = ANSWER_MEMORY_MAX };
	struct kc_answer answer = { 0 };
	struct kc_err err = { 0 };
	struct kc_buf text = { 0 };
	const void *message = data;
	size_t message_size = size;

	/* With gRPC's prefix, as real answers are; or else the bytes as a message themselves. */
	(void)kc_grpc_message(data, size, &err, &message, &message_size);
	for (uint32_t question = KC_RUNTIME_VERSION; question <= KC_RUNTIME_IMAGES; question++) {
		answer = (struct kc_answer){ 0 };
		err = (struct kc_err){ 0 };
		check(kc_cri_answer(question, "v1", message, message_size, &arena, &err, &answer),
		      &answer, &err);
	}
	answer = (struct kc_answer){ 0 };
	err = (struct kc_err){ 0 };
	check(kc_crio_info((const char *)data, size, &arena, &err, &answer), &answer, &err);
	kc_grpc_message_text((const char *)data, size, &text);
	if (text.len > size)
		abort();
	kc_buf_done(&text);
	kc_arena_done(&arena);
	return 0;
}
