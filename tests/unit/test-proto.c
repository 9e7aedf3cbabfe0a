/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "run/proto.h"

/*
 * Every kind of frame there and back, and what becomes of it when a byte of it is changed or its
 * end is missing: it is refused, or it reads as something that keeps the promises of its type.
 */

static const struct kc_finding finding = {
	.size = sizeof(finding),
	.verdict = KC_SKIP,
	.horizon = KC_BOOT,
	.subject = "net.ipv4.ip_forward",
	.expected = "1",
	.found = "",
	.source = NULL,
	.message = "a \xff byte",
	.reason = "no-module",
};

static const struct kc_fact fact = {
	.size = sizeof(fact),
	.state = KC_FACT_KNOWN,
	.name = "os.id",
	.value = "debian",
	.source = "/etc/os-release:3",
};

static struct kc_fact_value facts[] = {
	{ .name = "os.id",
	  .state = KC_FACT_KNOWN,
	  .value = "debian",
	  .source = "/etc/os-release:3" },
	{ .name = "kubelet.version", .state = KC_FACT_ABSENT },
	{ .name = "role", .state = KC_FACT_UNKNOWN, .source = "nobody said" },
};

static const char *const strings[] = { "/usr/bin/true", "", "two words", NULL };
static const struct kc_question question = {
	.kind = KC_ASK_PROGRAM,
	.timeout_usec = 1500000,
	.number = -3,
	.strings = { .n = 3, .item = strings },
};

static const struct kc_bytes items[] = {
	{ .data = "with\0nul", .size = 8 },
	{ .data = "", .size = 0 },
};
static const struct kc_answer answer = {
	.code = -ETIMEDOUT,
	.why = "nobody answered",
	.numbers = { INT64_MIN, INT64_MAX },
	.items = items,
	.n_items = 2,
};

static const struct kc_step step = {
	.size = sizeof(step),
	.kind = KC_STEP_EDIT_FILE,
	.flags = KC_STEP_DISTURBS | KC_STEP_KEEP_OWNER,
	.horizon = KC_NOW,
	.mode = 0644,
	.uid = 1,
	.gid = 2,
	.target = "/etc/fstab",
	.content = "a\0b",
	.content_size = 3,
	.before = "",
	.before_size = 0,
	.why = "swap is on",
};

/* ---- one of each ---- */

static void put_refused(struct kc_buf *b)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_REFUSED, 0);

	kc_put_u32(b, KC_REFUSED_UNFIT);
	kc_put_text(b, "another ABI");
	kc_frame_end(b, begin);
}

static void put_exited(struct kc_buf *b)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_EXITED, 7);

	kc_put_u32(b, 11);
	kc_put_u32(b, 2);
	kc_frame_end(b, begin);
}

static void put_finding(struct kc_buf *b)
{
	kc_frame_finding(b, 4, &finding);
}

static void put_fact(struct kc_buf *b)
{
	kc_frame_fact(b, &fact);
}

static void put_facts(struct kc_buf *b)
{
	kc_frame_facts(b, facts, KC_ARRAY_SIZE(facts));
}

static void put_question(struct kc_buf *b)
{
	kc_frame_question(b, 9, &question);
}

static void put_answer(struct kc_buf *b)
{
	kc_frame_answer(b, 9, &answer);
}

static void put_step(struct kc_buf *b)
{
	kc_frame_step(b, 5, &step);
}

static void put_done(struct kc_buf *b)
{
	kc_frame_done(b, 6, -EACCES, 1234, "not allowed");
}

