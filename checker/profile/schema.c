/* SPDX-License-Identifier: Apache-2.0 */
#include "schema.h"
#include "base/num.h"
#include "base/str.h"

enum {
	NAME_LENGTH = 100,
	KEYS_MAX = 32
};

const char *kc_schema_types_name(unsigned types)
{
	switch (types) {
	case KC_IS_SCALAR:
		return "text";
	case KC_IS_LIST:
		return "a list";
	case KC_IS_MAPPING:
		return "a mapping";
	case KC_IS_SCALAR | KC_IS_LIST:
		return "text or a list";
	case KC_IS_LIST | KC_IS_MAPPING:
		return "a list or a mapping";
	default:
		return "text, a list or a mapping";
	}
}

static void refuse_unknown(const struct kc_where *where, const struct kc_yaml_node *key,
			   const char *what, const struct kc_key *keys, size_t n_keys)
{
	const char *names[KEYS_MAX + 1] = { NULL };

	for (size_t i = 0; i < n_keys && i < KEYS_MAX; i++)
		names[i] = keys[i].name;
	kc_fault_at(where, key, "%s has no key '%.100s'%s", what, key->scalar,
		    kc_hint(key->scalar, names).text);
}

static size_t find_key(const struct kc_key *keys, size_t n_keys, const char *name)
{
	size_t i = 0;

	while (i < n_keys && (keys[i].name[0] != name[0] || !kc_streq(keys[i].name, name)))
		i++;
	return i;
}

void kc_schema_read(const struct kc_where *where, const struct kc_yaml_node *mapping,
		    const char *what, const struct kc_key *keys, size_t n_keys,
		    const struct kc_yaml_node **ret_values)
{
	uint32_t given = 0;

	for (size_t i = 0; i < n_keys; i++)
		ret_values[i] = NULL;
	if (mapping->type != KC_YAML_MAPPING) {
		kc_fault_at(where, mapping, "%s must be a mapping, this is %s", what,
			    kc_yaml_type_name(mapping));
		return;
	}
	for (uint32_t i = 0; i < mapping->n; i++) {
		const struct kc_yaml_node *key = mapping->pair[i].key,
					  *value = mapping->pair[i].value;
		size_t k = find_key(keys, n_keys, key->scalar);

		if (k == n_keys) {
			refuse_unknown(where, key, what, keys, n_keys);
			continue;
		}
		given |= 1u << k;
		if (kc_yaml_is_null(value))
			kc_fault_at(where, key, "'%s' of %s has no value", key->scalar, what);
		else if (!(keys[k].types & (1u << value->type)))
			kc_fault_at(where, value, "'%s' of %s must be %s, this is %s", key->scalar,
				    what, kc_schema_types_name(keys[k].types),
				    kc_yaml_type_name(value));
		else
			ret_values[k] = value;
	}
	for (size_t k = 0; k < n_keys; k++) {
		if (keys[k].required && !(given & (1u << k)))
			kc_fault_at(where, mapping, "%s lacks the key '%s'", what, keys[k].name);
	}
}

static bool is_word(const char *s, bool dots)
{
	size_t n = 0;

	if (*s == '-' || *s == '.')
		return false;
	for (; s[n]; n++) {
		char c = s[n];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' &&
		    !(dots && c == '.'))
			return false;
	}
	return n > 0 && n <= NAME_LENGTH;
}

bool kc_is_id(const char *s)
{
	return is_word(s, false);
}

bool kc_is_name(const char *s)
{
	return is_word(s, true);
}

static const char *string_of(const struct kc_where *where, const struct kc_yaml_node *node,
			     const char *what)
{
	if (node->type != KC_YAML_SCALAR) {
		kc_fault_at(where, node, "an item of '%s' must be text, this is %s", what,
			    kc_yaml_type_name(node));
		return NULL;
	}
	if (kc_yaml_is_null(node)) {
		kc_fault_at(where, node, "an item of '%s' is empty", what);
		return NULL;
	}
	return node->scalar;
}

int kc_schema_strings(const struct kc_where *where, const struct kc_yaml_node *node,
		      const char *what, struct kc_arena *arena, const char *const **ret_list,
		      uint32_t *ret_n)
{
	uint32_t n = node->type == KC_YAML_SEQUENCE ? node->n : 1;
	const char **list;

	if (node->type == KC_YAML_MAPPING || kc_yaml_is_null(node)) {
		kc_fault_at(where, node, "'%s' must be a list of texts, this is %s", what,
			    node->type == KC_YAML_MAPPING ? "a mapping" : "nothing");
		return -EINVAL;
	}
	list = kc_arena_alloc(arena, ((size_t)n + 1) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		list[i] = string_of(where, node->type == KC_YAML_SEQUENCE ? node->item[i] : node,
				    what);
		if (!list[i])
			return -EINVAL;
	}
	list[n] = NULL;
	*ret_list = list;
	if (ret_n)
		*ret_n = n;
	return 0;
}

bool kc_schema_bool(const struct kc_where *where, const struct kc_yaml_node *node, const char *what)
{
	bool value = false;

	if (kc_parse_bool(node->scalar, &value) < 0)
		kc_fault_at(where, node, "'%s' must be true or false, this is '%.100s'", what,
			    node->scalar);
	return value;
}
