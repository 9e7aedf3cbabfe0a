/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "schema.h"

/*
 * What loading a profile keeps while it lasts. Files and options are inputs, in the order they were
 * given; rules are drafts until all inputs are merged; then they are built. Functions here return 0
 * also when what they read is faulty, having noted that in `faults`; negative is -ENOMEM alone,
 * where nothing else is said.
 */

/* A file, or an option of the command line. Its index is the source of origins and orders messages.
 */
struct kc_input {
	const char *name; /* as in struct kc_source */
	const char *label; /* as messages begin */
	const char *text, *warning; /* text: if the request keeps it */
	size_t size;
	bool option;
	bool merged; /* a profile, with all it extends; which file it was: */
	dev_t dev;
	ino_t ino;
};

/* Fields of a rule that the result does not have. */
enum {
	KC_DRAFT_DISABLED = KC_RULE_FIELD_MAX,
	KC_DRAFT_PARAM, /* a key of `with` */
	KC_DRAFT_WITH, /* all of `with`; never stored */
};

struct kc_setting {
	const struct kc_yaml_pair *pair;
	uint16_t input;
	uint8_t field; /* enum kc_rule_field or KC_DRAFT_* */
};

/* A rule as the inputs so far have it: of each field the last setting. */
struct kc_draft {
	const char *id;
	struct kc_setting *settings;
	uint32_t n_settings, size;
	uint16_t last_input; /* that named the rule, and where */
	uint16_t expected; /* settings that there will be, as far as known */
	uint32_t line;
	uint16_t column;
};

struct kc_drafts {
	struct kc_draft *items; /* in the order of their first mention */
	uint32_t n, size;
	uint32_t *table; /* 1 + index by hash of the id; a power of two */
	uint32_t table_size;
};

enum kc_variable_state {
	KC_VARIABLE_RAW,
	KC_VARIABLE_OPEN, /* its value is being made */
	KC_VARIABLE_DONE,
	KC_VARIABLE_FAULTY,
};

struct kc_loader_variable {
	const char *name, *value;
	const struct kc_yaml_node *node;
	struct kc_origin origin;
	enum kc_variable_state state;
	bool untrusted; /* others can set it, or one that it is made of */
};

struct kc_loader {
	const struct kc_profile_request *request;
	struct kc_arena *arena; /* of the result */
	struct kc_arena scratch; /* of what dies with the loader */
	struct kc_faults faults;
	struct kc_input *inputs;
	uint32_t n_inputs;
	size_t inputs_size;
	struct kc_loader_variable *variables;
	uint32_t n_variables;
	size_t variables_size;
	struct kc_drafts drafts;
	struct kc_manifest_cache manifests;
	struct kc_trust_folder folder; /* of the manifests */
	const char *title;
	/* A file could not be read: what it would have defined is no fault of others. */
	bool incomplete;
};

void kc_loader_done(struct kc_loader *l);

/* Adds an input; the index is < UINT16_MAX. Strings are borrowed. */
int kc_loader_add(struct kc_loader *l, const char *name, const char *label, bool option,
		  uint16_t *ret_input);

struct kc_where kc_loader_where(struct kc_loader *l, uint16_t input);

/* True when others than root and who runs this can write the input. */
bool kc_loader_untrusted(const struct kc_loader *l, uint16_t input);

/*
 * Reads a file that is open, as a new input: text, digest, tree. *ret_node is NULL when it is
 * faulty or empty, with that noted. `distrust` is what kc_profile_open() said.
 */
int kc_loader_read(struct kc_loader *l, int fd, const char *name, const struct kc_err *distrust,
		   const char *what, uint16_t *ret_input, const struct kc_yaml_node **ret_node);

/* Reads a profile of --profile and all that it extends, and merges them. */
int kc_loader_profile(struct kc_loader *l, const char *argument);

/* Merges one item of a profile's `rules`. */
int kc_draft_merge(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *rule);

/* Sets a field, or `with` key by key, of a draft that is there. */
int kc_draft_set(struct kc_loader *l, uint16_t input, struct kc_draft *draft,
		 const struct kc_yaml_pair *pair, uint8_t field);

struct kc_draft *kc_draft_find(const struct kc_drafts *drafts, const char *id);
const struct kc_setting *kc_draft_get(const struct kc_draft *draft, uint8_t field);

/* The field of a key of a rule (not of `id`), or -ENOENT. */
int kc_draft_field(const char *key);

/* The names of the keys of a rule, NULL-terminated. */
extern const char *const kc_draft_keys[];

/* Merges `vars`; reads --vars and --var, which may only set what is there; makes all values. */
int kc_variables_merge(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *vars);
int kc_variables_options(struct kc_loader *l);
int kc_variables_expand(struct kc_loader *l);

/* A variable's value once all are made, or NULL when there is none, or a faulty one; *ret_hint
 * names the nearest. */
const char *kc_variable_value(struct kc_loader *l, const char *name, struct kc_hint *ret_hint);

/*
 * The node with every ${name} in its texts replaced: the same node where there is none. NULL when
 * that is faulty. *untrusted is set to true when a variable was used that others can set, and left
 * else.
 */
int kc_expand(struct kc_loader *l, uint16_t input, const struct kc_yaml_node *node, bool *untrusted,
	      const struct kc_yaml_node **ret_node);

/* Applies --set. */
int kc_sets_apply(struct kc_loader *l);

/* Reads `when`. */
int kc_conditions_read(struct kc_loader *l, const struct kc_where *where,
		       const struct kc_yaml_node *node, struct kc_rule *rule);

/* The manifest of the plugin that gathers a fact, or NULL when none does. */
int kc_fact_find(struct kc_loader *l, const char *name, struct kc_err *err,
		 const struct kc_manifest **ret_manifest);

/* The check of a full name; -EINVAL with a sentence when there is none. */
int kc_check_find(struct kc_loader *l, const char *name, struct kc_err *err,
		  const struct kc_manifest **ret_plugin,
		  const struct kc_manifest_check **ret_check);

/* Makes the rules of the drafts. */
int kc_rules_build(struct kc_loader *l, struct kc_profile *profile);
