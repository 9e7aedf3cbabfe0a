/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "toml.h"

/* The keys of crio.conf in all its versions. */
enum kc_crio_key_type {
	KC_CRIO_TEXT = 1,
	KC_CRIO_TRUTH = 2,
	KC_CRIO_NUMBER = 3,
	KC_CRIO_TEXTS = 4,
	KC_CRIO_DURATION = 5, /* "2s", or a number */
	KC_CRIO_TABLE = 6, /* its keys are listed below its own path */
	KC_CRIO_TABLES = 7, /* NAME to table; keys below path + ".*" when listed there */
	KC_CRIO_MAP = 8, /* NAME to text */
};

struct kc_crio_key {
	const char *table; /* "crio.runtime" */
	const char *name;
	uint8_t type; /* enum kc_crio_key_type */
	uint8_t since; /* minor version that brought it; 0: 1.18 or before, or not known */
	uint8_t gone; /* minor version that no longer has it; 0: still there */
};

/*
 * The key as CRI-O finds it: by its exact name, else without regard to case. NULL when no version
 * has it.
 */
const struct kc_crio_key *kc_crio_key(const char *table, const char *name);

/* The nearest name in the table, for messages; or NULL. */
const char *kc_crio_key_nearest(const char *table, const char *name);

/* True when the table has keys that are listed. */
bool kc_crio_table_listed(const char *table);

/* NULL when the node may be the value of the key, else what CRI-O wants instead ("a string"). */
const char *kc_crio_key_wants(const struct kc_crio_key *key, const struct kc_toml_node *node);
