/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "expect.h"
#include "verdicts.h"

enum {
	FRAGMENT_MAX = 100, /* of what is written: a part is as good as the whole */
};

static const char *const horizons[KC_J_MAX] = { [KC_J_NOW] = "now", [KC_J_BOOT] = "boot" };
static const char *const fragments[] = { "subject", "expected", "found", "source",
					 "message", "reason",	NULL };

static const char *field(const struct kc_result_finding *finding, const char *name)
{
	if (kc_streq(name, "subject"))
		return finding->subject;
	if (kc_streq(name, "expected"))
		return finding->expected;
	if (kc_streq(name, "found"))
		return finding->found;
	if (kc_streq(name, "source"))
		return finding->source;
	if (kc_streq(name, "message"))
		return finding->message;
	return finding->reason;
}

static const char *verdict_of(const struct kc_judgement *judgement)
{
	const char *name = kc_verdict_name(judgement->verdict);

	return name ? name : "none";
}

/* The first finding that made the verdict; NULL when there is none. */
static const struct kc_result_finding *decisive(const struct kc_judgement *judgement)
{
	for (uint32_t i = 0; i < judgement->n_findings; i++) {
		if (judgement->findings[i].verdict == judgement->verdict)
			return judgement->findings + i;
	}
	return NULL;
}

/* ---- writing ---- */

static void write_fragment(struct kc_buf *b, const char *name, const char *text)
{
	kc_cleanup(kc_buf_done) struct kc_buf part = { 0 };

	if (!text)
		return;
	kc_buf_addf(&part, "%.*s", FRAGMENT_MAX, text);
	kc_buf_addf(b, ", %s: ", name);
	world_write_text(b, part.data ? part.data : "");
}

static void write_judgement(struct kc_buf *b, const char *horizon,
			    const struct kc_judgement *judgement)
{
	const struct kc_result_finding *f = decisive(judgement);

	kc_buf_addf(b, "    %s: {verdict: %s", horizon, verdict_of(judgement));
	if (f && judgement->verdict == KC_FAIL) {
		write_fragment(b, "subject", f->subject);
		write_fragment(b, "found", f->found);
		write_fragment(b, "source", f->source);
	} else if (f && f->reason) {
		write_fragment(b, "reason", f->reason);
	}
	if (f && (judgement->verdict == KC_ERROR || judgement->verdict == KC_MANUAL))
		write_fragment(b, "message", f->message);
	kc_buf_adds(b, "}\n");
}

static void write_result(struct kc_buf *b, const struct kc_rule *rule,
			 const struct kc_result *result)
{
	const char *separator = "";

	kc_buf_addf(b, "  %s:", rule->id);
	if (result->verdict != KC_PASS && result->verdict != KC_VERDICT_NONE) {
		kc_buf_addc(b, '\n');
		for (unsigned k = 0; k < KC_J_MAX; k++) {
			if (result->judgements[k].verdict != KC_VERDICT_NONE)
				write_judgement(b, horizons[k], result->judgements + k);
		}
		return;
	}
	kc_buf_adds(b, " {");
	for (unsigned k = 0; k < KC_J_MAX; k++) {
		if (result->judgements[k].verdict == KC_VERDICT_NONE)
			continue;
		kc_buf_addf(b, "%s%s: %s", separator, horizons[k],
			    verdict_of(result->judgements + k));
		separator = ", ";
	}
	kc_buf_adds(b, "}\n");
}

void verdicts_write(struct kc_buf *b, const struct kc_profile *profile,
		    const struct kc_result *results)
{
	kc_buf_adds(b, "expect:\n");
	for (uint32_t i = 0; i < profile->n_rules; i++)
		write_result(b, profile->rules + i, results + i);
}

/* ---- comparing ---- */

