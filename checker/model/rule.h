/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "manifest.h"

/* Where a field of a rule was set: a line of a profile, or an option of the command line. */
struct kc_origin {
	uint16_t source; /* index into kc_profile.sources */
	uint16_t column;
	uint32_t line; /* 0 for options and defaults */
};

enum kc_rule_field {
	KC_RULE_CHECK,
	KC_RULE_TITLE,
	KC_RULE_WHY,
	KC_RULE_REMEDY,
	KC_RULE_SEVERITY,
	KC_RULE_STAGE,
	KC_RULE_TAGS,
	KC_RULE_REFERENCES,
	KC_RULE_WHEN,
	KC_RULE_FIX,
	KC_RULE_FIELD_MAX,
};

/* Names as profiles have them ("check", "title", …), NULL-terminated. */
extern const char *const kc_rule_field_names[];

enum kc_condition_op {
	KC_OP_EQUAL = 1, /* one of the values */
	KC_OP_NOT_EQUAL = 2, /* none of the values */
	KC_OP_LESS = 3, /* versions and numbers, part by part; one value */
	KC_OP_LESS_EQUAL = 4,
	KC_OP_GREATER = 5,
	KC_OP_GREATER_EQUAL = 6,
};

/* A condition of `when`: all of a rule's must hold, else it is skipped. */
struct kc_condition {
	const char *fact; /* or "var.NAME" */
	const char *value; /* of that variable, known before the run; NULL: a fact is asked */
	uint32_t op; /* enum kc_condition_op */
	const char *const *values;
};

struct kc_rule {
	uint32_t index; /* place in the profile, and in reports */
	const char *id;
	const struct kc_manifest *plugin;
	const struct kc_manifest_check *check;
	const char *title, *why, *remedy; /* why and remedy may be NULL */
	uint8_t severity, stage, fix;
	bool selected; /* by --rule, --skip, --stage, --tag; all are at first */
	bool runs_untrusted; /* its profile can be written by others: must not run programs */
	const char *const *tags, *const *references; /* may be NULL */
	const struct kc_condition *when;
	uint32_t n_when;
	const struct kc_value *params; /* check->n_params of them; type 0 where not given */
	const struct kc_origin *origins; /* KC_RULE_FIELD_MAX of them */
	const struct kc_origin *param_origins; /* check->n_params of them */
};

/* What a profile comes to: validated, and constant from then on. */
struct kc_source {
	const char *name; /* file as given, "-", "--set", "--var", "manifest", "default" */
	/* Of files, and of what came from standard input, if the request keeps that; else NULL. */
	const char *text;
	size_t size;
	const char *warning; /* others can write it: a sentence; else NULL */
};

struct kc_variable {
	const char *name, *value;
	struct kc_origin origin;
};

struct kc_profile {
	const char *name; /* "crio-1.18"; of several, joined with + */
	const char *title; /* of the last that has one; may be NULL */
	struct kc_rule *rules;
	uint32_t n_rules;
	const struct kc_source *sources;
	uint32_t n_sources;
	const struct kc_variable *variables;
	uint32_t n_variables;
	/*
	 * Plugins that the rules need, each once, in the order of their first rule; then those that
	 * gather the facts of their conditions.
	 */
	const struct kc_manifest *const *plugins;
	uint32_t n_plugins;
	/* Where conditions ask for facts: all manifests that there are with facts; else NULL. */
	const struct kc_manifest *const *gatherers;
};
