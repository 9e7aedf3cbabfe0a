/* SPDX-License-Identifier: Apache-2.0 */
#include "fix-message.h"
#include "base/fdio.h"
#include "base/fields.h"

enum {
	MESSAGE_MAX = 256 * 1024 * 1024,
	MAGIC = 0x6b386678, /* "k8fx" */
};

/* ---- whole messages ---- */

int kc_fix_send(int fd, uint32_t type, const struct kc_buf *data)
{
	kc_cleanup(kc_buf_done) struct kc_buf head = { 0 };
	int r;

	if (kc_buf_error(data) < 0)
		return -ENOMEM;
	kc_put_u32(&head, MAGIC);
	kc_put_u32(&head, type);
	kc_put_u32(&head, (uint32_t)data->len);
	if (data->len > MESSAGE_MAX || kc_buf_error(&head) < 0)
		return -EMSGSIZE;
	r = kc_write_all(fd, head.data, head.len);
	return r < 0 || data->len == 0 ? r : kc_write_all(fd, data->data, data->len);
}

static int read_exactly(int fd, size_t n, struct kc_buf *b)
{
	while (n > 0) {
		char *room = kc_buf_room(b, KC_MIN(n, (size_t)(1 << 20)));
		ssize_t got;

		if (!room)
			return -ENOMEM;
		got = read(fd, room, KC_MIN(n, (size_t)(1 << 20)));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EPIPE;
		kc_buf_grow(b, (size_t)got);
		n -= (size_t)got;
	}
	kc_buf_add(b, NULL, 0);
	return kc_buf_error(b);
}

int kc_fix_receive(int fd, struct kc_fix_message *ret_message)
{
	kc_cleanup(kc_buf_done) struct kc_buf head = { 0 };
	struct kc_fix_message message = { 0 };
	struct kc_reader r;
	uint32_t magic, size;
	int code = read_exactly(fd, 12, &head);

	if (code < 0)
		return code;
	kc_reader_start(&r, head.data, head.len);
	magic = kc_reader_u32(&r);
	message.type = kc_reader_u32(&r);
	size = kc_reader_u32(&r);
	if (magic != MAGIC || size > MESSAGE_MAX)
		return -EBADMSG;
	code = read_exactly(fd, size, &message.data);
	if (code < 0) {
		kc_buf_done(&message.data);
		return code;
	}
	*ret_message = message;
	return 0;
}

void kc_fix_message_done(struct kc_fix_message *message)
{
	kc_buf_done(&message->data);
}

/* ---- reading, into an arena ---- */

struct taking {
	struct kc_reader r;
	struct kc_arena *arena;
};

static void start(struct taking *t, const struct kc_buf *data, struct kc_arena *arena)
{
	*t = (struct taking){ .arena = arena };
	kc_reader_start(&t->r, data->data ? data->data : "", data->len);
}

static const char *take_text(struct taking *t)
{
	const char *text = kc_reader_text(&t->r), *copy;

	if (!text)
		return NULL;
	copy = kc_arena_strdup(t->arena, text);
	t->r.failed = t->r.failed || !copy;
	return copy;
}

/* A text that has to be there. */
static const char *take_name(struct taking *t)
{
	const char *text = take_text(t);

	t->r.failed = t->r.failed || !text;
	return text ? text : "";
}

/* Bytes, or NULL where there were none. */
static const char *take_bytes(struct taking *t, uint64_t *ret_size)
{
	bool there = kc_reader_u32(&t->r) != 0;
	size_t size;
	const char *data = kc_reader_sized(&t->r, &size), *copy;

	*ret_size = 0;
	if (!there || t->r.failed)
		return NULL;
	copy = kc_arena_memdup(t->arena, data, size);
	t->r.failed = !copy;
	*ret_size = size;
	return copy;
}

static void *take_array(struct taking *t, size_t least, size_t size, uint32_t *ret_n)
{
	uint32_t n = kc_reader_count(&t->r, least);
	void *items = kc_arena_zalloc(t->arena, (size_t)n + 1, size);

	t->r.failed = t->r.failed || !items;
	*ret_n = t->r.failed ? 0 : n;
	return items;
}

static void put_bytes(struct kc_buf *b, const void *data, size_t size)
{
	kc_put_u32(b, data != NULL);
	kc_put_bytes(b, data ? data : "", data ? size : 0);
}

