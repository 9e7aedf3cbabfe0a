/* SPDX-License-Identifier: Apache-2.0 */
#include "loader.h"
#include "search.h"
#include "value.h"

/* Drafts become rules: typed, complete, with the origin of each field. */

enum {
	PLUGINS_MAX = 256
};

struct builder {
	struct kc_loader *l;
	struct kc_rule *rule;
	const struct kc_draft *draft;
	struct kc_value *values;
	struct kc_origin *origins, *param_origins;
	uint16_t by_default, by_manifest; /* inputs */
	/* What was found for the name before: long profiles use one check for long. Texts are
	 * interned. */
	const char *check_name;
	const struct kc_manifest *plugin;
	const struct kc_manifest_check *check; /* NULL: there is none, as check_error says */
	struct kc_err check_error;
	/* The same of lists. */
	const char *const *tags, *const *references;
	const struct kc_manifest *plugins[PLUGINS_MAX];
	uint32_t n_plugins;
};

int kc_check_find(struct kc_loader *l, const char *name, struct kc_err *err,
		  const struct kc_manifest **ret_plugin, const struct kc_manifest_check **ret_check)
{
	const char *dot = strchr(name, '.');
	const struct kc_manifest *plugin = NULL;
	kc_cleanup(kc_freep) const char **ids = NULL;
	char *plugin_name;
	int r;

	if (!dot || dot == name || !dot[1] || strchr(dot + 1, '.'))
		return kc_err_set(err, -EINVAL, "a check is named PLUGIN.CHECK, this is '%.100s'",
				  name);
	plugin_name = kc_arena_memdup(&l->scratch, name, (size_t)(dot - name));
	if (!plugin_name)
		return -ENOMEM;
	r = kc_manifest_load(l->request->plugin_dirs, plugin_name, &l->manifests, l->arena, err,
			     &plugin);
	if (r < 0)
		return r == -ENOMEM ? r : -EINVAL;
	*ret_check = kc_manifest_check(plugin, name);
	*ret_plugin = plugin;
	if (*ret_check)
		return 0;
	ids = calloc((size_t)plugin->n_checks + 1, sizeof(*ids));
	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < plugin->n_checks; i++)
		ids[i] = plugin->checks[i].id;
	return kc_err_set(err, -EINVAL, "the plugin %s has no check '%.100s'%s", plugin_name, name,
			  kc_hint(name, ids).text);
}

static struct kc_origin origin_of(const struct builder *b, const struct kc_setting *s)
{
	struct kc_origin o = { .source = s->input };

	if (!b->l->inputs[s->input].option) {
		o.line = s->pair->key->line;
		o.column = s->pair->key->column;
	}
	return o;
}

/* The value of a setting with its variables put in, which may be another's; NULL when that is
 * faulty. */
static int value_of(struct builder *b, const struct kc_setting *s,
		    const struct kc_yaml_node **ret_node)
{
	bool untrusted = false;
	int r = kc_expand(b->l, s->input, s->pair->value, &untrusted, ret_node);

	b->rule->runs_untrusted |= untrusted;
	return r;
}

static int read_check(struct builder *b)
{
	const struct kc_setting *s = kc_draft_get(b->draft, KC_RULE_CHECK);
	struct kc_where where;
	const char *name;
	int r = 0;

	if (!s) {
		where = kc_loader_where(b->l, b->draft->last_input);
		if (!b->l->incomplete)
			kc_fault_in(&where, b->draft->line, b->draft->column,
				    "the rule '%s' has no 'check', and there is no rule of that id "
				    "before that it could override",
				    b->draft->id);
		return 0;
	}
	name = s->pair->value->scalar;
	if (name != b->check_name) {
		b->check = NULL;
		b->check_error = (struct kc_err){ 0 };
		r = kc_check_find(b->l, name, &b->check_error, &b->plugin, &b->check);
		if (r == -ENOMEM)
			return r;
		b->check_name = name;
	}
	if (!b->check) {
		where = kc_loader_where(b->l, s->input);
		kc_fault_at(&where, s->pair->value, "%s", b->check_error.text);
		return 0;
	}
	b->rule->check = b->check;
	b->rule->plugin = b->plugin;
	return 0;
}

