/* SPDX-License-Identifier: Apache-2.0 */
#include "assignment.h"
#include "base/grow.h"
#include "model/manifest-fields.h"

enum {
	NO_CHECK = UINT32_MAX
};

void kc_frame_manifest(struct kc_buf *b, const struct kc_manifest *manifest)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_MANIFEST, 0);

	kc_put_manifest(b, manifest);
	kc_frame_end(b, begin);
}

void kc_frame_rule(struct kc_buf *b, const struct kc_rule *rule)
{
	size_t begin = kc_frame_begin(b, KC_FRAME_RULE, rule->index);

	kc_put_text(b, rule->id);
	kc_put_u32(b, (uint32_t)(rule->check - rule->plugin->checks));
	for (uint32_t i = 0; i < rule->check->n_params; i++)
		kc_put_value(b, rule->params + i);
	if (!b->failed && b->len - begin > KC_FRAME_SIZE_MAX) {
		b->len = begin;
		(void)kc_frame_begin(b, KC_FRAME_RULE, rule->index);
		kc_put_text(b, rule->id);
		kc_put_u32(b, NO_CHECK);
	}
	kc_frame_end(b, begin);
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
	struct kc_manifest manifest;
	struct kc_reader r;
	int k = keep(frame, arena, &r);

	if (k < 0)
		return k;
	kc_get_manifest(&r, arena, &manifest);
	if (kc_reader_end(&r) < 0)
		return -EBADMSG;
	assignment->manifest = manifest;
	return 0;
}

static int add_rule(struct kc_assignment *a, const struct kc_rule *rule)
{
	struct kc_rule *rules;

	/* kc_assignment_rule() goes by the order. */
	if (a->n_rules > 0 && a->rules[a->n_rules - 1].index >= rule->index)
		return -EBADMSG;
	rules = kc_grow(a->rules, a->n_rules, &a->rules_size, sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	a->rules = rules;
	rules[a->n_rules++] = *rule;
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
	rule.id = kc_reader_name(&r);
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
		kc_get_value(&r, arena, rule.check->params[i].type, params + i);
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
