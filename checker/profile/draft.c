/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "loader.h"

enum {
	SETTINGS_MAX = 256
};

const char *const kc_draft_keys[] = { "id",	  "check", "title",    "why",	     "remedy",
				      "severity", "stage", "tags",     "references", "with",
				      "when",	  "fix",   "disabled", NULL };

static const struct {
	const char *name;
	uint8_t field;
	uint8_t types;
} keys[] = {
	{ "check", KC_RULE_CHECK, KC_IS_SCALAR },
	{ "title", KC_RULE_TITLE, KC_IS_SCALAR },
	{ "why", KC_RULE_WHY, KC_IS_SCALAR },
	{ "remedy", KC_RULE_REMEDY, KC_IS_SCALAR },
	{ "severity", KC_RULE_SEVERITY, KC_IS_SCALAR },
	{ "stage", KC_RULE_STAGE, KC_IS_SCALAR },
	{ "tags", KC_RULE_TAGS, KC_IS_SCALAR | KC_IS_LIST },
	{ "references", KC_RULE_REFERENCES, KC_IS_SCALAR | KC_IS_LIST },
	{ "with", KC_DRAFT_WITH, KC_IS_MAPPING },
	{ "when", KC_RULE_WHEN, KC_IS_MAPPING },
	{ "fix", KC_RULE_FIX, KC_IS_SCALAR },
	{ "disabled", KC_DRAFT_DISABLED, KC_IS_SCALAR },
};

static size_t find_key(const char *name)
{
	size_t i = 0;

	while (i < KC_ARRAY_SIZE(keys) &&
	       (keys[i].name[0] != name[0] || !kc_streq(keys[i].name, name)))
		i++;
	return i;
}

int kc_draft_field(const char *key)
{
	size_t i = find_key(key);

	return i < KC_ARRAY_SIZE(keys) ? keys[i].field : -ENOENT;
}

const struct kc_setting *kc_draft_get(const struct kc_draft *draft, uint8_t field)
{
	for (uint32_t i = 0; i < draft->n_settings; i++) {
		if (draft->settings[i].field == field)
			return draft->settings + i;
	}
	return NULL;
}

/* ---- the table by id */

static uint32_t *slot_of(const struct kc_drafts *d, const char *id)
{
	uint32_t i = kc_hash(id, strlen(id)) & (d->table_size - 1);

	while (d->table[i] && !kc_streq(d->items[d->table[i] - 1].id, id))
		i = (i + 1) & (d->table_size - 1);
	return d->table + i;
}

struct kc_draft *kc_draft_find(const struct kc_drafts *d, const char *id)
{
	uint32_t *slot = d->table_size ? slot_of(d, id) : NULL;

	return slot && *slot ? d->items + *slot - 1 : NULL;
}

static int grow(struct kc_drafts *d)
{
	uint32_t size = KC_MAX(d->size * 2, 32u);
	uint32_t *table;
	void *p;

	p = realloc(d->items, size * sizeof(*d->items));
	if (!p)
		return -ENOMEM;
	d->items = p;
	d->size = size;
	/* Never more than half full. */
	table = calloc((size_t)size * 2, sizeof(*table));
	if (!table)
		return -ENOMEM;
	free(d->table);
	d->table = table;
	d->table_size = size * 2;
	for (uint32_t i = 0; i < d->n; i++)
		*slot_of(d, d->items[i].id) = i + 1;
	return 0;
}

static int draft_new(struct kc_drafts *d, const char *id, struct kc_draft **ret_draft)
{
	if (d->n == d->size) {
		int r = grow(d);

		if (r < 0)
			return r;
	}
	*slot_of(d, id) = d->n + 1;
	*ret_draft = d->items + d->n++;
	**ret_draft = (struct kc_draft){ .id = id };
	return 0;
}

/* ---- settings */

static bool same(const struct kc_setting *s, const struct kc_yaml_pair *pair, uint8_t field)
{
	return s->field == field &&
	       (field != KC_DRAFT_PARAM || kc_streq(s->pair->key->scalar, pair->key->scalar));
}

static int put(struct kc_loader *l, uint16_t input, struct kc_draft *draft,
	       const struct kc_yaml_pair *pair, uint8_t field)
{
	struct kc_setting setting = { .pair = pair, .input = input, .field = field };

	for (uint32_t i = 0; i < draft->n_settings; i++) {
		if (same(draft->settings + i, pair, field)) {
			draft->settings[i] = setting;
			return 0;
		}
	}
	if (draft->n_settings == draft->size) {
		uint32_t size = KC_MAX(draft->size + 4, draft->expected);
		struct kc_setting *settings = kc_arena_zalloc(&l->scratch, size, sizeof(*settings));

		if (!settings)
			return -ENOMEM;
		if (draft->n_settings > 0)
			memcpy(settings, draft->settings, draft->n_settings * sizeof(*settings));
		draft->settings = settings;
		draft->size = size;
	}
	draft->settings[draft->n_settings++] = setting;
	return 0;
}

