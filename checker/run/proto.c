/* SPDX-License-Identifier: Apache-2.0 */
#include "proto.h"

enum {
	HEADER_SIZE = 12
};

size_t kc_frame_begin(struct kc_buf *b, uint32_t type, uint32_t rule)
{
	size_t begin = b->len;

	kc_put_u32(b, 0);
	kc_put_u32(b, type);
	kc_put_u32(b, rule);
	return begin;
}

void kc_frame_end(struct kc_buf *b, size_t begin)
{
	uint32_t size = (uint32_t)(b->len - begin);

	if (!b->failed)
		memcpy(b->data + begin, &size, sizeof(size));
}

void kc_frame_finding(struct kc_buf *b, uint32_t rule, const struct kc_finding *finding)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_FINDING, rule);

	kc_put_u32(b, finding->verdict);
	kc_put_u32(b, finding->horizon);
	kc_put_text(b, finding->subject);
	kc_put_text(b, finding->expected);
	kc_put_text(b, finding->found);
	kc_put_text(b, finding->source);
	kc_put_text(b, finding->message);
	kc_put_text(b, finding->reason);
	kc_frame_end(b, begin);
}

void kc_frame_step(struct kc_buf *b, uint32_t rule, const struct kc_step *step)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_STEP, rule);

	kc_put_u32(b, step->kind);
	kc_put_u32(b, step->flags);
	kc_put_u32(b, step->horizon);
	kc_put_u32(b, step->mode);
	kc_put_u32(b, step->uid);
	kc_put_u32(b, step->gid);
	kc_put_text(b, step->target);
	kc_put_u32(b, step->content != NULL);
	kc_put_bytes(b, step->content, step->content ? step->content_size : 0);
	kc_put_u32(b, step->before != NULL);
	kc_put_bytes(b, step->before, step->before ? step->before_size : 0);
	kc_put_text(b, step->why);
	kc_frame_end(b, begin);
}

static void add_fact(struct kc_buf *b, const char *name, uint32_t state, const char *value,
		     const char *source)
{
	kc_put_u32(b, state);
	kc_put_text(b, name);
	kc_put_text(b, value);
	kc_put_text(b, source);
}

void kc_frame_fact(struct kc_buf *b, const struct kc_fact *fact)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_FACT, 0);

	add_fact(b, fact->name, fact->state, fact->value, fact->source);
	kc_frame_end(b, begin);
}

void kc_frame_facts(struct kc_buf *b, const struct kc_fact_value *facts, uint32_t n)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_FACTS, 0);

	kc_put_u32(b, n);
	for (uint32_t i = 0; i < n; i++)
		add_fact(b, facts[i].name, facts[i].state, facts[i].value, facts[i].source);
	kc_frame_end(b, begin);
}

void kc_frame_question(struct kc_buf *b, uint32_t rule, const struct kc_question *question)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_ASK, rule);

	kc_put_u32(b, question->kind);
	kc_put_u64(b, question->timeout_usec);
	kc_put_u64(b, (uint64_t)question->number);
	kc_put_u32(b, (uint32_t)question->strings.n);
	for (size_t i = 0; i < question->strings.n; i++)
		kc_put_text(b, question->strings.item[i]);
	kc_frame_end(b, begin);
}

void kc_frame_answer(struct kc_buf *b, uint32_t rule, const struct kc_answer *answer)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_ANSWER, rule);

	kc_put_u64(b, (uint64_t)(int64_t)answer->code);
	kc_put_text(b, answer->why);
	for (size_t i = 0; i < KC_ARRAY_SIZE(answer->numbers); i++)
		kc_put_u64(b, (uint64_t)answer->numbers[i]);
	kc_put_u32(b, (uint32_t)answer->n_items);
	for (size_t i = 0; i < answer->n_items; i++)
		kc_put_bytes(b, answer->items[i].data, answer->items[i].size);
	kc_frame_end(b, begin);
}