static int end(const struct taking *t)
{
	return kc_reader_end(&t->r);
}

static void put_strings(struct kc_buf *b, const struct kc_strings *strings)
{
	kc_put_u32(b, (uint32_t)strings->n);
	for (size_t i = 0; i < strings->n; i++)
		kc_put_text(b, strings->item[i]);
}

static struct kc_strings take_strings(struct taking *t)
{
	uint32_t n;
	const char **items = take_array(t, 4, sizeof(*items), &n);

	for (uint32_t i = 0; i < n; i++)
		items[i] = take_name(t);
	return (struct kc_strings){ .n = n, .item = items };
}

/* ---- request ---- */

static void put_step(struct kc_buf *b, const struct kc_step *s)
{
	kc_put_u32(b, s->kind);
	kc_put_u32(b, s->flags);
	kc_put_u32(b, s->horizon);
	kc_put_u32(b, s->mode);
	kc_put_u32(b, s->uid);
	kc_put_u32(b, s->gid);
	kc_put_text(b, s->target);
	put_bytes(b, s->content, s->content_size);
	put_bytes(b, s->before, s->before_size);
	kc_put_text(b, s->why);
}

static void take_step(struct taking *t, struct kc_step *s)
{
	*s = (struct kc_step){ .size = sizeof(*s) };
	s->kind = kc_reader_u32(&t->r);
	s->flags = kc_reader_u32(&t->r);
	s->horizon = kc_reader_u32(&t->r);
	s->mode = kc_reader_u32(&t->r);
	s->uid = kc_reader_u32(&t->r);
	s->gid = kc_reader_u32(&t->r);
	s->target = take_text(t);
	s->content = take_bytes(t, &s->content_size);
	s->before = take_bytes(t, &s->before_size);
	s->why = take_text(t);
	if (!kc_step_kind_name(s->kind) || (s->horizon != KC_NOW && s->horizon != KC_BOOT))
		t->r.failed = true;
}

void kc_put_request(struct kc_buf *b, const struct kc_fix_request *request)
{
	kc_put_u32(b, request->n);
	for (uint32_t i = 0; i < request->n; i++) {
		const struct kc_fix_rule *rule = request->rules + i;

		kc_put_text(b, rule->id);
		kc_put_text(b, rule->fault);
		kc_put_u32(b, (uint32_t)rule->n);
		for (size_t k = 0; k < rule->n; k++)
			put_step(b, rule->steps + k);
	}
}

int kc_get_request(const struct kc_buf *data, struct kc_arena *arena,
		   struct kc_fix_request *ret_request)
{
	struct kc_fix_rule *rules;
	struct taking t;
	uint32_t n;

	start(&t, data, arena);
	rules = take_array(&t, 12, sizeof(*rules), &n);
	for (uint32_t i = 0; i < n && !t.r.failed; i++) {
		struct kc_step *steps;
		uint32_t n_steps;

		rules[i].id = take_name(&t);
		rules[i].fault = take_text(&t);
		steps = take_array(&t, 32, sizeof(*steps), &n_steps);
		for (uint32_t k = 0; k < n_steps; k++)
			take_step(&t, steps + k);
		rules[i].steps = steps;
		rules[i].n = n_steps;
	}
	if (end(&t) < 0)
		return -EBADMSG;
	*ret_request = (struct kc_fix_request){ .rules = rules, .n = n };
	return 0;
}

/* ---- plan ---- */

static void put_node(struct kc_buf *b, const struct kc_plan_node *node)
{
	kc_put_u32(b, node->type);
	kc_put_u32(b, node->mode);
	kc_put_u32(b, node->uid);
	kc_put_u32(b, node->gid);
	kc_put_u64(b, node->size);
	kc_put_text(b, node->sha256);
	put_bytes(b, node->text, node->size);
}

static void take_node(struct taking *t, struct kc_plan_node *node)
{
	uint64_t size;

	node->type = kc_reader_u32(&t->r);
	node->mode = kc_reader_u32(&t->r);
	node->uid = kc_reader_u32(&t->r);
	node->gid = kc_reader_u32(&t->r);
	node->size = kc_reader_u64(&t->r);
	node->sha256 = take_text(t);
	node->text = take_bytes(t, &size);
	if (node->text && size != node->size)
		t->r.failed = true;
}

