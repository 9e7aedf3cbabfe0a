/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"
#include "model/rule.h"

/* Rules as YAML that a profile could have, a field or a value at a time; appended to b, not
 * escaped. */
void kc_rule_text_value(struct kc_buf *b, const struct kc_value *value);
void kc_rule_text_field(struct kc_buf *b, const struct kc_rule *rule, enum kc_rule_field field);
