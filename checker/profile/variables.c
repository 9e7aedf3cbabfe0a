/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fdio.h"
#include "base/grow.h"
#include "loader.h"
#include "open.h"

/*
 * Variables: ${name} in texts. A value may name others; $${ stands for ${ itself. The sizes are
 * bounded, since a few lines of doubling would fill the memory.
 */

enum {
	VARIABLES_MAX = 1000,
	NESTED_MAX = 32,
	HINTS_MAX = 100,
	TEXT_MAX = 64 * 1024
};

static bool is_variable(const char *s, size_t n)
{
	if (n == 0 || n > 100 || s[0] == '-' || s[0] == '.')
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '.' && c != '_')
			return false;
	}
	return true;
}

static struct kc_loader_variable *find(struct kc_loader *l, const char *name, size_t n)
{
	for (uint32_t i = 0; i < l->n_variables; i++) {
		const char *s = l->variables[i].name;

		if (strncmp(s, name, n) == 0 && !s[n])
			return l->variables + i;
	}
	return NULL;
}

static struct kc_hint hint_for(struct kc_loader *l, const char *name)
{
	const char **names;
	struct kc_hint hint = { "" };

	/* Who has so many faults needs no more of them, and each costs a walk over all names. */
	if (l->faults.n_errors >= HINTS_MAX)
		return hint;
	names = calloc((size_t)l->n_variables + 1, sizeof(*names));
	if (!names)
		return hint;
	for (uint32_t i = 0; i < l->n_variables; i++)
		names[i] = l->variables[i].name;
	hint = kc_hint(name, names);
	free(names);
	return hint;
}

static int variable_new(struct kc_loader *l, const char *name,
			struct kc_loader_variable **ret_variable)
{
	struct kc_loader_variable *variables;

	variables = kc_grow(l->variables, l->n_variables, &l->variables_size, sizeof(*variables));
	if (!variables)
		return -ENOMEM;
	l->variables = variables;
	*ret_variable = l->variables + l->n_variables++;
	**ret_variable = (struct kc_loader_variable){ .name = name };
	return 0;
}

static void set(struct kc_loader *l, uint16_t input, struct kc_loader_variable *v,
		const struct kc_yaml_pair *pair)
{
	bool option = l->inputs[input].option;

	v->node = pair->value;
	v->origin = (struct kc_origin){ .source = input,
					.line = option ? 0 : pair->key->line,
					.column = option ? (uint16_t)0 : pair->key->column };
	v->untrusted = kc_loader_untrusted(l, input);
}

/* A file of variables may serve several profiles; who types a name means it. */
static void refuse_unknown(struct kc_loader *l, const struct kc_where *where,
			   const struct kc_yaml_node *key)
{
	struct kc_hint hint = hint_for(l, key->scalar);

	if (l->incomplete)
		return;
	if (where->option)
		kc_fault_at(where, key, "the profile has no variable '%s'%s", key->scalar,
			    hint.text);
	else
		kc_warn_at(where, key, "the profile has no variable '%s'%s", key->scalar,
			   hint.text);
}

/* One variable of an input. `known`: it may only set what is there. */
static int merge_one(struct kc_loader *l, uint16_t input, const struct kc_yaml_pair *pair,
		     bool known)
{
	const struct kc_yaml_node *key = pair->key, *value = pair->value;
	struct kc_where where = kc_loader_where(l, input);
	struct kc_loader_variable *v;

	if (!is_variable(key->scalar, key->n)) {
		kc_fault_at(&where, key, "a variable's name is [A-Za-z0-9_.-]+, this is '%.100s'",
			    key->scalar);
		return 0;
	}
	if (value->type != KC_YAML_SCALAR || kc_yaml_is_null(value)) {
		kc_fault_at(&where, value, "the variable '%s' must be text, this is %s",
			    key->scalar,
			    value->type == KC_YAML_SCALAR ? "nothing" : kc_yaml_type_name(value));
		return 0;
	}
	v = find(l, key->scalar, key->n);
	if (!v && known) {
		refuse_unknown(l, &where, key);
		return 0;
	}
	if (!v) {
		int r;

		if (l->n_variables == VARIABLES_MAX) {
			kc_fault_at(&where, key, "there are more than %d variables", VARIABLES_MAX);
			return 0;
		}
		r = variable_new(l, key->scalar, &v);
		if (r < 0)
			return r;
	}
	set(l, input, v, pair);
	return 0;
}

