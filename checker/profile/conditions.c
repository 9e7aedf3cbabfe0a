/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"
#include "search.h"

/*
 * `when`: a mapping of facts, and of variables as var.NAME, to what they must be: a text, a list of
 * texts (one of them), or a text after one of != < <= > >=; the last four compare versions.
 */

enum {
	CONDITIONS_MAX = 32
};

static const struct {
	const char *text;
	uint8_t op;
} operators[] = {
	/* The longer ones first. */
	{ "!=", KC_OP_NOT_EQUAL }, { "<=", KC_OP_LESS_EQUAL }, { ">=", KC_OP_GREATER_EQUAL },
	{ "<", KC_OP_LESS },	   { ">", KC_OP_GREATER },
};

/* Cuts an operator from the text. */
static uint32_t operator_of(const char **text)
{
	for (size_t i = 0; i < KC_ARRAY_SIZE(operators); i++) {
		const char *rest = kc_after_prefix(*text, operators[i].text);

		if (!rest)
			continue;
		while (*rest == ' ')
			rest++;
		*text = rest;
		return operators[i].op;
	}
	return KC_OP_EQUAL;
}

static int read_text(struct kc_loader *l, const struct kc_where *where,
		     const struct kc_yaml_node *node, struct kc_condition *c)
{
	const char *text = node->scalar;
	const char **values = kc_arena_zalloc(l->arena, 2, sizeof(*values));

	if (!values)
		return -ENOMEM;
	c->op = operator_of(&text);
	values[0] = text;
	c->values = values;
	if (kc_yaml_is_null(node) || !*text)
		kc_fault_at(where, node, "the condition on '%s' has no value", c->fact);
	else if (c->op > KC_OP_NOT_EQUAL && !(*text >= '0' && *text <= '9'))
		kc_fault_at(where, node,
			    "the condition on '%s' compares versions, and '%.100s' is none",
			    c->fact, text);
	return 0;
}

static int read_list(struct kc_loader *l, const struct kc_where *where,
		     const struct kc_yaml_node *node, struct kc_condition *c)
{
	uint32_t n = 0;
	int r = kc_schema_strings(where, node, c->fact, l->arena, &c->values, &n);

	c->op = KC_OP_EQUAL;
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (n == 0)
		kc_fault_at(where, node, "the condition on '%s' has no value", c->fact);
	for (uint32_t i = 0; i < n; i++) {
		const char *text = c->values[i];

		if (operator_of(&text) != KC_OP_EQUAL)
			kc_fault_at(
				where, node->item[i],
				"an item of the condition on '%s' cannot begin with an operator",
				c->fact);
	}
	return 0;
}

static bool gathers(const struct kc_manifest *m, const char *name)
{
	for (uint32_t i = 0; i < m->n_facts; i++) {
		if (kc_streq(m->facts[i].name, name))
			return true;
	}
	return false;
}

static const struct kc_manifest *find_loaded(const struct kc_loader *l, const char *name)
{
	for (uint32_t i = 0; i < l->manifests.n; i++) {
		if (gathers(l->manifests.items[i], name))
			return l->manifests.items[i];
	}
	return NULL;
}

int kc_fact_find(struct kc_loader *l, const char *name, struct kc_err *err,
		 const struct kc_manifest **ret_manifest)
{
	const char *const *dirs = l->request->plugin_dirs;
	char prefix[64] = "";
	const char *dot = strchr(name, '.');
	const struct kc_manifest *m;
	int r;

	*ret_manifest = find_loaded(l, name);
	if (*ret_manifest)
		return 0;
	/* "crio.version" is most likely the plugin crio's: that saves reading all manifests. */
	if (dot && (size_t)(dot - name) < sizeof(prefix)) {
		memcpy(prefix, name, (size_t)(dot - name));
		if (kc_manifest_load(dirs, prefix, &l->manifests, l->arena, NULL, &m) == -ENOMEM)
			return -ENOMEM;
		*ret_manifest = find_loaded(l, name);
		if (*ret_manifest)
			return 0;
	}
	r = kc_manifest_load_gatherers(dirs, &l->manifests, l->arena);
	if (r == -ENOMEM)
		return r;
	*ret_manifest = find_loaded(l, name);
	if (*ret_manifest)
		return 0;
	/* Nobody: for the nearest name, and for manifests that cannot be read. */
	r = kc_manifest_load_all(dirs, &l->manifests, l->arena, err);
	if (r == -ENOMEM)
		return r;
	*ret_manifest = find_loaded(l, name);
	return 0;
}

