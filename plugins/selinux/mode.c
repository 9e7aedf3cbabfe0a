/* SPDX-License-Identifier: Apache-2.0 */
#include "judge.h"
#include "selinux-descriptor.h"

void selinux_say(const struct selinux_rule *rule, struct selinux_judgement *judgement,
		 const char *sentence)
{
	judgement->message = judgement->message ? kc_text(rule->host, rule->run, "%s %s",
							  judgement->message, sentence)
						: sentence;
}

void selinux_judge_mode(const struct selinux_rule *rule, enum selinux_mode mode,
			struct selinux_judgement *judgement)
{
	judgement->mode = mode;
	judgement->found = selinux_mode_name(mode);
	judgement->verdict = rule->allowed[mode] ? KC_PASS : KC_FAIL;
}

void selinux_judge_error(const struct selinux_rule *rule, struct selinux_judgement *judgement)
{
	judgement->verdict = KC_ERROR;
	judgement->message = kc_text(rule->host, rule->run, "%s", kc_why(rule->host, rule->run));
}

/* "permissive", "permissive or disabled", "enforcing, permissive or disabled". */
static const char *join(struct kc_arena *arena, const struct kc_strings *modes)
{
	const char *text = "";

	for (size_t i = 0; text && i < modes->n; i++)
		text = kc_arena_printf(arena, "%s%s%s", text,
				       i == 0		   ? ""
				       : i + 1 == modes->n ? " or "
							   : ", ",
				       modes->item[i]);
	return text;
}

int selinux_rule_read(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      struct selinux_rule *ret_rule, const char **ret_why)
{
	struct selinux_rule rule = { .host = host, .run = run, .arena = arena };
	int r = kc_param_list(host, run, "modes", &rule.modes);

	*ret_why = "the rule's modes cannot be read";
	if (r < 0)
		return r;
	if (!rule.modes.n) {
		*ret_why = "The rule names no mode.";
		return -EINVAL;
	}
	for (size_t i = 0; i < rule.modes.n; i++) {
		enum selinux_mode mode = selinux_mode_of(rule.modes.item[i]);

		if (mode == SELINUX_UNSET) {
			*ret_why = kc_text(host, run,
					   "'%s' is no mode of SELinux: enforcing, permissive and "
					   "disabled are.",
					   rule.modes.item[i]);
			return -EINVAL;
		}
		rule.allowed[mode] = true;
	}
	rule.expected = join(arena, &rule.modes);
	if (!rule.expected)
		return -ENOMEM;
	*ret_rule = rule;
	return 0;
}

static int report(const struct selinux_rule *rule, uint32_t horizon,
		  void (*judge)(const struct selinux_rule *, struct selinux_judgement *))
{
	struct selinux_judgement j;

	judge(rule, &j);
	if (j.verdict == KC_SKIP)
		return kc_report_skip(rule->host, rule->run, horizon, NULL, "not-present",
				      j.message);
	return kc_report(rule->host, rule->run, horizon, j.verdict, NULL, rule->expected, j.found,
			 j.source, j.message);
}

/* A fault of the rule itself, at every horizon. */
static int report_rule(const struct kc_host *host, struct kc_run *run, const char *why)
{
	static const uint32_t horizons[] = { KC_NOW, KC_BOOT };
	int r = 0;

	for (size_t i = 0; !r && i < KC_ARRAY_SIZE(horizons); i++)
		if (kc_horizons(host, run) & horizons[i])
			r = kc_report(host, run, horizons[i], KC_ERROR, NULL, NULL, NULL, NULL,
				      why);
	return r;
}

int selinux_mode_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	uint32_t horizons = kc_horizons(host, run);
	struct selinux_rule rule;
	const char *why;
	int r;

	r = selinux_rule_read(host, run, &arena, &rule, &why);
	if (r == -EINVAL)
		return report_rule(host, run, why);
	if (r == 0 && (horizons & KC_NOW))
		r = report(&rule, KC_NOW, selinux_judge_now);
	if (r == 0 && (horizons & KC_BOOT))
		r = report(&rule, KC_BOOT, selinux_judge_boot);
	return r;
}
