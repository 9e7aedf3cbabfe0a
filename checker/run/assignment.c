/* SPDX-License-Identifier: Apache-2.0 */
#include "assignment.h"

enum {
	/* Of its length; so that a number that lies does not reach an allocation. */
	TEXT_SIZE_MIN = 4,
	NO_CHECK = UINT32_MAX,
};

static void add_manifest_check(struct kc_buf *b, const struct kc_manifest_check *check)
{
	kc_frame_text(b, check->id);
	kc_frame_u32(b, check->flags);
	kc_frame_u32(b, check->n_params);
	for (uint32_t i = 0; i < check->n_params; i++) {
		kc_frame_text(b, check->params[i].name);
		kc_frame_u32(b, check->params[i].type);
		kc_frame_u32(b, check->params[i].required);
	}
	kc_frame_u32(b, check->n_reasons);
	for (uint32_t i = 0; i < check->n_reasons; i++)
		kc_frame_text(b, check->reasons[i].id);
}

void kc_frame_manifest(struct kc_buf *b, const struct kc_manifest *manifest)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_MANIFEST, 0);

	kc_frame_text(b, manifest->name);
	kc_frame_text(b, manifest->version);
	kc_frame_text(b, manifest->file);
	kc_frame_u32(b, manifest->n_checks);
	for (uint32_t i = 0; i < manifest->n_checks; i++)
		add_manifest_check(b, manifest->checks + i);
	kc_frame_u32(b, manifest->n_facts);
	for (uint32_t i = 0; i < manifest->n_facts; i++)
		kc_frame_text(b, manifest->facts[i].name);
	kc_frame_end(b, begin);
}

static void add_value(struct kc_buf *b, const struct kc_value *value)
{
	kc_frame_u32(b, value->type);
	switch (value->type) {
	case 0:
		break;
	case KC_TYPE_STRING:
	case KC_TYPE_CHOICE:
		kc_frame_text(b, value->string);
		break;
	case KC_TYPE_LIST:
		kc_frame_u32(b, value->n);
		for (uint32_t i = 0; i < value->n; i++)
			kc_frame_text(b, value->list[i]);
		break;
	case KC_TYPE_MAP:
		kc_frame_u32(b, value->n);
		for (uint32_t i = 0; i < value->n; i++) {
			kc_frame_text(b, value->map[i].key);
			kc_frame_text(b, value->map[i].value);
		}
		break;
	default:
		kc_frame_u64(b, (uint64_t)value->number);
	}
}

void kc_frame_rule(struct kc_buf *b, const struct kc_rule *rule)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_RULE, rule->index);

	kc_frame_text(b, rule->id);
	kc_frame_u32(b, (uint32_t)(rule->check - rule->plugin->checks));
	for (uint32_t i = 0; i < rule->check->n_params; i++)
		add_value(b, rule->params + i);
	if (!b->failed && b->len - begin > KC_FRAME_SIZE_MAX) {
		b->len = begin;
		(void)kc_frame_begin(b, KC_FRAME_RULE, rule->index);
		kc_frame_text(b, rule->id);
		kc_frame_u32(b, NO_CHECK);
	}
	kc_frame_end(b, begin);
}

/* Room for `n` things that take at least TEXT_SIZE_MIN bytes each in the frame. */
static void *room(struct kc_reader *r, struct kc_arena *arena, uint32_t n, size_t size)
{
	void *p;

	if (r->failed || n > (size_t)(r->end - r->p) / TEXT_SIZE_MIN) {
		r->failed = true;
		return NULL;
	}
	p = kc_arena_zalloc(arena, (size_t)n + 1, size);
	if (!p)
		r->failed = true;
	return p;
}

static const char *name_of(struct kc_reader *r)
{
	const char *text = kc_reader_text(r);

	if (!text)
		r->failed = true;
	return text;
}

static void read_check(struct kc_reader *r, struct kc_arena *arena, struct kc_manifest_check *check)
{
	struct kc_manifest_param *params;
	struct kc_manifest_text *reasons;

	check->id = name_of(r);
	check->flags = kc_reader_u32(r);
	check->n_params = kc_reader_u32(r);
	params = room(r, arena, check->n_params, sizeof(*params));
	for (uint32_t i = 0; params && i < check->n_params && !r->failed; i++) {
		params[i].name = name_of(r);
		params[i].type = kc_reader_u32(r);
		params[i].required = kc_reader_u32(r) != 0;
	}
	check->params = params;
	check->n_reasons = kc_reader_u32(r);
	reasons = room(r, arena, check->n_reasons, sizeof(*reasons));
	for (uint32_t i = 0; reasons && i < check->n_reasons && !r->failed; i++)
		reasons[i] = (struct kc_manifest_text){ .id = name_of(r), .text = "" };
	check->reasons = reasons;
}

/* The arena's copy of a frame, whose texts can be kept. */
static int keep(const struct kc_frame *frame, struct kc_arena *arena, struct kc_reader *ret_reader)
{
	struct kc_frame copy = *frame;

	copy.data = kc_arena_memdup(arena, frame->data, frame->size);
	if (!copy.data)
		return -ENOMEM;
	kc_reader_init(ret_reader, &copy);
	return 0;
}

