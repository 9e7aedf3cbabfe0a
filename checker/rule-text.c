/* SPDX-License-Identifier: Apache-2.0 */
#include "rule-text.h"

static void add_quoted(struct kc_buf *b, const char *text)
{
	kc_buf_addc(b, '"');
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			kc_buf_addf(b, "\\%c", *p);
		else if (*p == '\n')
			kc_buf_adds(b, "\\n");
		else
			kc_buf_addc(b, *p);
	}
	kc_buf_addc(b, '"');
}

static void add_strings(struct kc_buf *b, const char *const *list)
{
	size_t start = b->len;

	KC_FOREACH_STR (item, list) {
		kc_buf_adds(b, b->len > start ? ", " : "[");
		add_quoted(b, item);
	}
	kc_buf_adds(b, b->len > start ? "]" : "[]");
}

void kc_rule_text_value(struct kc_buf *b, const struct kc_value *value)
{
	switch (value->type) {
	case KC_TYPE_STRING:
	case KC_TYPE_CHOICE:
		add_quoted(b, value->string);
		break;
	case KC_TYPE_BOOLEAN:
		kc_buf_adds(b, value->number ? "true" : "false");
		break;
	case KC_TYPE_DURATION:
		kc_buf_addf(b, "%lldus", (long long)value->number);
		break;
	case KC_TYPE_LIST:
		add_strings(b, value->list);
		break;
	case KC_TYPE_MAP:
		kc_buf_addc(b, '{');
		for (uint32_t i = 0; i < value->n; i++) {
			kc_buf_adds(b, i ? ", " : "");
			add_quoted(b, value->map[i].key);
			kc_buf_adds(b, ": ");
			add_quoted(b, value->map[i].value);
		}
		kc_buf_addc(b, '}');
		break;
	default:
		kc_buf_addf(b, "%lld", (long long)value->number);
		break;
	}
}

static void add_when(struct kc_buf *b, const struct kc_rule *rule)
{
	static const char *const ops[] = { "", "", "!=", "<", "<=", ">", ">=" };

	kc_buf_addc(b, '{');
	for (uint32_t i = 0; i < rule->n_when; i++) {
		kc_buf_addf(b, "%s%s: ", i ? ", " : "", rule->when[i].fact);
		if (rule->when[i].op == KC_OP_EQUAL) {
			add_strings(b, rule->when[i].values);
		} else {
			kc_cleanup(kc_freep) char *text =
				kc_asprintf("%s%s", ops[rule->when[i].op], rule->when[i].values[0]);

			add_quoted(b, text ? text : "");
		}
	}
	kc_buf_addc(b, '}');
}

void kc_rule_text_field(struct kc_buf *b, const struct kc_rule *rule, enum kc_rule_field field)
{
	switch (field) {
	case KC_RULE_CHECK:
		kc_buf_adds(b, rule->check->id);
		break;
	case KC_RULE_TITLE:
		add_quoted(b, rule->title);
		break;
	case KC_RULE_WHY:
		add_quoted(b, rule->why ? rule->why : "");
		break;
	case KC_RULE_REMEDY:
		add_quoted(b, rule->remedy ? rule->remedy : "");
		break;
	case KC_RULE_SEVERITY:
		kc_buf_adds(b, kc_severity_name(rule->severity));
		break;
	case KC_RULE_STAGE:
		kc_buf_adds(b, kc_stage_name(rule->stage));
		break;
	case KC_RULE_TAGS:
		add_strings(b, rule->tags);
		break;
	case KC_RULE_REFERENCES:
		add_strings(b, rule->references);
		break;
	case KC_RULE_WHEN:
		add_when(b, rule);
		break;
	case KC_RULE_FIX:
		kc_buf_adds(b, kc_fix_policy_name(rule->fix));
		break;
	case KC_RULE_FIELD_MAX:
		break;
	}
}
