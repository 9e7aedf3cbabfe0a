/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "run/assignment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

/* A text that was read ends within the frame. */
static size_t length(const char *text)
{
	return text ? strlen(text) : 0;
}

static void read_texts(const struct kc_frame *frame)
{
	struct kc_finding f;
	struct kc_fact fact;
	struct kc_step s;
	const char *why;
	uint64_t usec;
	int code;

	if (kc_read_finding(frame, &f) == 0) {
		must(f.verdict >= KC_PASS && f.verdict <= KC_FAIL);
		must(length(f.subject) + length(f.expected) + length(f.found) + length(f.source) +
			     length(f.message) + length(f.reason) <
		     frame->size);
	}
	if (kc_read_fact(frame, &fact) == 0)
		must(fact.name && (fact.state == KC_FACT_KNOWN) == (fact.value != NULL));
	if (kc_read_step(frame, &s) == 0)
		must(s.content_size + s.before_size + length(s.target) + length(s.why) <
		     frame->size);
	if (kc_read_done(frame, &code, &usec, &why) == 0)
		must(code <= 0 && code >= -4095 && length(why) < frame->size);
}

static void read_lists(const struct kc_frame *frame)
{
	struct kc_arena arena = { .limit = 64 * 1024 * 1024 };
	struct kc_fact_value *facts;
	struct kc_question q;
	struct kc_answer a;
	size_t total = 0;
	uint32_t n;

	if (kc_read_facts(frame, &arena, &facts, &n) == 0) {
		for (uint32_t i = 0; i < n; i++)
			total += length(facts[i].name) + length(facts[i].value);
		must(total < frame->size);
	}
	total = 0;
	if (kc_read_question(frame, &arena, &q) == 0) {
		for (size_t i = 0; i < q.strings.n; i++)
			total += length(q.strings.item[i]);
		must(total < frame->size && q.timeout_usec > 0 && !q.strings.item[q.strings.n]);
	}
	total = 0;
	if (kc_read_answer(frame, &arena, &a) == 0) {
		for (size_t i = 0; i < a.n_items; i++) {
			must(a.items[i].data[a.items[i].size] == 0);
			total += a.items[i].size;
		}
		must(total < frame->size && a.code <= 0);
	}
	/* What a frame asks for is in proportion to its size. */
	must(arena.used <= 64 * frame->size + 1024);
	kc_arena_done(&arena);
}

static void read_assignment(const struct kc_frame *frame)
{
	struct kc_arena arena = { .limit = 64 * 1024 * 1024 };
	struct kc_assignment a = { 0 };

	/* The same bytes as both: a rule is read by the manifest that went before it. */
	if (kc_read_manifest(frame, &arena, &a) == 0) {
		must(length(a.manifest.name) + length(a.manifest.version) < frame->size);
		if (kc_read_rule(frame, &arena, &a) == 0)
			must(kc_assignment_rule(&a, frame->rule) == a.rules);
	}
	must(arena.used <= 64 * frame->size + 1024);
	kc_arena_done(&arena);
	kc_assignment_done(&a);
}

/* A stream as it comes: frame after frame, whatever each says it is, read as everything. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kc_frame frame;
	size_t at = 0, used;

	while (kc_frame_next((const char *)data + at, size - at, &frame, &used) == 1) {
		must(used >= 12 && used <= size - at);
		must(frame.size == used - 12);
		read_texts(&frame);
		read_lists(&frame);
		read_assignment(&frame);
		at += used;
	}
	return 0;
}
