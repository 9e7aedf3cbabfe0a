/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest-fields.h"

enum {
	TEXT_SIZE_MIN = 4, /* of its length */
};

void kc_put_value(struct kc_buf *b, const struct kc_value *value)
{
	kc_put_u32(b, value->type);
	switch (value->type) {
	case 0:
		break;
	case KC_TYPE_STRING:
	case KC_TYPE_CHOICE:
		kc_put_text(b, value->string);
		break;
	case KC_TYPE_LIST:
		kc_put_u32(b, value->n);
		for (uint32_t i = 0; i < value->n; i++)
			kc_put_text(b, value->list[i]);
		break;
	case KC_TYPE_MAP:
		kc_put_u32(b, value->n);
		for (uint32_t i = 0; i < value->n; i++) {
			kc_put_text(b, value->map[i].key);
			kc_put_text(b, value->map[i].value);
		}
		break;
	default:
		kc_put_u64(b, (uint64_t)value->number);
	}
}

static void put_list(struct kc_buf *b, const char *const *list)
{
	uint32_t n = 0;

	while (list && list[n])
		n++;
	kc_put_u32(b, n);
	for (uint32_t i = 0; i < n; i++)
		kc_put_text(b, list[i]);
}

static void put_param(struct kc_buf *b, const struct kc_manifest_param *param)
{
	static const struct kc_value none = { 0 };

	kc_put_text(b, param->name);
	kc_put_u32(b, param->type);
	kc_put_u32(b, param->required);
	kc_put_text(b, param->fallback);
	put_list(b, param->choices);
	kc_put_value(b, param->has_value ? &param->value : &none);
}

static void put_check(struct kc_buf *b, const struct kc_manifest_check *check)
{
	kc_put_text(b, check->id);
	kc_put_text(b, check->title);
	kc_put_text(b, check->remedy);
	kc_put_u32(b, check->flags);
	kc_put_u32(b, check->asks_bus);
	kc_put_u32(b, check->n_params);
	for (uint32_t i = 0; i < check->n_params; i++)
		put_param(b, check->params + i);
	kc_put_u32(b, check->n_reasons);
	for (uint32_t i = 0; i < check->n_reasons; i++) {
		kc_put_text(b, check->reasons[i].id);
		kc_put_text(b, check->reasons[i].text);
	}
}

void kc_put_manifest(struct kc_buf *b, const struct kc_manifest *manifest)
{
	kc_put_text(b, manifest->name);
	kc_put_text(b, manifest->version);
	kc_put_text(b, manifest->title);
	kc_put_text(b, manifest->file);
	kc_put_u32(b, manifest->state);
	kc_put_u32(b, manifest->n_checks);
	for (uint32_t i = 0; i < manifest->n_checks; i++)
		put_check(b, manifest->checks + i);
	kc_put_u32(b, manifest->n_facts);
	for (uint32_t i = 0; i < manifest->n_facts; i++)
		kc_put_text(b, manifest->facts[i].name);
}

static void *room(struct kc_reader *r, struct kc_arena *arena, uint32_t n, size_t size)
{
	void *p = kc_arena_zalloc(arena, (size_t)n + 1, size);

	if (!p)
		r->failed = true;
	return p;
}

/* Of `n` texts; with a NULL behind. */
static const char *const *get_texts(struct kc_reader *r, struct kc_arena *arena, uint32_t n)
{
	const char **list = room(r, arena, n, sizeof(*list));

	for (uint32_t i = 0; i < n && !r->failed; i++)
		list[i] = kc_reader_name(r);
	return list;
}

static const struct kc_pair *get_map(struct kc_reader *r, struct kc_arena *arena, uint32_t n)
{
	struct kc_pair *map = room(r, arena, n, sizeof(*map));

	for (uint32_t i = 0; i < n && !r->failed; i++) {
		map[i].key = kc_reader_name(r);
		map[i].value = kc_reader_name(r);
	}
	return map;
}