/* Reads a frame by its type. What is taken for good must keep the promises of its reader. */
static int read_any(const struct kc_frame *frame)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_fact_value *values = NULL;
	struct kc_finding f = { 0 };
	struct kc_fact one = { 0 };
	struct kc_question q = { 0 };
	struct kc_answer a = { 0 };
	struct kc_step s = { 0 };
	struct kc_reader r;
	const char *why;
	uint64_t usec;
	uint32_t n = 0;
	size_t total = 0;
	int code, result;

	switch (frame->type) {
	case KC_FRAME_FINDING:
		result = kc_read_finding(frame, &f);
		if (result == 0) {
			assert_in_range(f.verdict, KC_PASS, KC_FAIL);
			assert_true(f.horizon == KC_NOW || f.horizon == KC_BOOT);
		}
		return result;
	case KC_FRAME_FACT:
		result = kc_read_fact(frame, &one);
		if (result == 0) {
			assert_non_null(one.name);
			assert_true((one.state == KC_FACT_KNOWN) == (one.value != NULL));
		}
		return result;
	case KC_FRAME_FACTS:
		result = kc_read_facts(frame, &arena, &values, &n);
		for (uint32_t i = 0; result == 0 && i < n; i++)
			assert_non_null(values[i].name);
		return result;
	case KC_FRAME_ASK:
		result = kc_read_question(frame, &arena, &q);
		if (result == 0) {
			assert_in_range(q.kind, 1, KC_ASK_MAX - 1);
			assert_int_not_equal(q.timeout_usec, 0);
			assert_null(q.strings.item[q.strings.n]);
			for (size_t i = 0; i < q.strings.n; i++)
				total += strlen(q.strings.item[i]);
			assert_true(total <= frame->size);
		}
		return result;
	case KC_FRAME_ANSWER:
		result = kc_read_answer(frame, &arena, &a);
		if (result == 0) {
			assert_in_range(-a.code, 0, 4095);
			for (size_t i = 0; i < a.n_items; i++) {
				assert_int_equal(a.items[i].data[a.items[i].size], 0);
				total += a.items[i].size;
			}
			assert_true(total <= frame->size);
		}
		return result;
	case KC_FRAME_STEP:
		result = kc_read_step(frame, &s);
		if (result == 0) {
			assert_in_range(s.kind, KC_STEP_MAKE_DIR, KC_STEP_MANUAL);
			assert_true(s.content_size + s.before_size <= frame->size);
			assert_true(s.content || s.content_size == 0);
		}
		return result;
	case KC_FRAME_DONE:
		result = kc_read_done(frame, &code, &usec, &why);
		if (result == 0)
			assert_in_range(-code, 0, 4095);
		return result;
	default:
		kc_reader_init(&r, frame);
		(void)kc_reader_u32(&r);
		(void)kc_reader_text(&r);
		return kc_reader_end(&r);
	}
}

static const struct {
	uint32_t type, rule;
	void (*put)(struct kc_buf *b);
} kinds[] = {
	{ KC_FRAME_REFUSED, 0, put_refused }, { KC_FRAME_FINDING, 4, put_finding },
	{ KC_FRAME_FACT, 0, put_fact },	      { KC_FRAME_FACTS, 0, put_facts },
	{ KC_FRAME_ASK, 9, put_question },    { KC_FRAME_ANSWER, 9, put_answer },
	{ KC_FRAME_STEP, 5, put_step },	      { KC_FRAME_DONE, 6, put_done },
	{ KC_FRAME_EXITED, 7, put_exited },
};

static struct kc_frame only_frame(const struct kc_buf *b)
{
	struct kc_frame frame;
	size_t used;

	assert_int_equal(kc_buf_error(b), 0);
	assert_int_equal(kc_frame_next(b->data, b->len, &frame, &used), 1);
	assert_int_equal(used, b->len);
	return frame;
}

static void assert_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_true(a == b);
	else
		assert_string_equal(a, b);
}

static void test_finding(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_finding got;
	struct kc_frame frame;

	put_finding(&b);
	frame = only_frame(&b);
	assert_int_equal(frame.type, KC_FRAME_FINDING);
	assert_int_equal(frame.rule, 4);
	assert_int_equal(kc_read_finding(&frame, &got), 0);
	assert_int_equal(got.verdict, finding.verdict);
	assert_int_equal(got.horizon, finding.horizon);
	assert_text(got.subject, finding.subject);
	assert_text(got.expected, finding.expected);
	/* Nothing and an empty text are two things. */
	assert_text(got.found, "");
	assert_null(got.source);
	assert_text(got.message, finding.message);
	assert_text(got.reason, finding.reason);
}

