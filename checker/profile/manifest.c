/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "value.h"

/*
 * The format of a manifest. All values are text; a key that is not listed here is an error.
 *
 *     name: sysctl                    # the plugin: [a-z][a-z0-9-]*, as in NAME.yaml
 *     version: 0.1.0                  # of the plugin
 *     title: Kernel parameters        # one line
 *     doc: |                          # optional: what the plugin is for
 *       ...
 *     state: true                     # optional: the plugin has open and close
 *     facts:                          # optional: those it gathers, each with a sentence
 *       os.id: "ID of os-release(5)"
 *     checks:                         # optional when there are facts
 *       value:                        # its full id is sysctl.value
 *         title: ...                  # one line
 *         doc: ...                    # what it judges, from which places, and why
 *         horizons: [now, boot]       # one of them or both
 *         plans: true                 # optional: it can plan a repair
 *         runs-program: true          # optional: it runs a program that the profile names
 *         asks-bus: true              # optional: it asks the system bus, mostly, for what is now
 *         parameters:                 # optional; a required one has no default
 *           keys: {type: list, required: true, doc: "..."}
 *           compare: {type: choice, choices: [equal, one-of], default: equal, doc: "..."}
 *         reasons:                    # optional: for which it may skip, each with a sentence
 *           no-module: "..."
 *         results:                    # optional: what they mean here
 *           {pass: "...", fail: "...", error: "...", manual: "..."}
 *         reads: [/proc/sys]          # optional: places it looks at
 *         touches: [/etc/a.d, $file]  # optional: what its repair may touch; $NAME: a parameter
 *         remedy: ...                 # optional: how to mend it by hand
 *         references: [...]           # optional
 *
 * Types of parameters are those of enum kc_type: string, integer, boolean, duration, size, choice,
 * list, map. `choices` belongs to choice alone. The reasons offline, condition, horizon and
 * not-selected are k8scheck's own, and not a manifest's to define.
 */

enum {
	CHECKS_MAX = 1000,
	PARAMS_MAX = 64,
	FACTS_MAX = 1000,
	TEXTS_MAX = 100
};

struct reading {
	struct kc_where where;
	struct kc_arena *arena;
	const char *plugin;
};

static const char *text_of(const struct kc_yaml_node *node)
{
	return node ? node->scalar : NULL;
}

/* Items of a mapping that is bounded; 0 with a fault when there are too many. */
static uint32_t bounded(const struct reading *rd, const struct kc_yaml_node *mapping,
			const char *what, uint32_t max)
{
	if (!mapping)
		return 0;
	if (mapping->n > max) {
		kc_fault_at(&rd->where, mapping, "there are more than %u %s", max, what);
		return 0;
	}
	return mapping->n;
}

static void expect_line(const struct reading *rd, const struct kc_yaml_node *node, const char *what)
{
	if (node && (!*node->scalar || strchr(node->scalar, '\n')))
		kc_fault_at(&rd->where, node, "'%s' must be one line", what);
}

static int read_strings(const struct reading *rd, const struct kc_yaml_node *node, const char *what,
			const char *const **ret_list)
{
	int r;

	if (!node)
		return 0;
	r = kc_schema_strings(&rd->where, node, what, rd->arena, ret_list, NULL);
	return r == -EINVAL ? 0 : r;
}

/* A default, as a rule would write it. */
static const char *as_written(struct kc_arena *arena, const struct kc_value *value,
			      const struct kc_yaml_node *node)
{
	struct kc_buf b = { 0 };
	const char *text;

	if (node->type == KC_YAML_SCALAR)
		return node->scalar;
	kc_buf_addc(&b, value->type == KC_TYPE_MAP ? '{' : '[');
	for (uint32_t i = 0; i < value->n; i++) {
		kc_buf_adds(&b, i > 0 ? ", " : "");
		if (value->type == KC_TYPE_MAP)
			kc_buf_addf(&b, "%s: %s", value->map[i].key, value->map[i].value);
		else
			kc_buf_adds(&b, value->list[i]);
	}
	kc_buf_addc(&b, value->type == KC_TYPE_MAP ? '}' : ']');
	text = b.failed ? NULL : kc_arena_memdup(arena, b.data, b.len);
	kc_buf_done(&b);
	return text;
}