static uint8_t read_choice(const struct kc_where *where, const struct kc_yaml_node *node,
			   const char *what, const char *const *names)
{
	int value = kc_enum_from_name(names, node->scalar);
	struct kc_buf all = { 0 };

	if (value > 0)
		return (uint8_t)value;
	KC_FOREACH_STR (name, names)
		kc_buf_addf(&all, "%s%s", all.len ? ", " : "", name);
	kc_fault_at(where, node, "'%s' must be one of %s; this is '%.100s'%s", what,
		    all.data ? all.data : "", node->scalar, kc_hint(node->scalar, names).text);
	kc_buf_done(&all);
	return 0;
}

static bool same_list(const char *const *a, const char *const *b)
{
	size_t i = 0;

	while (a[i] && b[i] && (a[i] == b[i] || kc_streq(a[i], b[i])))
		i++;
	return a[i] == b[i];
}

/* A list that is the same as the one before is not kept again. */
static int read_list(struct builder *b, const struct kc_where *where,
		     const struct kc_yaml_node *node, const char *what, const char *const **memory,
		     const char *const **ret_list)
{
	const char *const *list = NULL;
	uint32_t n = 0;
	int r;

	r = kc_schema_strings(where, node, what, &b->l->scratch, &list, &n);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (!*memory || !same_list(*memory, list)) {
		const char **kept = kc_arena_zalloc(b->l->arena, (size_t)n + 1, sizeof(*kept));

		if (!kept)
			return -ENOMEM;
		memcpy(kept, list, n * sizeof(*kept));
		*memory = kept;
	}
	*ret_list = *memory;
	return 0;
}

static int read_field(struct builder *b, const struct kc_setting *s)
{
	struct kc_where where = kc_loader_where(b->l, s->input);
	struct kc_rule *rule = b->rule;
	const struct kc_yaml_node *node = NULL;
	int r = value_of(b, s, &node);

	b->origins[s->field] = origin_of(b, s);
	if (r < 0 || !node)
		return r;
	switch (s->field) {
	case KC_RULE_TITLE:
		rule->title = node->scalar;
		if (!*node->scalar || strchr(node->scalar, '\n'))
			kc_fault_at(&where, node, "'title' must be one line");
		return 0;
	case KC_RULE_WHY:
		rule->why = node->scalar;
		return 0;
	case KC_RULE_REMEDY:
		rule->remedy = node->scalar;
		return 0;
	case KC_RULE_SEVERITY:
		rule->severity = read_choice(&where, node, "severity", kc_severity_names);
		return 0;
	case KC_RULE_STAGE:
		rule->stage = read_choice(&where, node, "stage", kc_stage_names);
		return 0;
	case KC_RULE_FIX:
		rule->fix = read_choice(&where, node, "fix", kc_fix_policy_names);
		return 0;
	case KC_RULE_TAGS:
		return read_list(b, &where, node, "tags", &b->tags, &rule->tags);
	case KC_RULE_REFERENCES:
		return read_list(b, &where, node, "references", &b->references, &rule->references);
	default:
		return 0;
	}
}

static int read_param(struct builder *b, const struct kc_setting *s)
{
	const struct kc_manifest_check *check = b->rule->check;
	struct kc_where where = kc_loader_where(b->l, s->input);
	const struct kc_yaml_node *key = s->pair->key, *node = NULL;
	const char *names[65] = { NULL };
	int i, r;

	r = value_of(b, s, &node);
	if (r < 0 || !check)
		return r;
	i = kc_manifest_param(check, key->scalar);
	if (i < 0) {
		for (uint32_t k = 0; k < check->n_params && k < KC_ARRAY_SIZE(names) - 1; k++)
			names[k] = check->params[k].name;
		kc_fault_at(&where, key, "%s has no parameter '%.100s'%s", check->id, key->scalar,
			    kc_hint(key->scalar, names).text);
		return 0;
	}
	b->param_origins[i] = origin_of(b, s);
	/* Given, if wrongly: it does not lack as well. */
	b->values[i].type = check->params[i].type;
	if (!node)
		return 0;
	r = kc_value_parse(&where, check->params + i, node, b->l->arena, b->values + i);
	return r == -EINVAL ? 0 : r;
}

