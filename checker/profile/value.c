/* SPDX-License-Identifier: Apache-2.0 */
#include "value.h"
#include "base/num.h"

static int refuse(const struct kc_where *where, const struct kc_yaml_node *node, const char *name,
		  const char *wanted, int code)
{
	kc_fault_at(where, node, "'%s' must be %s, this is '%.100s'%s", name, wanted, node->scalar,
		    code == -ERANGE ? ", which is too large" : "");
	return -EINVAL;
}

static int parse_number(const struct kc_where *where, const struct kc_manifest_param *param,
			const struct kc_yaml_node *node, int64_t *ret_number)
{
	static const char *const wanted[] = {
		[KC_TYPE_INTEGER] = "an integer",
		[KC_TYPE_BOOLEAN] = "true or false",
		[KC_TYPE_DURATION] = "a duration such as 2s, 500ms or 1m30s",
		[KC_TYPE_SIZE] = "a size such as 4Gi, 512M or 4096",
	};
	uint64_t u = 0;
	int64_t i = 0;
	bool b = false;
	int r;

	switch (param->type) {
	case KC_TYPE_INTEGER:
		r = kc_parse_i64(node->scalar, &i);
		break;
	case KC_TYPE_BOOLEAN:
		r = kc_parse_bool(node->scalar, &b);
		i = b;
		break;
	case KC_TYPE_DURATION:
		r = kc_parse_duration(node->scalar, &u);
		break;
	default:
		r = kc_parse_size(node->scalar, &u);
		break;
	}
	if (r == 0 && u > INT64_MAX)
		r = -ERANGE;
	if (r < 0)
		return refuse(where, node, param->name, wanted[param->type], r);
	*ret_number = u ? (int64_t)u : i;
	return 0;
}

static int parse_choice(const struct kc_where *where, const struct kc_manifest_param *param,
			const struct kc_yaml_node *node, const char **ret_string)
{
	kc_cleanup(kc_buf_done) struct kc_buf all = { 0 };

	KC_FOREACH_STR (choice, param->choices) {
		if (kc_streq(choice, node->scalar)) {
			*ret_string = choice;
			return 0;
		}
	}
	KC_FOREACH_STR (choice, param->choices)
		kc_buf_addf(&all, "%s%s", all.len ? ", " : "", choice);
	kc_fault_at(where, node, "'%s' must be one of %s; this is '%.100s'%s", param->name,
		    all.data ? all.data : "", node->scalar,
		    kc_hint(node->scalar, param->choices).text);
	return -EINVAL;
}

static int parse_map(const struct kc_where *where, const struct kc_manifest_param *param,
		     const struct kc_yaml_node *node, struct kc_arena *arena, struct kc_value *v)
{
	struct kc_pair *pairs;

	if (node->type != KC_YAML_MAPPING) {
		kc_fault_at(where, node, "'%s' must be a mapping, this is %s", param->name,
			    kc_yaml_type_name(node));
		return -EINVAL;
	}
	pairs = kc_arena_alloc(arena, node->n * sizeof(*pairs));
	if (!pairs)
		return -ENOMEM;
	for (uint32_t i = 0; i < node->n; i++) {
		const struct kc_yaml_node *value = node->pair[i].value;

		if (value->type != KC_YAML_SCALAR || kc_yaml_is_null(value)) {
			kc_fault_at(where, value,
				    "the value of '%.100s' in '%s' must be text, this is %s",
				    node->pair[i].key->scalar, param->name,
				    value->type == KC_YAML_SCALAR ? "nothing"
								  : kc_yaml_type_name(value));
			return -EINVAL;
		}
		pairs[i] = (struct kc_pair){ node->pair[i].key->scalar, value->scalar };
	}
	v->map = pairs;
	v->n = node->n;
	return 0;
}

int kc_value_parse(const struct kc_where *where, const struct kc_manifest_param *param,
		   const struct kc_yaml_node *node, struct kc_arena *arena,
		   struct kc_value *ret_value)
{
	struct kc_value v = { .type = param->type };
	int r = 0;

	if (param->type != KC_TYPE_LIST && param->type != KC_TYPE_MAP) {
		if (node->type != KC_YAML_SCALAR || kc_yaml_is_null(node)) {
			kc_fault_at(where, node, "'%s' must be one value, this is %s", param->name,
				    node->type == KC_YAML_SCALAR ? "nothing"
								 : kc_yaml_type_name(node));
			return -EINVAL;
		}
	}
	switch (param->type) {
	case KC_TYPE_STRING:
		v.string = node->scalar;
		break;
	case KC_TYPE_CHOICE:
		r = parse_choice(where, param, node, &v.string);
		break;
	case KC_TYPE_LIST:
		r = kc_schema_strings(where, node, param->name, arena, &v.list, &v.n);
		break;
	case KC_TYPE_MAP:
		r = parse_map(where, param, node, arena, &v);
		break;
	default:
		r = parse_number(where, param, node, &v.number);
		break;
	}
	if (r == 0)
		*ret_value = v;
	return r;
}