static int put_params(struct kc_loader *l, uint16_t input, struct kc_draft *draft,
		      const struct kc_yaml_node *with)
{
	struct kc_where where = kc_loader_where(l, input);

	if (with->n > SETTINGS_MAX || draft->n_settings > SETTINGS_MAX) {
		kc_fault_at(&where, with, "'with' has more than %d parameters", SETTINGS_MAX);
		return 0;
	}
	for (uint32_t i = 0; i < with->n; i++) {
		int r = put(l, input, draft, with->pair + i, KC_DRAFT_PARAM);

		if (r < 0)
			return r;
	}
	return 0;
}

int kc_draft_set(struct kc_loader *l, uint16_t input, struct kc_draft *draft,
		 const struct kc_yaml_pair *pair, uint8_t field)
{
	struct kc_where where = kc_loader_where(l, input);
	size_t k = 0;

	if (field == KC_DRAFT_PARAM)
		return put(l, input, draft, pair, field);
	while (keys[k].field != field)
		k++;
	if (kc_yaml_is_null(pair->value)) {
		kc_fault_at(&where, pair->key, "'%s' of a rule has no value", keys[k].name);
		return 0;
	}
	if (!(keys[k].types & (1u << pair->value->type))) {
		kc_fault_at(&where, pair->value, "'%s' of a rule must be %s, this is %s",
			    keys[k].name, kc_schema_types_name(keys[k].types),
			    kc_yaml_type_name(pair->value));
		return 0;
	}
	if (field == KC_DRAFT_WITH)
		return put_params(l, input, draft, pair->value);
	return put(l, input, draft, pair, field);
}

/* Exactly as many as most rules will ever have: there may be ten thousand of them. */
static uint16_t expected_settings(const struct kc_yaml_node *rule)
{
	const struct kc_yaml_node *with = kc_yaml_get(rule, "with");
	uint32_t n = KC_MIN(rule->n, (uint32_t)KC_DRAFT_WITH) - 1;

	if (with && with->type == KC_YAML_MAPPING)
		n += KC_MIN(with->n, (uint32_t)SETTINGS_MAX) - 1;
	return (uint16_t)n;
}

/* The draft of a rule that an input names, new or of an earlier input; NULL when the id is faulty.
 */
static int draft_of(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *rule,
		    struct kc_draft **ret_draft)
{
	const struct kc_yaml_node *id = kc_yaml_get(rule, "id");
	struct kc_where where = kc_loader_where(l, input);
	struct kc_draft *draft;
	int r;

	*ret_draft = NULL;
	if (!id) {
		kc_fault_at(&where, rule, "a rule lacks the key 'id'");
		return 0;
	}
	if (id->type != KC_YAML_SCALAR || !kc_is_id(id->scalar)) {
		kc_fault_at(&where, id, "a rule's id is [a-z0-9-]+, this is %s%.100s%s",
			    id->type == KC_YAML_SCALAR ? "'" : "",
			    id->type == KC_YAML_SCALAR ? id->scalar : kc_yaml_type_name(id),
			    id->type == KC_YAML_SCALAR ? "'" : "");
		return 0;
	}
	draft = kc_draft_find(&l->drafts, id->scalar);
	if (draft && draft->last_input == input) {
		kc_fault_at(&where, id, "the rule '%s' stands here twice, first in line %u",
			    id->scalar, draft->line);
		return 0;
	}
	if (!draft) {
		r = draft_new(&l->drafts, id->scalar, &draft);
		if (r < 0)
			return r;
	}
	draft->last_input = input;
	draft->line = id->line;
	draft->expected = expected_settings(rule);
	draft->column = id->column;
	*ret_draft = draft;
	return 0;
}

int kc_draft_merge(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *rule)
{
	struct kc_where where = kc_loader_where(l, input);
	struct kc_draft *draft = NULL;
	int r;

	if (rule->type != KC_YAML_MAPPING) {
		kc_fault_at(&where, rule, "a rule must be a mapping, this is %s",
			    kc_yaml_type_name(rule));
		return 0;
	}
	r = draft_of(l, input, rule, &draft);
	for (uint32_t i = 0; i < rule->n && r == 0; i++) {
		const struct kc_yaml_node *key = rule->pair[i].key;
		int field = kc_draft_field(key->scalar);

		if (kc_streq(key->scalar, "id"))
			continue;
		if (field < 0)
			kc_fault_at(&where, key, "a rule has no key '%.100s'%s", key->scalar,
				    kc_hint(key->scalar, kc_draft_keys).text);
		else if (draft)
			r = kc_draft_set(l, input, draft, rule->pair + i, (uint8_t)field);
	}
	return r;
}
