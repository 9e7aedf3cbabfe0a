/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"

/* --set RULE.FIELD=VALUE: an override of one field, as a profile after all others would write it.
 */

struct option {
	struct kc_loader *l;
	struct kc_where where;
	uint16_t input;
	const char *rule, *field, *value;
};

static const char *const field_names[] = { "check", "title",	"why",	      "remedy", "severity",
					   "stage", "tags",	"references", "with",	"when",
					   "fix",   "disabled", NULL };

/* "RULE.FIELD" and what stands behind the first "=". False with a fault. */
static int split(struct option *o, const char *text)
{
	const char *equals = strchr(text, '='), *dot = strchr(text, '.');
	struct kc_arena *scratch = &o->l->scratch;

	if (!equals || !dot || dot > equals || dot == text || dot + 1 == equals) {
		kc_fault_at(&o->where, NULL, "this must be RULE.FIELD=VALUE");
		return -EINVAL;
	}
	o->rule = kc_arena_memdup(scratch, text, (size_t)(dot - text));
	o->field = kc_arena_memdup(o->l->arena, dot + 1, (size_t)(equals - dot - 1));
	o->value = equals + 1;
	return o->rule && o->field ? 0 : -ENOMEM;
}

static void refuse_rule(const struct option *o)
{
	const struct kc_drafts *d = &o->l->drafts;
	const char **ids;
	struct kc_hint hint = { "" };

	if (o->l->incomplete)
		return;
	ids = calloc((size_t)d->n + 1, sizeof(*ids));
	for (uint32_t i = 0; ids && i < d->n; i++)
		ids[i] = d->items[i].id;
	if (ids)
		hint = kc_hint(o->rule, ids);
	free(ids);
	kc_fault_at(&o->where, NULL, "the profile has no rule '%.100s'%s", o->rule, hint.text);
}

/* A name that is no field can be one of the check's parameters. */
static void refuse_field(const struct option *o, const struct kc_manifest_check *check)
{
	const char *names[KC_ARRAY_SIZE(field_names) + 64] = { NULL };
	size_t n = 0;

	KC_FOREACH_STR (name, field_names)
		names[n++] = name;
	for (uint32_t i = 0; i < check->n_params && n < KC_ARRAY_SIZE(names) - 1; i++)
		names[n++] = check->params[i].name;
	kc_fault_at(&o->where, NULL, "a rule has no field '%.100s', and %s no such parameter%s",
		    o->field, check->id, kc_hint(o->field, names).text);
}

/* The field, and the name of the parameter where it is one. -EINVAL with a fault. */
static int find_field(const struct option *o, const struct kc_draft *draft, uint8_t *ret_field,
		      const char **ret_name)
{
	const char *param = kc_after_prefix(o->field, "with.");
	const struct kc_setting *setting = kc_draft_get(draft, KC_RULE_CHECK);
	const struct kc_manifest_check *check = NULL;
	const struct kc_manifest *plugin = NULL;
	int field = kc_draft_field(o->field), r;

	*ret_name = o->field;
	if (kc_streq(o->field, "id")) {
		kc_fault_at(&o->where, NULL, "the id of a rule cannot be set");
		return -EINVAL;
	}
	if (param || field >= 0) {
		*ret_name = param ? param : o->field;
		*ret_field = param ? KC_DRAFT_PARAM : (uint8_t)field;
		return 0;
	}
	if (!setting)
		return -EINVAL;
	r = kc_check_find(o->l, setting->pair->value->scalar, NULL, &plugin, &check);
	if (r == -ENOMEM)
		return r;
	/* A check that there is not is told of at the rule. */
	if (r < 0)
		return -EINVAL;
	if (kc_manifest_param(check, o->field) < 0) {
		refuse_field(o, check);
		return -EINVAL;
	}
	*ret_field = KC_DRAFT_PARAM;
	return 0;
}

static int parse_value(const struct option *o, const struct kc_yaml_node **ret_node)
{
	static const struct kc_yaml_node empty = { .type = KC_YAML_SCALAR,
						   .plain = true,
						   .scalar = "" };
	struct kc_err err = { 0 };
	const char *what;
	int r;

	*ret_node = &empty;
	r = kc_yaml_parse_apart("VALUE", o->value, strlen(o->value), 0, &o->l->scratch, o->l->arena,
				&err, ret_node);
	if (!*ret_node)
		*ret_node = &empty;
	if (r != -EINVAL)
		return r;
	what = strstr(err.text, ": ");
	kc_fault_at(&o->where, NULL, "the value is not YAML: %s", what ? what + 2 : err.text);
	return r;
}

static struct kc_yaml_node *key_new(struct kc_loader *l, const char *name)
{
	struct kc_yaml_node *key = kc_arena_zalloc(&l->scratch, 1, sizeof(*key));

	if (!key)
		return NULL;
	key->type = KC_YAML_SCALAR;
	key->scalar = name;
	key->n = (uint32_t)strlen(name);
	return key;
}

/* 0, -ENOMEM, or -EINVAL with a fault noted. */
static int apply(struct option *o, const char *text)
{
	struct kc_yaml_pair *pair = kc_arena_zalloc(&o->l->scratch, 1, sizeof(*pair));
	struct kc_draft *draft;
	const char *name = NULL;
	uint8_t field = 0;
	int r;

	r = pair ? split(o, text) : -ENOMEM;
	if (r < 0)
		return r;
	draft = kc_draft_find(&o->l->drafts, o->rule);
	if (!draft) {
		refuse_rule(o);
		return -EINVAL;
	}
	r = find_field(o, draft, &field, &name);
	if (r < 0)
		return r;
	pair->key = key_new(o->l, name);
	if (!pair->key)
		return -ENOMEM;
	r = parse_value(o, &pair->value);
	if (r < 0)
		return r;
	return kc_draft_set(o->l, o->input, draft, pair, field);
}

int kc_sets_apply(struct kc_loader *l)
{
	KC_FOREACH_STR (text, l->request->sets) {
		/* Without the value, which may be a secret. */
		int n = (int)KC_MIN(strcspn(text, "="), (size_t)200), r;
		char *label = kc_arena_printf(&l->scratch, "--set %.*s", n, text);
		struct option o = { .l = l };

		if (!label)
			return -ENOMEM;
		r = kc_loader_add(l, "--set", label, true, &o.input);
		if (r < 0)
			return r;
		o.where = kc_loader_where(l, o.input);
		if (apply(&o, text) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}