/* Room for parameters, with the defaults. */
static int prepare_params(struct builder *b)
{
	const struct kc_manifest_check *check = b->rule->check;
	uint32_t n = check ? check->n_params : 0;

	b->origins =
		kc_arena_zalloc(b->l->arena, KC_RULE_FIELD_MAX + (size_t)n, sizeof(*b->origins));
	b->values = kc_arena_zalloc(b->l->arena, n, sizeof(*b->values));
	if (!b->origins || !b->values)
		return -ENOMEM;
	b->param_origins = b->origins + KC_RULE_FIELD_MAX;
	for (uint32_t i = 0; i < KC_RULE_FIELD_MAX; i++)
		b->origins[i].source = b->by_default;
	for (uint32_t i = 0; i < n; i++) {
		if (check->params[i].has_value)
			b->values[i] = check->params[i].value;
		b->param_origins[i].source = b->by_manifest;
	}
	b->rule->origins = b->origins;
	b->rule->param_origins = b->param_origins;
	b->rule->params = b->values;
	return 0;
}

static void complete(struct builder *b)
{
	const struct kc_setting *s = kc_draft_get(b->draft, KC_RULE_CHECK);
	struct kc_rule *rule = b->rule;
	struct kc_where where;

	if (!rule->check)
		return;
	if (!rule->title) {
		rule->title = rule->check->title;
		b->origins[KC_RULE_TITLE].source = b->by_manifest;
	}
	where = kc_loader_where(b->l, s->input);
	for (uint32_t i = 0; i < rule->check->n_params; i++) {
		const struct kc_manifest_param *p = rule->check->params + i;

		if (p->required && b->values[i].type == 0)
			kc_fault_at(&where, s->pair->value,
				    "the rule '%s' lacks the parameter '%s' of %s", rule->id,
				    p->name, rule->check->id);
	}
}

static int need_plugin(struct builder *b, const struct kc_manifest *plugin,
		       const struct kc_rule *rule)
{
	const struct kc_profile_request *request = b->l->request;
	uint32_t i = 0;
	bool first;

	while (i < b->n_plugins && b->plugins[i] != plugin)
		i++;
	first = i == b->n_plugins;
	if (first && b->n_plugins == PLUGINS_MAX)
		return -E2BIG;
	if (first)
		b->plugins[b->n_plugins++] = plugin;
	if (request->on_need)
		request->on_need(request->context, plugin, rule, first);
	return 0;
}

static int build_rule(struct builder *b)
{
	struct kc_rule *rule = b->rule;
	int r;

	*rule = (struct kc_rule){ .id = b->draft->id,
				  .severity = KC_REQUIRED,
				  .stage = KC_STAGE_HOST,
				  .fix = KC_FIX_AUTO,
				  .selected = true };
	r = read_check(b);
	if (r < 0)
		return r;
	r = prepare_params(b);
	for (uint32_t i = 0; i < b->draft->n_settings && r == 0; i++) {
		const struct kc_setting *s = b->draft->settings + i;

		rule->runs_untrusted |= kc_loader_untrusted(b->l, s->input);
		if (s->field == KC_DRAFT_PARAM)
			r = read_param(b, s);
		else if (s->field == KC_RULE_CHECK || s->field == KC_RULE_WHEN)
			b->origins[s->field] = origin_of(b, s);
		else if (s->field != KC_DRAFT_DISABLED)
			r = read_field(b, s);
	}
	if (r < 0)
		return r;
	complete(b);
	return rule->plugin ? need_plugin(b, rule->plugin, rule) : 0;
}

/* Whether the rule is dropped. One that was never a rule is not: to drop it is a slip. */
static int is_dropped(struct builder *b, bool *ret_dropped)
{
	const struct kc_setting *s = kc_draft_get(b->draft, KC_DRAFT_DISABLED);
	const struct kc_yaml_node *node = NULL;
	struct kc_rule rule = { 0 };
	int r;

	*ret_dropped = false;
	if (!s)
		return 0;
	b->rule = &rule;
	r = value_of(b, s, &node);
	if (r == 0 && node) {
		struct kc_where where = kc_loader_where(b->l, s->input);

		*ret_dropped = kc_schema_bool(&where, node, "disabled") &&
			       kc_draft_get(b->draft, KC_RULE_CHECK) != NULL;
	}
	return r;
}