static void put_plan_step(struct kc_buf *b, const struct kc_plan_step *s)
{
	kc_put_u32(b, s->kind);
	kc_put_u32(b, s->flags);
	kc_put_u32(b, s->horizon);
	kc_put_u32(b, s->state);
	kc_put_text(b, s->target);
	kc_put_text(b, s->content);
	kc_put_text(b, s->why);
	kc_put_text(b, s->text);
	kc_put_text(b, s->inverse);
	kc_put_text(b, s->value_before);
	kc_put_text(b, s->value_after);
	kc_put_u32(b, s->n_changes);
	for (uint32_t i = 0; i < s->n_changes; i++) {
		kc_put_text(b, s->changes[i].path);
		kc_put_u32(b, s->changes[i].secret);
		put_node(b, &s->changes[i].before);
		put_node(b, &s->changes[i].after);
	}
}

static void take_plan_step(struct taking *t, struct kc_plan_step *s)
{
	struct kc_plan_change *changes;

	s->kind = kc_reader_u32(&t->r);
	s->flags = kc_reader_u32(&t->r);
	s->horizon = kc_reader_u32(&t->r);
	s->state = kc_reader_u32(&t->r);
	s->target = take_text(t);
	s->content = take_text(t);
	s->why = take_text(t);
	s->text = take_text(t);
	s->inverse = take_text(t);
	s->value_before = take_text(t);
	s->value_after = take_text(t);
	changes = take_array(t, 56, sizeof(*changes), &s->n_changes);
	for (uint32_t i = 0; i < s->n_changes && !t->r.failed; i++) {
		changes[i].path = take_name(t);
		changes[i].secret = kc_reader_u32(&t->r) != 0;
		take_node(t, &changes[i].before);
		take_node(t, &changes[i].after);
	}
	s->changes = changes;
	if (!kc_step_kind_name(s->kind) || !kc_step_state_name(s->state))
		t->r.failed = true;
}

void kc_put_plan(struct kc_buf *b, const struct kc_plan *plan)
{
	kc_put_text(b, plan->profile);
	kc_put_text(b, plan->root);
	kc_put_text(b, plan->hash);
	kc_put_text(b, plan->transaction);
	kc_put_text(b, plan->refusal);
	kc_put_u32(b, plan->n_rules);
	for (uint32_t i = 0; i < plan->n_rules; i++) {
		const struct kc_plan_rule *rule = plan->rules + i;

		kc_put_text(b, rule->rule->id);
		kc_put_text(b, rule->text);
		kc_put_u32(b, rule->n_steps);
		for (uint32_t k = 0; k < rule->n_steps; k++)
			put_plan_step(b, rule->steps + k);
	}
}

static const struct kc_rule *find_rule(const struct kc_profile *profile, const char *id)
{
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		if (kc_streq(profile->rules[i].id, id))
			return profile->rules + i;
	}
	return NULL;
}

int kc_get_plan(const struct kc_buf *data, const struct kc_profile *profile, struct kc_arena *arena,
		struct kc_plan *ret_plan)
{
	struct kc_plan plan = { 0 };
	struct kc_plan_rule *rules;
	struct taking t;

	start(&t, data, arena);
	plan.profile = take_text(&t);
	plan.root = take_name(&t);
	plan.hash = take_name(&t);
	plan.transaction = take_text(&t);
	plan.refusal = take_text(&t);
	rules = take_array(&t, 12, sizeof(*rules), &plan.n_rules);
	for (uint32_t i = 0; i < plan.n_rules && !t.r.failed; i++) {
		struct kc_plan_step *steps;

		rules[i].rule = find_rule(profile, take_name(&t));
		rules[i].text = take_text(&t);
		steps = take_array(&t, 48, sizeof(*steps), &rules[i].n_steps);
		for (uint32_t k = 0; k < rules[i].n_steps && !t.r.failed; k++)
			take_plan_step(&t, steps + k);
		rules[i].steps = steps;
		t.r.failed = t.r.failed || !rules[i].rule;
	}
	plan.rules = rules;
	if (end(&t) < 0)
		return -EBADMSG;
	*ret_plan = plan;
	return 0;
}

/* ---- consent, outcome ---- */

void kc_put_consent(struct kc_buf *b, const struct kc_fix_consent *consent)
{
	kc_put_text(b, consent->hash);
	kc_put_u32(b, consent->weaken);
	put_strings(b, &consent->rules);
}