enum {
	PARAM_TYPE,
	PARAM_REQUIRED,
	PARAM_CHOICES,
	PARAM_DEFAULT,
	PARAM_DOC,
	PARAM_KEYS
};

static const struct kc_key param_keys[PARAM_KEYS] = {
	[PARAM_TYPE] = { "type", KC_IS_SCALAR, true },
	[PARAM_REQUIRED] = { "required", KC_IS_SCALAR, false },
	[PARAM_CHOICES] = { "choices", KC_IS_LIST, false },
	[PARAM_DEFAULT] = { "default", KC_IS_SCALAR | KC_IS_LIST | KC_IS_MAPPING, false },
	[PARAM_DOC] = { "doc", KC_IS_SCALAR, true },
};

static int read_default(const struct reading *rd, const struct kc_yaml_node *node,
			struct kc_manifest_param *p)
{
	int r;

	if (p->required)
		kc_fault_at(&rd->where, node, "the required parameter '%s' cannot have a default",
			    p->name);
	r = kc_value_parse(&rd->where, p, node, rd->arena, &p->value);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	p->has_value = true;
	p->fallback = as_written(rd->arena, &p->value, node);
	return p->fallback ? 0 : -ENOMEM;
}

static int read_param(const struct reading *rd, const struct kc_yaml_node *key,
		      const struct kc_yaml_node *node, struct kc_manifest_param *p)
{
	const struct kc_yaml_node *v[PARAM_KEYS];
	int type, r;

	p->name = key->scalar;
	if (!kc_is_id(p->name))
		kc_fault_at(&rd->where, key, "a parameter's name is [a-z0-9-]+, this is '%.100s'",
			    p->name);
	kc_schema_read(&rd->where, node, "a parameter", param_keys, PARAM_KEYS, v);
	p->doc = text_of(v[PARAM_DOC]);
	p->required =
		v[PARAM_REQUIRED] && kc_schema_bool(&rd->where, v[PARAM_REQUIRED], "required");
	if (!v[PARAM_TYPE])
		return 0;
	type = kc_enum_from_name(kc_type_names, v[PARAM_TYPE]->scalar);
	if (type < 0) {
		kc_fault_at(&rd->where, v[PARAM_TYPE], "there is no type '%.100s'%s",
			    v[PARAM_TYPE]->scalar,
			    kc_hint(v[PARAM_TYPE]->scalar, kc_type_names).text);
		return 0;
	}
	p->type = (uint32_t)type;
	r = read_strings(rd, v[PARAM_CHOICES], "choices", &p->choices);
	if (r < 0)
		return r;
	if ((p->type == KC_TYPE_CHOICE) != (kc_strv_len(p->choices) > 0))
		kc_fault_at(&rd->where, node, "the parameter '%s' %s", p->name,
			    p->type == KC_TYPE_CHOICE ? "is a choice and lacks 'choices'"
						      : "has 'choices' and is no choice");
	else if (v[PARAM_DEFAULT])
		return read_default(rd, v[PARAM_DEFAULT], p);
	return 0;
}

static int read_params(const struct reading *rd, const struct kc_yaml_node *node,
		       struct kc_manifest_check *check)
{
	uint32_t n = bounded(rd, node, "parameters", PARAMS_MAX);
	struct kc_manifest_param *params = kc_arena_zalloc(rd->arena, n, sizeof(*params));

	if (!params)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		int r = read_param(rd, node->pair[i].key, node->pair[i].value, params + i);

		if (r < 0)
			return r;
	}
	check->params = params;
	check->n_params = n;
	return 0;
}

/* Ids with a sentence each. `is` says which ids there can be. */
static int read_texts(const struct reading *rd, const struct kc_yaml_node *node, const char *what,
		      void (*is)(const struct reading *rd, const struct kc_yaml_node *key),
		      const struct kc_manifest_text **ret_texts, uint32_t *ret_n)
{
	uint32_t n = bounded(rd, node, what, TEXTS_MAX);
	struct kc_manifest_text *texts = kc_arena_zalloc(rd->arena, n, sizeof(*texts));

	if (!texts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct kc_yaml_node *key = node->pair[i].key, *value = node->pair[i].value;

		is(rd, key);
		if (value->type != KC_YAML_SCALAR || kc_yaml_is_null(value) || !*value->scalar)
			kc_fault_at(&rd->where, value, "'%.100s' of %s needs a sentence",
				    key->scalar, what);
		else
			texts[i] = (struct kc_manifest_text){ key->scalar, value->scalar };
	}
	*ret_texts = texts;
	*ret_n = n;
	return 0;
}

