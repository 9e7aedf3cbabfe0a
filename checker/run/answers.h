/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "memo.h"

/*
 * Answers that hold for as long as a run takes, for the broker and its doors, whom several workers
 * ask the same: of systemd, of the bus, of a runtime, and for the machine's addresses. So all of a
 * run judges one state of them. A failure is never remembered, since who asks again may have more
 * time, or better luck. Bounded as a memo is: what does not fit is asked again.
 */

/*
 * Appends what stands for a question in a memo. How long it may take is no part of it: what was
 * answered in time was answered. False: its answer may change, or there is no memory.
 */
bool kc_question_text(const struct kc_question *question, struct kc_buf *b);

/* What was answered to a question of the same text, in the memo; false when nothing is known. */
bool kc_answers_find(const struct kc_memo *memo, const struct kc_question *question,
		     struct kc_answer *ret_answer);

/* Remembers an answer, which is copied, if it is one to remember. */
void kc_answers_keep(struct kc_memo *memo, const struct kc_question *question,
		     const struct kc_answer *answer);
