/* SPDX-License-Identifier: Apache-2.0 */
#include "answers.h"
#include "base/str.h"

bool kc_question_text(const struct kc_question *question, struct kc_buf *b)
{
	switch (question->kind) {
	case KC_ASK_UNIT:
	case KC_ASK_BUS:
	case KC_ASK_RUNTIME:
	case KC_ASK_ADDRESSES:
		break;
	default:
		return false;
	}
	kc_buf_addf(b, "%u %lld", question->kind, (long long)question->number);
	for (size_t i = 0; i < question->strings.n; i++)
		kc_buf_addf(b, " %zu:%s", strlen(question->strings.item[i]),
			    question->strings.item[i]);
	return kc_buf_error(b) == 0;
}

bool kc_answers_find(const struct kc_memo *memo, const struct kc_question *question,
		     struct kc_answer *ret_answer)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };
	const struct kc_memo_entry *known;

	if (memo->n == 0 || !kc_question_text(question, &text))
		return false;
	known = kc_memo_find(memo, KC_MEMO_ANSWER, 0, text.data);
	if (known)
		*ret_answer = known->answer;
	return known;
}

void kc_answers_keep(struct kc_memo *memo, const struct kc_question *question,
		     const struct kc_answer *answer)
{
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	if (answer->code == 0 && kc_question_text(question, &text))
		kc_memo_answer(memo, text.data, answer);
}