static void is_reason(const struct reading *rd, const struct kc_yaml_node *key)
{
	static const char *const own[] = { "offline", "condition", "horizon", "not-selected",
					   NULL };

	if (!kc_is_id(key->scalar))
		kc_fault_at(&rd->where, key, "a reason's id is [a-z0-9-]+, this is '%.100s'",
			    key->scalar);
	else if (kc_strv_has(own, key->scalar))
		kc_fault_at(&rd->where, key, "the reason '%s' is k8scheck's own; choose another id",
			    key->scalar);
}

static void is_result(const struct reading *rd, const struct kc_yaml_node *key)
{
	static const char *const verdicts[] = { "pass", "fail", "error", "manual", NULL };

	if (!kc_strv_has(verdicts, key->scalar))
		kc_fault_at(&rd->where, key,
			    "'results' explains pass, fail, error and manual, not '%.100s'%s",
			    key->scalar, kc_hint(key->scalar, verdicts).text);
}

static void check_touches(const struct reading *rd, const struct kc_yaml_node *node,
			  const struct kc_manifest_check *check)
{
	KC_FOREACH_STR (target, check->touches) {
		const char *names[PARAMS_MAX + 1] = { NULL };
		size_t n = strcspn(target, "/");
		bool known = *target != '$';

		for (uint32_t i = 0; i < check->n_params; i++) {
			names[i] = check->params[i].name;
			known |= strlen(names[i]) + 1 == n &&
				 strncmp(names[i], target + 1, n - 1) == 0;
		}
		if (known)
			continue;
		kc_fault_at(&rd->where, node,
			    "'touches' names %s, and there is no parameter '%.100s'%s", target,
			    target + 1, kc_hint(target + 1, names).text);
	}
}

static uint32_t read_horizons(const struct reading *rd, const struct kc_yaml_node *node)
{
	static const char *const names[] = { "now", "boot", NULL };
	uint32_t flags = 0, n = node->type == KC_YAML_SEQUENCE ? node->n : 1;

	for (uint32_t i = 0; i < n; i++) {
		const struct kc_yaml_node *item =
			node->type == KC_YAML_SEQUENCE ? node->item[i] : node;

		if (item->type == KC_YAML_SCALAR && kc_streq(item->scalar, "now"))
			flags |= KC_CHECK_NOW;
		else if (item->type == KC_YAML_SCALAR && kc_streq(item->scalar, "boot"))
			flags |= KC_CHECK_BOOT;
		else
			kc_fault_at(&rd->where, item, "a horizon is now or boot%s",
				    item->type == KC_YAML_SCALAR ? kc_hint(item->scalar, names).text
								 : "");
	}
	if (n == 0)
		kc_fault_at(&rd->where, node,
			    "'horizons' is empty; a check judges now, boot or both");
	return flags;
}

enum {
	CHECK_TITLE,
	CHECK_DOC,
	CHECK_HORIZONS,
	CHECK_PLANS,
	CHECK_RUNS_PROGRAM,
	CHECK_RUNS_OWN_PROGRAM,
	CHECK_ASKS_BUS,
	CHECK_PARAMETERS,
	CHECK_REASONS,
	CHECK_RESULTS,
	CHECK_READS,
	CHECK_TOUCHES,
	CHECK_REMEDY,
	CHECK_REFERENCES,
	CHECK_KEYS,
};

static const struct kc_key check_keys[CHECK_KEYS] = {
	[CHECK_TITLE] = { "title", KC_IS_SCALAR, true },
	[CHECK_DOC] = { "doc", KC_IS_SCALAR, true },
	[CHECK_HORIZONS] = { "horizons", KC_IS_SCALAR | KC_IS_LIST, true },
	[CHECK_PLANS] = { "plans", KC_IS_SCALAR, false },
	[CHECK_RUNS_PROGRAM] = { "runs-program", KC_IS_SCALAR, false },
	[CHECK_RUNS_OWN_PROGRAM] = { "runs-own-program", KC_IS_SCALAR, false },
	[CHECK_ASKS_BUS] = { "asks-bus", KC_IS_SCALAR, false },
	[CHECK_PARAMETERS] = { "parameters", KC_IS_MAPPING, false },
	[CHECK_REASONS] = { "reasons", KC_IS_MAPPING, false },
	[CHECK_RESULTS] = { "results", KC_IS_MAPPING, false },
	[CHECK_READS] = { "reads", KC_IS_SCALAR | KC_IS_LIST, false },
	[CHECK_TOUCHES] = { "touches", KC_IS_SCALAR | KC_IS_LIST, false },
	[CHECK_REMEDY] = { "remedy", KC_IS_SCALAR, false },
	[CHECK_REFERENCES] = { "references", KC_IS_SCALAR | KC_IS_LIST, false },
};