void kc_get_value(struct kc_reader *r, struct kc_arena *arena, uint32_t type,
		  struct kc_value *ret_value)
{
	struct kc_value value = { .type = kc_reader_u32(r) };

	if (value.type != 0 && value.type != type)
		r->failed = true;
	if (r->failed)
		return;
	switch (value.type) {
	case 0:
		break;
	case KC_TYPE_STRING:
	case KC_TYPE_CHOICE:
		value.string = kc_reader_name(r);
		break;
	case KC_TYPE_LIST:
		value.n = kc_reader_count(r, TEXT_SIZE_MIN);
		value.list = get_texts(r, arena, value.n);
		break;
	case KC_TYPE_MAP:
		value.n = kc_reader_count(r, 2 * TEXT_SIZE_MIN);
		value.map = get_map(r, arena, value.n);
		break;
	default:
		value.number = (int64_t)kc_reader_u64(r);
	}
	*ret_value = value;
}

static void get_param(struct kc_reader *r, struct kc_arena *arena, struct kc_manifest_param *param)
{
	uint32_t n;

	param->name = kc_reader_name(r);
	param->type = kc_reader_u32(r);
	param->required = kc_reader_u32(r) != 0;
	param->fallback = kc_reader_text(r);
	param->doc = "";
	n = kc_reader_count(r, TEXT_SIZE_MIN);
	if (n > 0)
		param->choices = get_texts(r, arena, n);
	if (param->type < KC_TYPE_STRING || param->type > KC_TYPE_MAP)
		r->failed = true;
	kc_get_value(r, arena, param->type, &param->value);
	param->has_value = param->value.type != 0;
}

static void get_check(struct kc_reader *r, struct kc_arena *arena, struct kc_manifest_check *check)
{
	struct kc_manifest_param *params;
	struct kc_manifest_text *reasons;

	check->id = kc_reader_name(r);
	check->title = kc_reader_name(r);
	check->doc = "";
	check->remedy = kc_reader_text(r);
	check->flags = kc_reader_u32(r);
	check->asks_bus = kc_reader_u32(r) != 0;
	check->n_params = kc_reader_count(r, 3 * TEXT_SIZE_MIN);
	params = room(r, arena, check->n_params, sizeof(*params));
	for (uint32_t i = 0; i < check->n_params && !r->failed; i++)
		get_param(r, arena, params + i);
	check->params = params;
	check->n_reasons = kc_reader_count(r, 2 * TEXT_SIZE_MIN);
	reasons = room(r, arena, check->n_reasons, sizeof(*reasons));
	for (uint32_t i = 0; i < check->n_reasons && !r->failed; i++) {
		reasons[i].id = kc_reader_name(r);
		reasons[i].text = kc_reader_name(r);
	}
	check->reasons = reasons;
}

void kc_get_manifest(struct kc_reader *r, struct kc_arena *arena, struct kc_manifest *ret_manifest)
{
	struct kc_manifest m = { 0 };
	struct kc_manifest_check *checks;
	struct kc_manifest_fact *facts;

	m.name = kc_reader_name(r);
	m.version = kc_reader_name(r);
	m.title = kc_reader_name(r);
	m.file = kc_reader_name(r);
	m.state = kc_reader_u32(r) != 0;
	m.n_checks = kc_reader_count(r, 4 * TEXT_SIZE_MIN);
	checks = room(r, arena, m.n_checks, sizeof(*checks));
	for (uint32_t i = 0; i < m.n_checks && !r->failed; i++)
		get_check(r, arena, checks + i);
	m.checks = checks;
	m.n_facts = kc_reader_count(r, TEXT_SIZE_MIN);
	facts = room(r, arena, m.n_facts, sizeof(*facts));
	for (uint32_t i = 0; i < m.n_facts && !r->failed; i++)
		facts[i] = (struct kc_manifest_fact){ .name = kc_reader_name(r), .doc = "" };
	m.facts = facts;
	*ret_manifest = m;
}