void kc_frame_done(struct kc_buf *b, uint32_t rule, int code, uint64_t usec, const char *why)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_DONE, rule);

	kc_put_u64(b, (uint64_t)(int64_t)code);
	kc_put_u64(b, usec);
	kc_put_text(b, why);
	kc_frame_end(b, begin);
}

int kc_frame_next(const char *data, size_t size, struct kc_frame *ret_frame, size_t *ret_size)
{
	uint32_t header[3];

	if (size < HEADER_SIZE)
		return 0;
	memcpy(header, data, sizeof(header));
	if (header[0] < HEADER_SIZE || header[0] > KC_FRAME_SIZE_MAX || header[1] == 0 ||
	    header[1] >= KC_FRAME_MAX)
		return -EBADMSG;
	if (size < header[0])
		return 0;
	*ret_frame = (struct kc_frame){
		.type = header[1],
		.rule = header[2],
		.data = data + HEADER_SIZE,
		.size = header[0] - HEADER_SIZE,
	};
	*ret_size = header[0];
	return 1;
}

void kc_reader_init(struct kc_reader *r, const struct kc_frame *frame)
{
	kc_reader_start(r, frame->data, frame->size);
}

static struct kc_bytes read_bytes(struct kc_reader *r)
{
	struct kc_bytes bytes = { 0 };

	bytes.data = kc_reader_sized(r, &bytes.size);
	return bytes;
}

int kc_read_finding(const struct kc_frame *frame, struct kc_finding *ret_finding)
{
	struct kc_finding f = { .size = sizeof(f) };
	struct kc_reader r;

	kc_reader_init(&r, frame);
	f.verdict = kc_reader_u32(&r);
	f.horizon = kc_reader_u32(&r);
	f.subject = kc_reader_text(&r);
	f.expected = kc_reader_text(&r);
	f.found = kc_reader_text(&r);
	f.source = kc_reader_text(&r);
	f.message = kc_reader_text(&r);
	f.reason = kc_reader_text(&r);
	if (kc_reader_end(&r) < 0 || f.verdict < KC_PASS || f.verdict > KC_FAIL ||
	    (f.horizon != KC_NOW && f.horizon != KC_BOOT))
		return -EBADMSG;
	*ret_finding = f;
	return 0;
}

int kc_read_step(const struct kc_frame *frame, struct kc_step *ret_step)
{
	struct kc_step s = { .size = sizeof(s) };
	struct kc_bytes content, before;
	bool has_content, has_before;
	struct kc_reader r;

	kc_reader_init(&r, frame);
	s.kind = kc_reader_u32(&r);
	s.flags = kc_reader_u32(&r);
	s.horizon = kc_reader_u32(&r);
	s.mode = kc_reader_u32(&r);
	s.uid = kc_reader_u32(&r);
	s.gid = kc_reader_u32(&r);
	s.target = kc_reader_text(&r);
	has_content = kc_reader_u32(&r) != 0;
	content = read_bytes(&r);
	has_before = kc_reader_u32(&r) != 0;
	before = read_bytes(&r);
	s.why = kc_reader_text(&r);
	if (kc_reader_end(&r) < 0 || s.kind < KC_STEP_MAKE_DIR || s.kind > KC_STEP_MANUAL ||
	    (s.horizon != KC_NOW && s.horizon != KC_BOOT))
		return -EBADMSG;
	if (has_content) {
		s.content = content.data;
		s.content_size = content.size;
	}
	if (has_before) {
		s.before = before.data;
		s.before_size = before.size;
	}
	*ret_step = s;
	return 0;
}

static bool read_fact(struct kc_reader *r, struct kc_fact *f)
{
	*f = (struct kc_fact){ .size = sizeof(*f) };
	f->state = kc_reader_u32(r);
	f->name = kc_reader_text(r);
	f->value = kc_reader_text(r);
	f->source = kc_reader_text(r);
	return !r->failed && f->name && f->state >= KC_FACT_KNOWN && f->state <= KC_FACT_UNKNOWN &&
	       (f->state == KC_FACT_KNOWN) == (f->value != NULL);
}

