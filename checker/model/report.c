/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

static bool counts(const struct kc_report *report, const struct kc_rule *rule)
{
	return rule->severity == KC_REQUIRED ||
	       (report->run.strict && rule->severity == KC_RECOMMENDED);
}

void kc_report_conclude(struct kc_report *report)
{
	struct kc_summary *s = &report->summary;

	*s = (struct kc_summary){ .n_rules = report->n_results };
	for (uint32_t i = 0; i < report->n_results; i++) {
		const struct kc_result *result = report->results + i;

		s->by_verdict[result->verdict]++;
		if (!counts(report, result->rule))
			continue;
		if (result->verdict != KC_SKIP && result->verdict != KC_VERDICT_NONE)
			s->required_applied++;
		if (result->verdict == KC_FAIL)
			s->required_failed++;
		if (result->verdict == KC_PENDING)
			s->required_pending++;
		if (result->verdict == KC_ERROR || result->verdict == KC_VERDICT_NONE)
			s->required_undecided++;
	}
	if (report->repair.failed)
		s->exit_code = KC_EXIT_REPAIR_FAILED;
	else if (s->required_failed > 0)
		s->exit_code = KC_EXIT_CLOSED;
	else if (s->required_undecided > 0 || s->required_applied == 0)
		s->exit_code = KC_EXIT_UNDECIDED;
	else if (s->required_pending > 0)
		s->exit_code = KC_EXIT_REBOOT;
	else
		s->exit_code = KC_EXIT_OPEN;
}
