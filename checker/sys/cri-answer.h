/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ask.h"
#include "base/err.h"

/*
 * Answers of container runtimes as pairs, by enum kc_runtime_question; what the pairs are stands
 * there. Pure; the bytes are a runtime's, and may be anything.
 */

/*
 * A protobuf message of CRI (without gRPC's prefix). `api` is "v1" or "v1alpha2". Adds to *answer.
 * -EBADMSG when it cannot be decoded, or lacks what the question is about. Messages name no place.
 */
int kc_cri_answer(uint32_t question, const char *api, const void *message, size_t size,
		  struct kc_arena *arena, struct kc_err *err, struct kc_answer *answer);

/* The JSON object of CRI-O's GET /info: its members that are strings or numbers. Errors as above.
 */
int kc_crio_info(const char *json, size_t size, struct kc_arena *arena, struct kc_err *err,
		 struct kc_answer *answer);