int kc_read_fact(const struct kc_frame *frame, struct kc_fact *ret_fact)
{
	struct kc_reader r;
	struct kc_fact f;

	kc_reader_init(&r, frame);
	if (!read_fact(&r, &f) || kc_reader_end(&r) < 0)
		return -EBADMSG;
	*ret_fact = f;
	return 0;
}

int kc_read_facts(const struct kc_frame *frame, struct kc_arena *arena,
		  struct kc_fact_value **ret_facts, uint32_t *ret_n)
{
	struct kc_fact_value *facts;
	struct kc_reader r;
	uint32_t n;

	kc_reader_init(&r, frame);
	n = kc_reader_u32(&r);
	/* A fact takes at least 16 bytes, so a number that lies does not reach the allocation. */
	if (r.failed || n > frame->size / 16)
		return -EBADMSG;
	facts = kc_arena_zalloc(arena, (size_t)n + 1, sizeof(*facts));
	if (!facts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		struct kc_fact f;

		if (!read_fact(&r, &f))
			return -EBADMSG;
		facts[i] = (struct kc_fact_value){
			.name = f.name, .state = f.state, .value = f.value, .source = f.source
		};
	}
	if (kc_reader_end(&r) < 0)
		return -EBADMSG;
	*ret_facts = facts;
	*ret_n = n;
	return 0;
}

int kc_read_question(const struct kc_frame *frame, struct kc_arena *arena,
		     struct kc_question *ret_question)
{
	struct kc_question q = { 0 };
	const char **strings;
	struct kc_reader r;
	uint32_t n;

	kc_reader_init(&r, frame);
	q.kind = kc_reader_u32(&r);
	q.timeout_usec = kc_reader_u64(&r);
	q.number = (int64_t)kc_reader_u64(&r);
	n = kc_reader_u32(&r);
	if (r.failed || q.kind == 0 || q.kind >= KC_ASK_MAX || q.timeout_usec == 0 ||
	    n > frame->size / 4)
		return -EBADMSG;
	strings = kc_arena_zalloc(arena, (size_t)n + 1, sizeof(*strings));
	if (!strings)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		strings[i] = kc_reader_text(&r);
		if (!strings[i])
			return -EBADMSG;
	}
	if (kc_reader_end(&r) < 0)
		return -EBADMSG;
	q.strings = (struct kc_strings){ .n = n, .item = strings };
	*ret_question = q;
	return 0;
}

int kc_read_answer(const struct kc_frame *frame, struct kc_arena *arena,
		   struct kc_answer *ret_answer)
{
	struct kc_answer a = { 0 };
	struct kc_bytes *items;
	struct kc_reader r;
	int64_t code;
	uint32_t n;

	kc_reader_init(&r, frame);
	code = (int64_t)kc_reader_u64(&r);
	a.why = kc_reader_text(&r);
	for (size_t i = 0; i < KC_ARRAY_SIZE(a.numbers); i++)
		a.numbers[i] = (int64_t)kc_reader_u64(&r);
	n = kc_reader_u32(&r);
	if (r.failed || code > 0 || code < -4095 || n > frame->size / 4)
		return -EBADMSG;
	items = kc_arena_zalloc(arena, (size_t)n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		items[i] = read_bytes(&r);
	if (kc_reader_end(&r) < 0)
		return -EBADMSG;
	a.code = (int)code;
	a.items = items;
	a.n_items = n;
	*ret_answer = a;
	return 0;
}

int kc_read_done(const struct kc_frame *frame, int *ret_code, uint64_t *ret_usec,
		 const char **ret_why)
{
	struct kc_reader r;
	const char *why;
	uint64_t usec;
	int64_t code;

	kc_reader_init(&r, frame);
	code = (int64_t)kc_reader_u64(&r);
	usec = kc_reader_u64(&r);
	why = kc_reader_text(&r);
	if (kc_reader_end(&r) < 0 || code > 0 || code < -4095)
		return -EBADMSG;
	*ret_code = (int)code;
	*ret_usec = usec;
	*ret_why = why;
	return 0;
}