int kc_read_manifest(const struct kc_frame *frame, struct kc_arena *arena,
		     struct kc_assignment *assignment)
{
	struct kc_manifest m = { 0 };
	struct kc_manifest_check *checks;
	struct kc_manifest_fact *facts;
	struct kc_reader r;
	int k = keep(frame, arena, &r);

	if (k < 0)
		return k;
	m.name = name_of(&r);
	m.version = name_of(&r);
	m.file = name_of(&r);
	m.n_checks = kc_reader_u32(&r);
	checks = room(&r, arena, m.n_checks, sizeof(*checks));
	for (uint32_t i = 0; checks && i < m.n_checks && !r.failed; i++)
		read_check(&r, arena, checks + i);
	m.checks = checks;
	m.n_facts = kc_reader_u32(&r);
	facts = room(&r, arena, m.n_facts, sizeof(*facts));
	for (uint32_t i = 0; facts && i < m.n_facts && !r.failed; i++)
		facts[i] = (struct kc_manifest_fact){ .name = name_of(&r), .doc = "" };
	m.facts = facts;
	if (kc_reader_end(&r) < 0)
		return -EBADMSG;
	assignment->manifest = m;
	return 0;
}

static void read_list(struct kc_reader *r, struct kc_arena *arena, struct kc_value *value)
{
	const char **list;

	value->n = kc_reader_u32(r);
	list = room(r, arena, value->n, sizeof(*list));
	for (uint32_t i = 0; list && i < value->n && !r->failed; i++)
		list[i] = name_of(r);
	value->list = list;
}

static void read_map(struct kc_reader *r, struct kc_arena *arena, struct kc_value *value)
{
	struct kc_pair *map;

	value->n = kc_reader_u32(r);
	map = room(r, arena, value->n, sizeof(*map));
	for (uint32_t i = 0; map && i < value->n && !r->failed; i++) {
		map[i].key = name_of(r);
		map[i].value = name_of(r);
	}
	value->map = map;
}

static void read_value(struct kc_reader *r, struct kc_arena *arena, uint32_t type,
		       struct kc_value *value)
{
	value->type = kc_reader_u32(r);
	if (value->type == 0)
		return;
	if (value->type != type) {
		r->failed = true;
		return;
	}
	switch (type) {
	case KC_TYPE_STRING:
	case KC_TYPE_CHOICE:
		value->string = name_of(r);
		break;
	case KC_TYPE_LIST:
		read_list(r, arena, value);
		break;
	case KC_TYPE_MAP:
		read_map(r, arena, value);
		break;
	default:
		value->number = (int64_t)kc_reader_u64(r);
	}
}

static int add_rule(struct kc_assignment *a, const struct kc_rule *rule)
{
	/* kc_assignment_rule() goes by the order. */
	if (a->n_rules > 0 && a->rules[a->n_rules - 1].index >= rule->index)
		return -EBADMSG;
	if (a->n_rules == a->rules_size) {
		uint32_t size = KC_MAX(a->rules_size * 2, 8u);
		void *grown = realloc(a->rules, size * sizeof(*a->rules));

		if (!grown)
			return -ENOMEM;
		a->rules = grown;
		a->rules_size = size;
	}
	a->rules[a->n_rules++] = *rule;
	return 0;
}

int kc_read_rule(const struct kc_frame *frame, struct kc_arena *arena,
		 struct kc_assignment *assignment)
{
	struct kc_rule rule = { .index = frame->rule };
	struct kc_value *params;
	struct kc_reader r;
	uint32_t check;
	int k = keep(frame, arena, &r);

	if (k < 0)
		return k;
	rule.id = name_of(&r);
	check = kc_reader_u32(&r);
	if (check == NO_CHECK)
		return kc_reader_end(&r) < 0 ? -EBADMSG : add_rule(assignment, &rule);
	if (r.failed || check >= assignment->manifest.n_checks)
		return -EBADMSG;
	rule.check = assignment->manifest.checks + check;
	params = kc_arena_zalloc(arena, (size_t)rule.check->n_params + 1, sizeof(*params));
	if (!params)
		return -ENOMEM;
	for (uint32_t i = 0; i < rule.check->n_params && !r.failed; i++)
		read_value(&r, arena, rule.check->params[i].type, params + i);
	rule.params = params;
	if (kc_reader_end(&r) < 0)
		return -EBADMSG;
	return add_rule(assignment, &rule);
}

const struct kc_rule *kc_assignment_rule(const struct kc_assignment *assignment, uint32_t index)
{
	uint32_t low = 0, high = assignment->n_rules;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (assignment->rules[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < assignment->n_rules && assignment->rules[low].index == index
		       ? assignment->rules + low
		       : NULL;
}

void kc_assignment_done(struct kc_assignment *assignment)
{
	free(assignment->rules);
	*assignment = (struct kc_assignment){ 0 };
}
