/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fault.h"

/* Strict reading of mappings and texts, for profiles and manifests alike. */

enum {
	KC_IS_SCALAR = 1u << KC_YAML_SCALAR,
	KC_IS_LIST = 1u << KC_YAML_SEQUENCE,
	KC_IS_MAPPING = 1u << KC_YAML_MAPPING,
};

struct kc_key {
	const char *name;
	uint8_t types; /* KC_IS_*: what its value may be */
	bool required;
};

/*
 * Looks the keys of a mapping up in a table: ret_values[i] is the value of keys[i], NULL when it is
 * not there or of a wrong type. Unknown keys (with the nearest of the table), null values, wrong
 * types and missing keys are faults; `what` names the mapping in them ("a rule").
 */
void kc_schema_read(const struct kc_where *where, const struct kc_yaml_node *mapping,
		    const char *what, const struct kc_key *keys, size_t n_keys,
		    const struct kc_yaml_node **ret_values);

/* "text", "a list or a mapping": of KC_IS_*. */
const char *kc_schema_types_name(unsigned types);

/*
 * Names: of plugins, checks, rules, parameters ([a-z0-9-]+), of profiles, variables and facts (with
 * dots too); neither begins with a dash or a dot; at most 100 characters.
 */
bool kc_is_id(const char *s);
bool kc_is_name(const char *s);

/*
 * A list of texts, or one text, as a NULL-terminated list in the arena. -EINVAL when it is
 * something else, with a fault noted; `what` names it.
 */
int kc_schema_strings(const struct kc_where *where, const struct kc_yaml_node *node,
		      const char *what, struct kc_arena *arena, const char *const **ret_list,
		      uint32_t *ret_n);

/* "true", "no", …; false with a fault when it is none. */
bool kc_schema_bool(const struct kc_where *where, const struct kc_yaml_node *node,
		    const char *what);