/* Whether all the parts that are wanted stand in one finding of that verdict. */
static bool has_fragments(const struct kc_yaml_node *want, const struct kc_judgement *judgement,
			  uint32_t verdict)
{
	for (uint32_t i = 0; i < judgement->n_findings; i++) {
		const struct kc_result_finding *f = judgement->findings + i;
		bool all = f->verdict == verdict;

		KC_FOREACH_STR (name, fragments) {
			const char *part = world_scalar(want, name), *text = field(f, name);

			all = all && (!part || (text && strstr(text, part)));
		}
		if (all)
			return true;
	}
	return false;
}

static bool wants_fragments(const struct kc_yaml_node *want)
{
	KC_FOREACH_STR (name, fragments) {
		if (kc_yaml_get(want, name))
			return true;
	}
	return false;
}

/* A key that nothing looks at would be an expectation that cannot fail. */
static void check_keys(struct world *w, const char *rule, const struct kc_yaml_node *want,
		       bool of_rule)
{
	for (uint32_t i = 0; want->type == KC_YAML_MAPPING && i < want->n; i++) {
		const char *key = want->pair[i].key->scalar;
		bool known = of_rule ? kc_streq(key, "now") || kc_streq(key, "boot")
				     : kc_streq(key, "verdict");

		if (!known && !kc_strv_has(fragments, key))
			world_broken(w, rule, world_text(w, "'%s' is nothing to expect", key));
	}
}

static bool is_met(struct world *w, const struct kc_rule *rule, const struct kc_yaml_node *want,
		   const struct kc_result *got)
{
	bool met = true, found = !wants_fragments(want);

	check_keys(w, rule->id, want, true);
	for (unsigned k = 0; k < KC_J_MAX; k++) {
		const struct kc_judgement *judgement = got->judgements + k;
		const struct kc_yaml_node *node = kc_yaml_get(want, horizons[k]);
		const char *verdict = node && node->type == KC_YAML_SCALAR
					      ? node->scalar
					      : world_scalar(node, "verdict");

		if (node)
			check_keys(w, rule->id, node, false);
		met = met && kc_streq(verdict ? verdict : "none", verdict_of(judgement));
		if (wants_fragments(node))
			met = met && has_fragments(node, judgement, judgement->verdict);
		found = found || has_fragments(want, judgement, got->verdict);
	}
	return met && found;
}

static void print_findings(const struct kc_result *result)
{
	for (unsigned k = 0; k < KC_J_MAX; k++) {
		const struct kc_judgement *judgement = result->judgements + k;

		for (uint32_t i = 0; i < judgement->n_findings; i++) {
			const struct kc_result_finding *f = judgement->findings + i;

			(void)printf(
				"      # %s: %s; %s; expected %s; found %s; source %s; %s; %s\n",
				horizons[k], kc_verdict_name(f->verdict), expect_shown(f->subject),
				expect_shown(f->expected), expect_shown(f->found),
				expect_shown(f->source), expect_shown(f->message),
				expect_shown(f->reason));
		}
	}
}

static void compare_rule(struct world *w, const struct kc_rule *rule, const struct kc_result *got)
{
	const struct kc_yaml_node *want = kc_yaml_get(kc_yaml_get(w->yaml, "expect"), rule->id);
	kc_cleanup(kc_buf_done) struct kc_buf text = { 0 };

	if (want && is_met(w, rule, want, got))
		return;
	write_result(&text, rule, got);
	world_complain(w,
		       want ? "the rule %s came to:" : "the rule %s is not expected; it came to:",
		       rule->id);
	(void)printf("%s", text.data);
	print_findings(got);
}

void verdicts_compare(struct world *w, const struct kc_profile *profile,
		      const struct kc_result *results)
{
	const struct kc_yaml_node *expect = kc_yaml_get(w->yaml, "expect");

	for (uint32_t i = 0; i < profile->n_rules; i++)
		compare_rule(w, profile->rules + i, results + i);
	for (uint32_t i = 0; i < expect->n; i++) {
		const char *id = expect->pair[i].key->scalar;
		bool known = false;

		for (uint32_t k = 0; k < profile->n_rules; k++)
			known = known || kc_streq(profile->rules[k].id, id);
		if (!known)
			world_complain(w, "'%s' is expected, and the profile has no such rule", id);
	}
}
