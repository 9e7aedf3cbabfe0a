/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "err.h"

/*
 * YAML text as a tree of nodes with their places, by libyaml's events. Bounded in size, depth and
 * number of nodes; one document; mapping keys are scalars and stand once; tags are refused, and so
 * are aliases unless asked for.
 */
enum kc_yaml_type {
	KC_YAML_SCALAR = 1,
	KC_YAML_SEQUENCE = 2,
	KC_YAML_MAPPING = 3,
};

struct kc_yaml_node {
	uint8_t type; /* enum kc_yaml_type */
	bool plain; /* a scalar without quotes: null, true and numbers are theirs alone */
	uint16_t column; /* from 1; 65535 for all beyond */
	uint32_t line; /* from 1 */
	uint32_t n; /* length of the scalar, items of a sequence, pairs of a mapping */
	union {
		const char *scalar; /* NUL-terminated, without NUL inside */
		struct kc_yaml_node *const *item; /* sequence */
		const struct kc_yaml_pair *pair; /* mapping, in the order of the text */
	};
};

struct kc_yaml_pair {
	const struct kc_yaml_node *key, *value;
};

enum {
	KC_YAML_ALIASES = 1u << 0, /* resolve aliases (never to a node that is still open) */
	KC_YAML_DUPLICATES = 1u << 1, /* accept a key that stands twice; the last is found first */
};

/*
 * Parses `size` bytes of text. `name` is for messages, which begin "NAME:LINE:COLUMN: ". The tree
 * lives in the arena. *ret_node is NULL for an empty document. -EINVAL for text that is refused.
 */
int kc_yaml_parse(const char *name, const char *text, size_t size, unsigned flags,
		  struct kc_arena *arena, struct kc_err *err, const struct kc_yaml_node **ret_node);

/*
 * The same, with the texts in an arena of their own that may outlive the nodes: of a profile of
 * 10,000 rules the nodes are the larger part, and nobody needs them once the rules are made.
 */
int kc_yaml_parse_apart(const char *name, const char *text, size_t size, unsigned flags,
			struct kc_arena *nodes, struct kc_arena *texts, struct kc_err *err,
			const struct kc_yaml_node **ret_node);

/* The value of a key, or NULL; NULL also when the node is no mapping. */
const struct kc_yaml_node *kc_yaml_get(const struct kc_yaml_node *mapping, const char *key);

/* True for an empty plain scalar, ~ and null. */
bool kc_yaml_is_null(const struct kc_yaml_node *node);

/* "a mapping", "a list", "text": for messages. */
const char *kc_yaml_type_name(const struct kc_yaml_node *node);