static void test_facts(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_fact_value *got;
	struct kc_fact one;
	struct kc_frame frame;
	uint32_t n;

	put_fact(&b);
	frame = only_frame(&b);
	assert_int_equal(kc_read_fact(&frame, &one), 0);
	assert_int_equal(one.state, KC_FACT_KNOWN);
	assert_text(one.name, fact.name);
	assert_text(one.value, fact.value);
	assert_text(one.source, fact.source);
	kc_buf_reset(&b);
	put_facts(&b);
	frame = only_frame(&b);
	assert_int_equal(kc_read_facts(&frame, &arena, &got, &n), 0);
	assert_int_equal(n, KC_ARRAY_SIZE(facts));
	for (uint32_t i = 0; i < n; i++) {
		assert_text(got[i].name, facts[i].name);
		assert_int_equal(got[i].state, facts[i].state);
		assert_text(got[i].value, facts[i].value);
		assert_text(got[i].source, facts[i].source);
	}
	kc_buf_reset(&b);
	kc_frame_facts(&b, NULL, 0);
	frame = only_frame(&b);
	assert_int_equal(kc_read_facts(&frame, &arena, &got, &n), 0);
	assert_int_equal(n, 0);
}

static void test_question_and_answer(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_question q;
	struct kc_answer a;
	struct kc_frame frame;

	put_question(&b);
	frame = only_frame(&b);
	assert_int_equal(kc_read_question(&frame, &arena, &q), 0);
	assert_int_equal(q.kind, question.kind);
	assert_int_equal(q.timeout_usec, question.timeout_usec);
	assert_true(q.number == question.number);
	assert_int_equal(q.strings.n, 3);
	for (size_t i = 0; i < 3; i++)
		assert_text(q.strings.item[i], strings[i]);
	assert_null(q.strings.item[3]);
	kc_buf_reset(&b);
	put_answer(&b);
	frame = only_frame(&b);
	assert_int_equal(kc_read_answer(&frame, &arena, &a), 0);
	assert_int_equal(a.code, answer.code);
	assert_text(a.why, answer.why);
	assert_true(a.numbers[0] == INT64_MIN && a.numbers[1] == INT64_MAX);
	assert_int_equal(a.n_items, 2);
	assert_int_equal(a.items[0].size, 8);
	assert_memory_equal(a.items[0].data, "with\0nul", 9);
	assert_int_equal(a.items[1].size, 0);
}

static void test_step(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_step got,
		bare = { .size = sizeof(bare), .kind = KC_STEP_SYSTEMD_RELOAD, .horizon = KC_BOOT };
	struct kc_frame frame;

	put_step(&b);
	frame = only_frame(&b);
	assert_int_equal(kc_read_step(&frame, &got), 0);
	assert_int_equal(got.kind, step.kind);
	assert_int_equal(got.flags, step.flags);
	assert_int_equal(got.horizon, step.horizon);
	assert_int_equal(got.mode, step.mode);
	assert_int_equal(got.uid, step.uid);
	assert_int_equal(got.gid, step.gid);
	assert_text(got.target, step.target);
	assert_int_equal(got.content_size, 3);
	assert_memory_equal(got.content, "a\0b", 3);
	/* Computed from an empty file is not the same as computed from none. */
	assert_non_null(got.before);
	assert_int_equal(got.before_size, 0);
	assert_text(got.why, step.why);
	kc_buf_reset(&b);
	kc_frame_step(&b, 0, &bare);
	frame = only_frame(&b);
	assert_int_equal(kc_read_step(&frame, &got), 0);
	assert_null(got.content);
	assert_null(got.before);
	assert_null(got.target);
}

static void test_done(void **state)
{
	static const struct {
		int64_t code;
		int r;
	} codes[] = { { 0, 0 },
		      { -1, 0 },
		      { -4095, 0 },
		      { 1, -EBADMSG },
		      { -4096, -EBADMSG },
		      { INT64_MIN, -EBADMSG },
		      { INT64_MAX, -EBADMSG },
		      { 1ll << 32, -EBADMSG } };

	for (size_t i = 0; i < KC_ARRAY_SIZE(codes); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_frame frame;
		const char *why = "untouched";
		uint64_t usec = 1;
		size_t begin;
		int code = 1;

		begin = kc_frame_begin(&b, KC_FRAME_DONE, 0);
		kc_put_u64(&b, (uint64_t)codes[i].code);
		kc_put_u64(&b, UINT64_MAX);
		kc_put_text(&b, NULL);
		kc_frame_end(&b, begin);
		frame = only_frame(&b);
		assert_int_equal(kc_read_done(&frame, &code, &usec, &why), codes[i].r);
		assert_int_equal(code, codes[i].r == 0 ? codes[i].code : 1);
		assert_int_equal(usec, codes[i].r == 0 ? UINT64_MAX : 1);
	}
}