static int read_check_lists(const struct reading *rd, const struct kc_yaml_node *const *v,
			    struct kc_manifest_check *check)
{
	int r;

	r = read_params(rd, v[CHECK_PARAMETERS], check);
	if (r < 0)
		return r;
	r = read_texts(rd, v[CHECK_REASONS], "reasons", is_reason, &check->reasons,
		       &check->n_reasons);
	if (r < 0)
		return r;
	r = read_texts(rd, v[CHECK_RESULTS], "results", is_result, &check->results,
		       &check->n_results);
	if (r < 0)
		return r;
	r = read_strings(rd, v[CHECK_READS], "reads", &check->reads);
	if (r < 0)
		return r;
	r = read_strings(rd, v[CHECK_TOUCHES], "touches", &check->touches);
	if (r < 0)
		return r;
	if (check->touches)
		check_touches(rd, v[CHECK_TOUCHES], check);
	return read_strings(rd, v[CHECK_REFERENCES], "references", &check->references);
}

static int read_check(const struct reading *rd, const struct kc_yaml_node *key,
		      const struct kc_yaml_node *node, struct kc_manifest_check *check)
{
	const struct kc_yaml_node *v[CHECK_KEYS];

	if (!kc_is_id(key->scalar))
		kc_fault_at(&rd->where, key, "a check's id is [a-z0-9-]+, this is '%.100s'",
			    key->scalar);
	check->id = kc_arena_printf(rd->arena, "%s.%s", rd->plugin, key->scalar);
	if (!check->id)
		return -ENOMEM;
	kc_schema_read(&rd->where, node, "a check", check_keys, CHECK_KEYS, v);
	expect_line(rd, v[CHECK_TITLE], "title");
	check->title = text_of(v[CHECK_TITLE]);
	check->doc = text_of(v[CHECK_DOC]);
	check->remedy = text_of(v[CHECK_REMEDY]);
	if (v[CHECK_HORIZONS])
		check->flags |= read_horizons(rd, v[CHECK_HORIZONS]);
	if (v[CHECK_PLANS] && kc_schema_bool(&rd->where, v[CHECK_PLANS], "plans"))
		check->flags |= KC_CHECK_PLANS;
	if (v[CHECK_RUNS_PROGRAM] &&
	    kc_schema_bool(&rd->where, v[CHECK_RUNS_PROGRAM], "runs-program"))
		check->flags |= KC_CHECK_RUNS_PROGRAM;
	if (v[CHECK_RUNS_OWN_PROGRAM] &&
	    kc_schema_bool(&rd->where, v[CHECK_RUNS_OWN_PROGRAM], "runs-own-program"))
		check->flags |= KC_CHECK_RUNS_OWN_PROGRAM;
	check->asks_bus =
		v[CHECK_ASKS_BUS] && kc_schema_bool(&rd->where, v[CHECK_ASKS_BUS], "asks-bus");
	return read_check_lists(rd, v, check);
}

static int read_checks(const struct reading *rd, const struct kc_yaml_node *node,
		       struct kc_manifest *manifest)
{
	uint32_t n = bounded(rd, node, "checks", CHECKS_MAX);
	struct kc_manifest_check *checks = kc_arena_zalloc(rd->arena, n, sizeof(*checks));

	if (!checks)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		int r = read_check(rd, node->pair[i].key, node->pair[i].value, checks + i);

		if (r < 0)
			return r;
	}
	manifest->checks = checks;
	manifest->n_checks = n;
	return 0;
}

