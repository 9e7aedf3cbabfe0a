/* SPDX-License-Identifier: Apache-2.0 */
#include "result.h"
#include "base/num.h"
#include "base/str.h"

static const struct kc_fact_value *find_fact(const struct kc_fact_value *facts, uint32_t n,
					     const char *name)
{
	for (uint32_t i = 0; i < n; i++) {
		if (kc_streq(facts[i].name, name))
			return facts + i;
	}
	return NULL;
}

/* Versions part by part: numbers by value, anything else by bytes; a missing part is less. */
static int compare_versions(const char *a, const char *b)
{
	while (*a == 'v')
		a++;
	while (*b == 'v')
		b++;
	while (*a || *b) {
		size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");

		if (n > 0 && m > 0) {
			const char *x = a, *y = b;
			int r;

			a += n;
			b += m;
			for (; n > 1 && *x == '0'; n--)
				x++;
			for (; m > 1 && *y == '0'; m--)
				y++;
			if (n != m)
				return n < m ? -1 : 1;
			r = memcmp(x, y, n);
			if (r != 0)
				return r < 0 ? -1 : 1;
			continue;
		}
		if (*a != *b) {
			if (!*a || !*b)
				return *a ? 1 : -1;
			return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
		}
		a++;
		b++;
	}
	return 0;
}

static bool condition_holds(const struct kc_condition *c, const char *value)
{
	int d;

	if (c->op == KC_OP_EQUAL)
		return kc_strv_has(c->values, value);
	if (c->op == KC_OP_NOT_EQUAL)
		return !kc_strv_has(c->values, value);
	d = compare_versions(value, c->values[0]);
	switch (c->op) {
	case KC_OP_LESS:
		return d < 0;
	case KC_OP_LESS_EQUAL:
		return d <= 0;
	case KC_OP_GREATER:
		return d > 0;
	case KC_OP_GREATER_EQUAL:
		return d >= 0;
	default:
		return false;
	}
}

/* What is not there is "absent", equals nothing else, and is of no version. */
static bool absence_holds(const struct kc_condition *c)
{
	bool named = kc_strv_has(c->values, "absent");

	return (c->op == KC_OP_EQUAL && named) || (c->op == KC_OP_NOT_EQUAL && !named);
}

static const char *op_text(uint32_t op)
{
	static const char *const texts[] = {
		[KC_OP_EQUAL] = "",
		[KC_OP_NOT_EQUAL] = "not ",
		[KC_OP_LESS] = "less than ",
		[KC_OP_LESS_EQUAL] = "at most ",
		[KC_OP_GREATER] = "greater than ",
		[KC_OP_GREATER_EQUAL] = "at least ",
	};

	return op < KC_ARRAY_SIZE(texts) && texts[op] ? texts[op] : "";
}

static const char *condition_text(const struct kc_condition *c, struct kc_arena *arena)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	const char *text;

	KC_FOREACH_STR (v, c->values)
		kc_buf_addf(&b, "%s%s", b.len ? " or " : "", v);
	text = kc_arena_printf(arena, "%s%s", op_text(c->op), b.data ? b.data : "");
	return text ? text : "";
}

/* What a rule does not apply for. */
static const char *explain(const struct kc_condition *c, const char *value, struct kc_arena *arena)
{
	return kc_arena_printf(arena, "it applies when %s is %s; here it is %s", c->fact,
			       condition_text(c, arena), value);
}

int kc_rule_excluded(const struct kc_rule *rule, struct kc_arena *arena, const char **ret_text)
{
	for (uint32_t i = 0; i < rule->n_when; i++) {
		const struct kc_condition *c = rule->when + i;

		if (!c->value || condition_holds(c, c->value))
			continue;
		*ret_text = explain(c, *c->value ? c->value : "empty", arena);
		return 1;
	}
	return 0;
}

bool kc_rule_awaits_facts(const struct kc_rule *rule)
{
	for (uint32_t i = 0; i < rule->n_when; i++) {
		if (!rule->when[i].value)
			return true;
	}
	return false;
}

int kc_rule_applies(const struct kc_rule *rule, const struct kc_fact_value *facts, uint32_t n_facts,
		    struct kc_arena *arena, const char **ret_text)
{
	if (kc_rule_excluded(rule, arena, ret_text))
		return 0;
	for (uint32_t i = 0; i < rule->n_when; i++) {
		const struct kc_condition *c = rule->when + i;
		const struct kc_fact_value *f = find_fact(facts, n_facts, c->fact);

		if (c->value)
			continue;
		if (!f || f->state == KC_FACT_UNKNOWN) {
			*ret_text = kc_arena_printf(
				arena,
				"it depends on the fact %s, which could not be found out%s%s",
				c->fact, f && f->source ? ": " : "",
				f && f->source ? f->source : "");
			return -ENODATA;
		}
		if (f->state == KC_FACT_ABSENT ? absence_holds(c) : condition_holds(c, f->value))
			continue;
		*ret_text = explain(c, f->state == KC_FACT_ABSENT ? "absent" : f->value, arena);
		return 0;
	}
	return 1;
}

void kc_result_conclude(struct kc_result *result)
{
	result->verdict = KC_VERDICT_NONE;
	for (unsigned j = 0; j < KC_J_MAX; j++) {
		struct kc_judgement *judgement = result->judgements + j;

		judgement->verdict = KC_VERDICT_NONE;
		for (uint32_t i = 0; i < judgement->n_findings; i++)
			judgement->verdict = kc_verdict_worse(judgement->verdict,
							      judgement->findings[i].verdict);
		result->verdict = kc_verdict_worse(result->verdict, judgement->verdict);
	}
}