/* ---- what is not whole ---- */

/* In memory of just that size, so that a sanitizer sees a read beyond it. */
static int read_copy(const char *data, size_t size, struct kc_frame *ret_frame)
{
	char *copy = malloc(size ? size : 1);
	size_t used = 0;
	int r;

	assert_non_null(copy);
	memcpy(copy, data, size);
	r = kc_frame_next(copy, size, ret_frame, &used);
	if (r == 1) {
		assert_true(used <= size && used >= 12);
		assert_in_range(ret_frame->type, 1, KC_FRAME_MAX - 1);
		assert_true(ret_frame->size == used - 12);
		r = read_any(ret_frame) == 0 ? 1 : -EBADMSG;
	}
	free(copy);
	return r;
}

static void test_truncated(void **state)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		struct kc_frame frame;

		kinds[i].put(&b);
		for (size_t n = 0; n < b.len; n++) {
			uint32_t claimed = (uint32_t)n;

			/* The end has not come yet. */
			assert_int_equal(read_copy(b.data, n, &frame), 0);
			if (n < 12)
				continue;
			/* It says that this is all: no field can be left out. */
			memcpy(b.data, &claimed, sizeof(claimed));
			assert_int_equal(read_copy(b.data, n, &frame), -EBADMSG);
			claimed = (uint32_t)b.len;
			memcpy(b.data, &claimed, sizeof(claimed));
		}
		kc_buf_addc(&b, 0);
		*(uint32_t *)(void *)b.data = (uint32_t)b.len;
		assert_int_equal(read_copy(b.data, b.len, &frame), -EBADMSG);
	}
}

static void test_flipped(void **state)
{
	unsigned taken = 0, refused = 0;

	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

		kinds[i].put(&b);
		for (size_t at = 0; at < b.len; at++) {
			char was = b.data[at];

			for (unsigned value = 0; value < 256; value++) {
				struct kc_frame frame;
				int r;

				b.data[at] = (char)value;
				r = read_copy(b.data, b.len, &frame);
				assert_true(r == 1 || r == 0 || r == -EBADMSG);
				if (r == 1)
					taken++;
				else
					refused++;
			}
			b.data[at] = was;
		}
	}
	/* Another letter in a text is a text; another length is none. */
	assert_true(taken > 0 && refused > taken / 8);
}

static void test_header_bounds(void **state)
{
	static const struct {
		uint32_t size, type;
		int r;
	} table[] = {
		{ 12, KC_FRAME_READY, 1 },
		{ 12, 0, -EBADMSG },
		{ 12, KC_FRAME_MAX - 1, 1 },
		{ 12, KC_FRAME_MAX, -EBADMSG },
		{ 12, UINT32_MAX, -EBADMSG },
		{ 0, KC_FRAME_READY, -EBADMSG },
		{ 11, KC_FRAME_READY, -EBADMSG },
		{ 13, KC_FRAME_READY, 0 },
		{ KC_FRAME_SIZE_MAX, KC_FRAME_READY, 0 },
		{ KC_FRAME_SIZE_MAX + 1, KC_FRAME_READY, -EBADMSG },
		{ UINT32_MAX, KC_FRAME_READY, -EBADMSG },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(table); i++) {
		const uint32_t header[] = { table[i].size, table[i].type, 0 };
		struct kc_frame frame;
		size_t used;

		assert_int_equal(kc_frame_next((const char *)header, sizeof(header), &frame, &used),
				 table[i].r);
	}
}