static int merge(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *vars, bool known)
{
	int r = 0;

	for (uint32_t i = 0; i < vars->n && r == 0; i++)
		r = merge_one(l, input, vars->pair + i, known);
	return r;
}

int kc_variables_merge(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *vars)
{
	return merge(l, input, vars, false);
}

static int read_file(struct kc_loader *l, const char *path)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	const struct kc_yaml_node *node = NULL;
	struct kc_err err = { 0 }, distrust;
	struct kc_where where;
	uint16_t input = 0;
	int r;

	r = kc_profile_open(path, NULL, &err, &fd, &distrust);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		where = (struct kc_where){
			.faults = &l->faults, .file = "--vars", .order = l->n_inputs, .option = true
		};
		kc_fault_at(&where, NULL, "%s", err.text);
		return 0;
	}
	r = kc_loader_read(l, fd, path, &distrust, "file of variables", &input, &node);
	if (r < 0 || !node)
		return r;
	if (node->type == KC_YAML_MAPPING)
		return merge(l, input, node, true);
	where = kc_loader_where(l, input);
	kc_fault_at(&where, node,
		    "a file of variables must be a mapping of names to texts, this is %s",
		    kc_yaml_type_name(node));
	return 0;
}

/* A scalar that no file has. */
static struct kc_yaml_node *scalar_new(struct kc_arena *nodes, const char *text)
{
	struct kc_yaml_node *node = kc_arena_zalloc(nodes, 1, sizeof(*node));

	if (!node)
		return NULL;
	node->type = KC_YAML_SCALAR;
	node->n = (uint32_t)strlen(text);
	node->scalar = text;
	return node;
}

static int read_option(struct kc_loader *l, const char *option)
{
	const char *equals = strchr(option, '=');
	int n = (int)(equals ? equals - option : (ptrdiff_t)strlen(option));
	/* Without the value, which may be a secret. */
	char *label = kc_arena_printf(&l->scratch, "--var %.*s", KC_MIN(n, 100), option);
	struct kc_yaml_pair *pair = kc_arena_zalloc(&l->scratch, 1, sizeof(*pair));
	const char *name = kc_arena_memdup(l->arena, option, (size_t)n);
	const char *value = equals ? kc_arena_strdup(l->arena, equals + 1) : "";
	uint16_t input = 0;
	int r;

	if (!label || !pair || !name || !value)
		return -ENOMEM;
	r = kc_loader_add(l, "--var", label, true, &input);
	if (r < 0)
		return r;
	if (!equals) {
		struct kc_where where = kc_loader_where(l, input);

		kc_fault_at(&where, NULL, "this must be NAME=VALUE");
		return 0;
	}
	if (strlen(value) > TEXT_MAX) {
		struct kc_where where = kc_loader_where(l, input);

		kc_fault_at(&where, NULL, "the value is longer than %d bytes", TEXT_MAX);
		return 0;
	}
	pair->key = scalar_new(&l->scratch, name);
	pair->value = scalar_new(&l->scratch, value);
	if (!pair->key || !pair->value)
		return -ENOMEM;
	return merge_one(l, input, pair, true);
}