static void refuse_fact(struct kc_loader *l, const struct kc_where *where,
			const struct kc_yaml_node *key, const struct kc_err *err)
{
	struct kc_hint hint = { "" };
	const char **names;
	size_t n = 0;

	for (uint32_t i = 0; i < l->manifests.n; i++)
		n += l->manifests.items[i]->n_facts;
	names = calloc(n + 1, sizeof(*names));
	n = 0;
	for (uint32_t i = 0; names && i < l->manifests.n; i++) {
		const struct kc_manifest *m = l->manifests.items[i];

		for (uint32_t j = 0; j < m->n_facts; j++)
			names[n++] = m->facts[j].name;
	}
	if (names)
		hint = kc_hint(key->scalar, names);
	free(names);
	kc_fault_at(where, key, "no plugin gathers the fact '%.100s'%s", key->scalar, hint.text);
	/* A manifest that cannot be read may be the one that has it. */
	if (err->text[0])
		kc_fault_said(where, key, err->text);
}

/* var.NAME: known here and now, so that nothing has to be gathered for it. */
static void read_variable(struct kc_loader *l, const struct kc_where *where,
			  const struct kc_yaml_node *key, const char *name, struct kc_condition *c)
{
	struct kc_hint hint = { "" };

	c->value = kc_variable_value(l, name, &hint);
	if (c->value)
		return;
	if (!l->incomplete)
		kc_fault_at(where, key, "the profile has no variable '%.100s'%s", name, hint.text);
	c->value = "";
}

static int read_fact(struct kc_loader *l, const struct kc_where *where,
		     const struct kc_yaml_node *key)
{
	const struct kc_manifest *plugin = NULL;
	struct kc_err err = { 0 };
	int r = kc_fact_find(l, key->scalar, &err, &plugin);

	if (r == 0 && !plugin)
		refuse_fact(l, where, key, &err);
	return r;
}

static int read_one(struct kc_loader *l, const struct kc_where *where,
		    const struct kc_yaml_pair *pair, struct kc_condition *c)
{
	const char *variable = kc_after_prefix(pair->key->scalar, "var.");
	int r;

	c->fact = pair->key->scalar;
	if (variable) {
		read_variable(l, where, pair->key, variable, c);
	} else {
		r = read_fact(l, where, pair->key);
		if (r < 0)
			return r;
	}
	switch (pair->value->type) {
	case KC_YAML_SCALAR:
		return read_text(l, where, pair->value, c);
	case KC_YAML_SEQUENCE:
		return read_list(l, where, pair->value, c);
	default:
		kc_fault_at(where, pair->value,
			    "the condition on '%s' must be text or a list, this is %s", c->fact,
			    kc_yaml_type_name(pair->value));
		return 0;
	}
}

int kc_conditions_read(struct kc_loader *l, const struct kc_where *where,
		       const struct kc_yaml_node *node, struct kc_rule *rule)
{
	struct kc_condition *conditions;

	if (node->n > CONDITIONS_MAX) {
		kc_fault_at(where, node, "'when' has more than %d conditions", CONDITIONS_MAX);
		return 0;
	}
	conditions = kc_arena_zalloc(l->arena, node->n, sizeof(*conditions));
	if (!conditions)
		return -ENOMEM;
	for (uint32_t i = 0; i < node->n; i++) {
		int r = read_one(l, where, node->pair + i, conditions + i);

		if (r < 0)
			return r;
	}
	rule->when = conditions;
	rule->n_when = node->n;
	return 0;
}