/* The largest frame there may be, and one more byte. */
static void test_largest(void **state)
{
	for (size_t more = 0; more < 2; more++) {
		kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
		kc_cleanup(kc_freep) char *bytes = calloc(1, KC_FRAME_SIZE_MAX);
		size_t size = KC_FRAME_SIZE_MAX - 12 - 4 - 1 + more, begin, used;
		struct kc_frame frame;
		struct kc_reader r;
		struct kc_bytes got;

		assert_non_null(bytes);
		begin = kc_frame_begin(&b, KC_FRAME_ANSWER, 0);
		kc_put_bytes(&b, bytes, size);
		kc_frame_end(&b, begin);
		if (more) {
			assert_int_equal(kc_frame_next(b.data, b.len, &frame, &used), -EBADMSG);
			continue;
		}
		assert_int_equal(kc_frame_next(b.data, b.len, &frame, &used), 1);
		kc_reader_init(&r, &frame);
		got.data = kc_reader_sized(&r, &got.size);
		assert_int_equal(got.size, size);
		assert_int_equal(kc_reader_end(&r), 0);
	}
}

/* Numbers of things that lie about how many follow. */
static void test_counts_that_lie(void **state)
{
	static const uint32_t types[] = { KC_FRAME_FACTS, KC_FRAME_ASK, KC_FRAME_ANSWER };
	static const uint32_t counts[] = { 1, 2, 1000, 1u << 28, UINT32_MAX };

	for (size_t i = 0; i < KC_ARRAY_SIZE(types); i++) {
		for (size_t k = 0; k < KC_ARRAY_SIZE(counts); k++) {
			kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
			struct kc_frame frame;
			size_t begin = kc_frame_begin(&b, types[i], 0);

			if (types[i] == KC_FRAME_ASK) {
				kc_put_u32(&b, KC_ASK_UNIT);
				kc_put_u64(&b, 1);
				kc_put_u64(&b, 0);
			} else if (types[i] == KC_FRAME_ANSWER) {
				kc_put_u64(&b, 0);
				kc_put_text(&b, NULL);
				kc_put_u64(&b, 0);
				kc_put_u64(&b, 0);
			}
			kc_put_u32(&b, counts[k]);
			kc_frame_end(&b, begin);
			assert_int_equal(read_copy(b.data, b.len, &frame), -EBADMSG);
		}
	}
}

/* A text with a NUL inside, one without its NUL, and a question without time. */
static void test_texts_that_lie(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_question none = question;
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_frame frame;
	struct kc_reader r;
	size_t begin;

	begin = kc_frame_begin(&b, KC_FRAME_LOG, 0);
	kc_put_bytes(&b, "a\0b", 3);
	kc_frame_end(&b, begin);
	frame = only_frame(&b);
	kc_reader_init(&r, &frame);
	(void)kc_reader_text(&r);
	assert_int_equal(kc_reader_end(&r), -EBADMSG);
	kc_buf_reset(&b);
	begin = kc_frame_begin(&b, KC_FRAME_LOG, 0);
	kc_put_u32(&b, 2);
	kc_buf_add(&b, "abc", 3);
	kc_frame_end(&b, begin);
	frame = only_frame(&b);
	kc_reader_init(&r, &frame);
	(void)kc_reader_text(&r);
	assert_int_equal(kc_reader_end(&r), -EBADMSG);
	/* What has failed stays so. */
	(void)kc_reader_u32(&r);
	assert_int_equal(kc_reader_end(&r), -EBADMSG);
	kc_buf_reset(&b);
	none.timeout_usec = 0;
	kc_frame_question(&b, 0, &none);
	frame = only_frame(&b);
	assert_int_equal(kc_read_question(&frame, &arena, &none), -EBADMSG);
}

/* Several in one buffer, and no memory for one. */
static void test_several(void **state)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_buf failed = { .failed = true };
	size_t at = 0, used;
	struct kc_frame frame;

	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++)
		kinds[i].put(&b);
	for (size_t i = 0; i < KC_ARRAY_SIZE(kinds); i++) {
		assert_int_equal(kc_frame_next(b.data + at, b.len - at, &frame, &used), 1);
		assert_int_equal(frame.type, kinds[i].type);
		assert_int_equal(frame.rule, kinds[i].rule);
		at += used;
	}
	assert_int_equal(at, b.len);
	put_finding(&failed);
	assert_int_equal(kc_buf_error(&failed), -ENOMEM);
	assert_null(failed.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_question_and_answer),
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_header_bounds),
		cmocka_unit_test(test_largest),
		cmocka_unit_test(test_counts_that_lie),
		cmocka_unit_test(test_texts_that_lie),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