/* All manifests that list facts: those of the checks were read, and few others are. */
static int list_gatherers(struct builder *b, struct kc_profile *profile)
{
	struct kc_manifest_cache *cache = &b->l->manifests;
	const struct kc_manifest **list;
	uint32_t n = 0;
	int r = kc_manifest_load_gatherers(b->l->request->plugin_dirs, cache, b->l->arena);

	list = kc_arena_zalloc(b->l->arena, (size_t)cache->n + 1, sizeof(*list));
	if (r < 0 || !list)
		return -ENOMEM;
	for (uint32_t i = 0; i < cache->n; i++) {
		if (cache->items[i]->n_facts > 0)
			list[n++] = cache->items[i];
	}
	profile->gatherers = list;
	return 0;
}

/* The plugins that gather what conditions ask, after those of the checks. */
static int need_fact_plugins(struct builder *b, struct kc_profile *profile)
{
	for (uint32_t i = 0; i < profile->n_rules; i++) {
		const struct kc_rule *rule = profile->rules + i;

		for (uint32_t j = 0; j < rule->n_when; j++) {
			const struct kc_manifest *plugin = NULL;
			struct kc_err err = { 0 };
			int r = rule->when[j].value
					? 0
					: kc_fact_find(b->l, rule->when[j].fact, &err, &plugin);

			if (r == 0 && plugin)
				r = need_plugin(b, plugin, NULL);
			if (r == 0 && plugin && !profile->gatherers)
				r = list_gatherers(b, profile);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Of every rule, once the manifests of all their checks are there: most facts are in one of those.
 */
static int read_conditions(struct builder *b, struct kc_rule *rules, uint32_t n)
{
	const struct kc_drafts *d = &b->l->drafts;
	uint32_t k = 0;

	for (uint32_t i = 0; i < d->n && k < n; i++) {
		const struct kc_setting *s = kc_draft_get(d->items + i, KC_RULE_WHEN);
		const struct kc_yaml_node *node = NULL;
		struct kc_where where;
		int r;

		if (d->items[i].id != rules[k].id)
			continue;
		b->draft = d->items + i;
		b->rule = rules + k++;
		r = s ? value_of(b, s, &node) : 0;
		if (r == 0 && node) {
			where = kc_loader_where(b->l, s->input);
			r = kc_conditions_read(b->l, &where, node, b->rule);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int build_all(struct builder *b, struct kc_profile *profile)
{
	const struct kc_drafts *d = &b->l->drafts;
	struct kc_rule *rules = kc_arena_alloc(b->l->arena, d->n * sizeof(*rules));
	uint32_t n = 0;
	int r;

	if (!rules)
		return -ENOMEM;
	for (uint32_t i = 0; i < d->n; i++) {
		bool dropped = false;

		b->draft = d->items + i;
		r = is_dropped(b, &dropped);
		if (r == 0 && !dropped) {
			b->rule = rules + n;
			r = build_rule(b);
			rules[n].index = n;
			n++;
		}
		if (r < 0)
			return r;
	}
	r = read_conditions(b, rules, n);
	if (r < 0)
		return r;
	profile->rules = rules;
	profile->n_rules = n;
	/* With faults there is no profile, and a fact that nobody gathers was told of. */
	return b->l->faults.n_errors ? 0 : need_fact_plugins(b, profile);
}

int kc_rules_build(struct kc_loader *l, struct kc_profile *profile)
{
	struct builder *b = calloc(1, sizeof(*b));
	const struct kc_manifest **plugins;
	int r;

	if (!b)
		return -ENOMEM;
	b->l = l;
	r = kc_loader_add(l, "default", "default", true, &b->by_default);
	if (r == 0)
		r = kc_loader_add(l, "manifest", "manifest", true, &b->by_manifest);
	if (r == 0)
		r = build_all(b, profile);
	if (r == 0) {
		plugins = kc_arena_zalloc(l->arena, b->n_plugins, sizeof(*plugins));
		r = plugins ? 0 : -ENOMEM;
		for (uint32_t i = 0; r == 0 && i < b->n_plugins; i++)
			plugins[i] = b->plugins[i];
		profile->plugins = plugins;
		profile->n_plugins = b->n_plugins;
	}
	free(b);
	return r;
}