int kc_variables_options(struct kc_loader *l)
{
	int r = 0;

	KC_FOREACH_STR (path, l->request->var_files) {
		r = read_file(l, path);
		if (r < 0)
			return r;
	}
	KC_FOREACH_STR (option, l->request->vars) {
		r = read_option(l, option);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *kc_variable_value(struct kc_loader *l, const char *name, struct kc_hint *ret_hint)
{
	const struct kc_loader_variable *v = find(l, name, strlen(name));

	if (!v)
		*ret_hint = hint_for(l, name);
	/* What is wrong with a faulty one has been said. */
	return !v ? NULL : v->value ? v->value : "";
}

/* ---- expansion */

struct expansion {
	struct kc_loader *l;
	struct kc_where where;
	const struct kc_yaml_node *node; /* whose text it is, for messages */
	struct kc_buf out;
	bool untrusted;
	unsigned nested;
};

static int make_value(struct kc_loader *l, struct kc_loader_variable *v, unsigned nested);

/* Notes a fault unless it follows from another one that is noted. -EINVAL always. */
static int refuse(struct expansion *e, const char *fmt, const char *name, size_t n,
		  const char *hint)
{
	kc_fault_at(&e->where, e->node, fmt, (int)KC_MIN(n, (size_t)100), name, hint);
	return -EINVAL;
}

static int insert(struct expansion *e, const char *name, size_t n)
{
	struct kc_loader_variable *v = find(e->l, name, n);
	char word[128] = "";
	int r;

	if (!v) {
		if (e->l->incomplete)
			return -EINVAL;
		memcpy(word, name, KC_MIN(n, sizeof(word) - 1));
		return refuse(e, "there is no variable '%.*s'%s", name, n,
			      hint_for(e->l, word).text);
	}
	if (v->state == KC_VARIABLE_OPEN)
		return refuse(e, "the variable '%.*s' is made of itself%s", name, n, "");
	if (e->nested >= NESTED_MAX)
		return refuse(e, "variables lead to each other more than 32 deep, at '%.*s'%s",
			      name, n, "");
	r = make_value(e->l, v, e->nested + 1);
	if (r < 0)
		return r;
	if (v->state == KC_VARIABLE_FAULTY)
		return -EINVAL;
	e->untrusted |= v->untrusted;
	kc_buf_adds(&e->out, v->value);
	if (e->out.len > TEXT_MAX)
		return refuse(e, "with '%.*s' put in, this is longer than 64 KiB%s", name, n, "");
	return 0;
}

static int expand_text(struct expansion *e, const char *s)
{
	while (*s) {
		const char *dollar = strchr(s, '$'), *end;
		int r;

		if (!dollar) {
			kc_buf_adds(&e->out, s);
			break;
		}
		kc_buf_add(&e->out, s, (size_t)(dollar - s));
		s = dollar + 1;
		if (s[0] == '$' && s[1] == '{') {
			kc_buf_adds(&e->out, "${");
			s += 2;
			continue;
		}
		if (s[0] != '{') {
			kc_buf_addc(&e->out, '$');
			continue;
		}
		end = strchr(s, '}');
		if (!end)
			return refuse(e,
				      "'%.*s' lacks its closing brace; ${ itself is written $${%s",
				      dollar, strlen(dollar), "");
		r = insert(e, s + 1, (size_t)(end - s - 1));
		if (r < 0)
			return r;
		s = end + 1;
	}
	return kc_buf_error(&e->out);
}

/* 0, -ENOMEM, or -EINVAL with a fault noted. */
static int expand(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *node,
		  unsigned nested, bool *untrusted, const char **ret_text)
{
	struct expansion e = {
		.l = l, .where = kc_loader_where(l, input), .node = node, .nested = nested
	};
	int r = expand_text(&e, node->scalar);

	if (r == 0) {
		*ret_text = kc_arena_memdup(l->arena, e.out.data ? e.out.data : "", e.out.len);
		r = *ret_text ? 0 : -ENOMEM;
		*untrusted |= e.untrusted;
	}
	kc_buf_done(&e.out);
	return r;
}

static int make_value(struct kc_loader *l, struct kc_loader_variable *v, unsigned nested)
{
	int r;

	if (v->state != KC_VARIABLE_RAW)
		return 0;
	if (!strchr(v->node->scalar, '$')) {
		v->value = v->node->scalar;
		v->state = KC_VARIABLE_DONE;
		return 0;
	}
	v->state = KC_VARIABLE_OPEN;
	r = expand(l, v->origin.source, v->node, nested, &v->untrusted, &v->value);
	v->state = r == 0 ? KC_VARIABLE_DONE : KC_VARIABLE_FAULTY;
	return r == -EINVAL ? 0 : r;
}

int kc_variables_expand(struct kc_loader *l)
{
	int r = 0;

	for (uint32_t i = 0; i < l->n_variables && r == 0; i++)
		r = make_value(l, l->variables + i, 0);
	return r;
}

static bool has_variables(const struct kc_yaml_node *node)
{
	bool found = false;

	switch (node->type) {
	case KC_YAML_SCALAR:
		return memchr(node->scalar, '$', node->n) != NULL;
	case KC_YAML_SEQUENCE:
		for (uint32_t i = 0; i < node->n && !found; i++)
			found = has_variables(node->item[i]);
		return found;
	default:
		for (uint32_t i = 0; i < node->n && !found; i++)
			found = has_variables(node->pair[i].key) ||
				has_variables(node->pair[i].value);
		return found;
	}
}

static int copy(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *node,
		bool *untrusted, const struct kc_yaml_node **ret_node);

static int copy_list(struct kc_loader *l, uint16_t input, struct kc_yaml_node *node,
		     bool *untrusted)
{
	const struct kc_yaml_node **items = kc_arena_zalloc(&l->scratch, node->n, sizeof(*items));
	int r = items ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < node->n && r == 0; i++)
		r = copy(l, input, node->item[i], untrusted, items + i);
	if (r == 0)
		node->item = (struct kc_yaml_node *const *)items;
	return r;
}

/* Two keys can come out equal that were not. */
static int check_keys(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *node,
		      const struct kc_yaml_pair *pairs)
{
	struct kc_where where = kc_loader_where(l, input);
	bool some = false;

	for (uint32_t i = 0; i < node->n && !some; i++)
		some = has_variables(node->pair[i].key);
	if (some && node->n > VARIABLES_MAX) {
		kc_fault_at(&where, node,
			    "a mapping with variables in its keys has more than %d of them",
			    VARIABLES_MAX);
		return -EINVAL;
	}
	for (uint32_t i = 1; some && i < node->n; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (!kc_streq(pairs[j].key->scalar, pairs[i].key->scalar))
				continue;
			kc_fault_at(&where, node->pair[i].key, "the key '%.100s' stands here twice",
				    pairs[i].key->scalar);
			return -EINVAL;
		}
	}
	return 0;
}

