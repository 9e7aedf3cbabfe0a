/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "base/arena.h"
#include "base/err.h"

/*
 * TOML 1.0 text as a tree of C nodes with their places, by toml++. The text may come from anybody:
 * its size, the length and the parts of a key, the nesting and the number of values are bounded,
 * and bounded before the library sees the text, because it recurses.
 */
enum {
	KC_TOML_SIZE_MAX = 1024 * 1024,
	KC_TOML_VALUES_MAX = 16384, /* keys, items, tables and parts of dotted keys, all together */
	KC_TOML_DEPTH_MAX = 32, /* open brackets and braces; parts of one key */
	KC_TOML_KEY_MAX = 1024, /* bytes of one part of a key */
};

enum kc_toml_type {
	KC_TOML_TABLE = 1,
	KC_TOML_ARRAY = 2,
	KC_TOML_STRING = 3,
	KC_TOML_INTEGER = 4,
	KC_TOML_FLOAT = 5,
	KC_TOML_BOOLEAN = 6,
	KC_TOML_TIME = 7, /* a date, a time of day, or both */
};

struct kc_toml_node {
	uint32_t type; /* enum kc_toml_type */
	uint32_t n; /* members of a table, items of an array */
	uint32_t line, column; /* from 1: of a table's header, of a member's key, of an item; 0: the
				  root */
	const char *key; /* NULL for items and the root */
	const char *text; /* a string's; NUL-terminated, and NUL may stand inside: see size */
	size_t size; /* bytes of text */
	int64_t number; /* an integer's; a boolean's 0 or 1 */
	const struct kc_toml_node *child; /* n of them, in the order of the text */
};

/*
 * Parses `size` bytes of text. `name` is for messages, which begin "NAME:LINE:COLUMN: ". The tree
 * lives in the arena. -EINVAL for text that is no TOML; -EFBIG for text beyond the bounds above, of
 * which nothing is said; -ENOMEM.
 */
int kc_toml_parse(const char *name, const char *text, size_t size, struct kc_arena *arena,
		  struct kc_err *err, const struct kc_toml_node **ret_root);

/* The member of a table by its exact key, or NULL; NULL also when `table` is NULL or no table. */
const struct kc_toml_node *kc_toml_get(const struct kc_toml_node *table, const char *key);

/* "a table", "a string", …: for messages. */
const char *kc_toml_type_name(uint32_t type);

#ifdef __cplusplus
}
#endif