int kc_get_consent(const struct kc_buf *data, struct kc_arena *arena,
		   struct kc_fix_consent *ret_consent)
{
	struct kc_fix_consent consent;
	struct taking t;

	start(&t, data, arena);
	consent.hash = take_name(&t);
	consent.weaken = kc_reader_u32(&t.r) != 0;
	consent.rules = take_strings(&t);
	if (end(&t) < 0)
		return -EBADMSG;
	*ret_consent = consent;
	return 0;
}

void kc_put_outcome(struct kc_buf *b, const struct kc_fix_outcome *outcome)
{
	kc_put_u32(b, outcome->result);
	kc_put_text(b, outcome->text);
	kc_put_text(b, outcome->transaction);
	put_strings(b, &outcome->notes);
	kc_put_u32(b, outcome->changed);
}

int kc_get_outcome(const struct kc_buf *data, struct kc_arena *arena,
		   struct kc_fix_outcome *ret_outcome)
{
	struct kc_fix_outcome outcome;
	struct taking t;

	start(&t, data, arena);
	outcome.result = kc_reader_u32(&t.r);
	outcome.text = take_text(&t);
	outcome.transaction = take_text(&t);
	outcome.notes = take_strings(&t);
	outcome.changed = kc_reader_u32(&t.r);
	if (end(&t) < 0 || outcome.result < KC_FIX_DONE || outcome.result > KC_FIX_STUCK)
		return -EBADMSG;
	*ret_outcome = outcome;
	return 0;
}

/* ---- rollback, list ---- */

void kc_put_rollback(struct kc_buf *b, const struct kc_fix_rollback *rollback)
{
	kc_put_text(b, rollback->transaction);
	kc_put_text(b, rollback->time);
	kc_put_text(b, rollback->profile);
	kc_put_text(b, rollback->state);
	kc_put_text(b, rollback->hash);
	kc_put_text(b, rollback->refusal);
	kc_put_u32(b, rollback->n);
	for (uint32_t i = 0; i < rollback->n; i++) {
		kc_put_text(b, rollback->items[i].what);
		kc_put_text(b, rollback->items[i].target);
		kc_put_u32(b, rollback->items[i].state);
		kc_put_text(b, rollback->items[i].text);
	}
}

int kc_get_rollback(const struct kc_buf *data, struct kc_arena *arena,
		    struct kc_fix_rollback *ret_rollback)
{
	struct kc_fix_rollback rollback;
	struct kc_fix_undo *items;
	struct taking t;

	start(&t, data, arena);
	rollback.transaction = take_text(&t);
	rollback.time = take_text(&t);
	rollback.profile = take_text(&t);
	rollback.state = take_text(&t);
	rollback.hash = take_text(&t);
	rollback.refusal = take_text(&t);
	items = take_array(&t, 16, sizeof(*items), &rollback.n);
	for (uint32_t i = 0; i < rollback.n; i++) {
		items[i].what = take_name(&t);
		items[i].target = take_name(&t);
		items[i].state = kc_reader_u32(&t.r);
		items[i].text = take_text(&t);
	}
	rollback.items = items;
	if (end(&t) < 0)
		return -EBADMSG;
	*ret_rollback = rollback;
	return 0;
}

void kc_put_list(struct kc_buf *b, const struct kc_fix_list *list)
{
	kc_put_u32(b, list->n);
	for (uint32_t i = 0; i < list->n; i++) {
		kc_put_text(b, list->items[i].id);
		kc_put_text(b, list->items[i].time);
		kc_put_text(b, list->items[i].profile);
		kc_put_text(b, list->items[i].state);
		kc_put_u32(b, list->items[i].changes);
	}
}

int kc_get_list(const struct kc_buf *data, struct kc_arena *arena, struct kc_fix_list *ret_list)
{
	struct kc_fix_listed *items;
	struct taking t;
	uint32_t n;

	start(&t, data, arena);
	items = take_array(&t, 20, sizeof(*items), &n);
	for (uint32_t i = 0; i < n; i++) {
		items[i].id = take_name(&t);
		items[i].time = take_name(&t);
		items[i].profile = take_name(&t);
		items[i].state = take_name(&t);
		items[i].changes = kc_reader_u32(&t.r);
	}
	if (end(&t) < 0)
		return -EBADMSG;
	*ret_list = (struct kc_fix_list){ .items = items, .n = n };
	return 0;
}