static int copy_mapping(struct kc_loader *l, uint16_t input, struct kc_yaml_node *node,
			bool *untrusted)
{
	struct kc_yaml_pair *pairs = kc_arena_zalloc(&l->scratch, node->n, sizeof(*pairs));
	int r = pairs ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < node->n && r == 0; i++) {
		r = copy(l, input, node->pair[i].key, untrusted, &pairs[i].key);
		if (r == 0)
			r = copy(l, input, node->pair[i].value, untrusted, &pairs[i].value);
	}
	if (r == 0)
		r = check_keys(l, input, node, pairs);
	if (r == 0)
		node->pair = pairs;
	return r;
}

static int copy(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *node,
		bool *untrusted, const struct kc_yaml_node **ret_node)
{
	struct kc_yaml_node *n;
	int r;

	if (!has_variables(node)) {
		*ret_node = node;
		return 0;
	}
	n = kc_arena_alloc(&l->scratch, sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = *node;
	if (node->type == KC_YAML_SEQUENCE)
		r = copy_list(l, input, n, untrusted);
	else if (node->type == KC_YAML_MAPPING)
		r = copy_mapping(l, input, n, untrusted);
	else
		r = expand(l, input, node, 0, untrusted, &n->scalar);
	if (r < 0)
		return r;
	if (node->type == KC_YAML_SCALAR) {
		n->n = (uint32_t)strlen(n->scalar);
		/* A variable's empty text is text, and not the null that it would be in a file. */
		n->plain = false;
	}
	*ret_node = n;
	return 0;
}

int kc_expand(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *node, bool *untrusted,
	      const struct kc_yaml_node **ret_node)
{
	int r = copy(l, input, node, untrusted, ret_node);

	if (r == -EINVAL) {
		*ret_node = NULL;
		return 0;
	}
	return r;
}