static int read_facts(const struct reading *rd, const struct kc_yaml_node *node,
		      struct kc_manifest *manifest)
{
	uint32_t n = bounded(rd, node, "facts", FACTS_MAX);
	struct kc_manifest_fact *facts = kc_arena_zalloc(rd->arena, n, sizeof(*facts));

	if (!facts)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		const struct kc_yaml_node *key = node->pair[i].key, *doc = node->pair[i].value;

		if (!kc_is_name(key->scalar))
			kc_fault_at(&rd->where, key,
				    "a fact's name is [a-z0-9.-]+, this is '%.100s'", key->scalar);
		if (doc->type != KC_YAML_SCALAR || kc_yaml_is_null(doc) || !*doc->scalar)
			kc_fault_at(&rd->where, doc, "the fact '%.100s' needs a sentence",
				    key->scalar);
		else
			facts[i] = (struct kc_manifest_fact){ key->scalar, doc->scalar };
	}
	manifest->facts = facts;
	manifest->n_facts = n;
	return 0;
}

enum {
	TOP_NAME,
	TOP_VERSION,
	TOP_TITLE,
	TOP_DOC,
	TOP_STATE,
	TOP_FACTS,
	TOP_CHECKS,
	TOP_KEYS
};

static const struct kc_key top_keys[TOP_KEYS] = {
	[TOP_NAME] = { "name", KC_IS_SCALAR, true },
	[TOP_VERSION] = { "version", KC_IS_SCALAR, true },
	[TOP_TITLE] = { "title", KC_IS_SCALAR, true },
	[TOP_DOC] = { "doc", KC_IS_SCALAR, false },
	[TOP_STATE] = { "state", KC_IS_SCALAR, false },
	[TOP_FACTS] = { "facts", KC_IS_MAPPING, false },
	[TOP_CHECKS] = { "checks", KC_IS_MAPPING, false },
};

static int read_top(struct reading *rd, const struct kc_yaml_node *node, struct kc_manifest *m)
{
	const struct kc_yaml_node *v[TOP_KEYS];
	int r;

	kc_schema_read(&rd->where, node, "a manifest", top_keys, TOP_KEYS, v);
	m->name = rd->plugin = v[TOP_NAME] ? v[TOP_NAME]->scalar : "";
	/* It becomes part of C names. */
	if (v[TOP_NAME] && (!kc_is_id(m->name) || m->name[0] < 'a'))
		kc_fault_at(&rd->where, v[TOP_NAME],
			    "a plugin's name is [a-z][a-z0-9-]*, this is '%.100s'", m->name);
	m->version = text_of(v[TOP_VERSION]);
	m->title = text_of(v[TOP_TITLE]);
	m->doc = text_of(v[TOP_DOC]);
	expect_line(rd, v[TOP_VERSION], "version");
	expect_line(rd, v[TOP_TITLE], "title");
	m->state = v[TOP_STATE] && kc_schema_bool(&rd->where, v[TOP_STATE], "state");
	if (node->type == KC_YAML_MAPPING && !kc_yaml_get(node, "checks") &&
	    !kc_yaml_get(node, "facts"))
		kc_fault_at(&rd->where, node, "a manifest needs 'checks' or 'facts'");
	r = read_facts(rd, v[TOP_FACTS], m);
	if (r < 0)
		return r;
	return read_checks(rd, v[TOP_CHECKS], m);
}

int kc_manifest_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		      struct kc_err *err, const struct kc_manifest **ret_manifest)
{
	struct kc_faults faults = { 0 };
	struct reading rd = { .where = { .faults = &faults, .file = file }, .arena = arena };
	const struct kc_yaml_node *node = NULL;
	struct kc_manifest *m;
	int r;

	r = kc_yaml_parse(file, text, size, 0, arena, err, &node);
	if (r < 0)
		return r;
	if (!node)
		return kc_err_set(err, -EINVAL, "%s: the manifest is empty", file);
	m = kc_arena_zalloc(arena, 1, sizeof(*m));
	r = m ? read_top(&rd, node, m) : -ENOMEM;
	if (r == 0) {
		m->file = kc_arena_strdup(arena, file);
		r = m->file ? kc_faults_first(&faults, err) : -ENOMEM;
	}
	kc_faults_done(&faults);
	if (r == -ENOMEM)
		return kc_err_set(err, r, "%s: %s", file, kc_strerror(r));
	if (r == 0)
		*ret_manifest = m;
	return r;
}
