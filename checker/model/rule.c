/* SPDX-License-Identifier: Apache-2.0 */
#include "rule.h"

const char *const kc_rule_field_names[] = {
	[KC_RULE_CHECK] = "check",   [KC_RULE_TITLE] = "title",		  [KC_RULE_WHY] = "why",
	[KC_RULE_REMEDY] = "remedy", [KC_RULE_SEVERITY] = "severity",	  [KC_RULE_STAGE] = "stage",
	[KC_RULE_TAGS] = "tags",     [KC_RULE_REFERENCES] = "references", [KC_RULE_WHEN] = "when",
	[KC_RULE_FIX] = "fix",	     [KC_RULE_FIELD_MAX] = NULL,
};
