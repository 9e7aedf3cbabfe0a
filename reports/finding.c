/* SPDX-License-Identifier: Apache-2.0 */
#include "finding.h"
#include "base/str.h"
#include "value.h"

enum {
	TEXT_MAX = 4096, /* bytes of a path or sentence */
};

uint32_t kc_shown_verdict(const struct kc_result *result, unsigned j)
{
	uint32_t verdict = result->judgements[j].verdict;

	if (verdict == KC_FAIL && (result->verdict == KC_WAIVED || result->verdict == KC_FIXED ||
				   result->verdict == KC_PENDING))
		return result->verdict;
	return verdict;
}

const char *kc_finding_why(const struct kc_result *result, const struct kc_result_finding *finding)
{
	const char *sentence;

	if (finding->message)
		return finding->message;
	if (!finding->reason)
		return NULL;
	sentence = result->rule->check ? kc_manifest_reason(result->rule->check, finding->reason)
				       : NULL;
	return sentence ? sentence : finding->reason;
}

const char *kc_shown_name(uint32_t verdict)
{
	const char *name = kc_verdict_name(verdict);

	return name ? name : "none";
}

bool kc_gate_open(const struct kc_report *report)
{
	return report->summary.exit_code == KC_EXIT_OPEN;
}

static void add_rules(struct kc_buf *b, const struct kc_report *report, uint32_t n,
		      const char *what)
{
	kc_buf_addf(b, "%u %s rule%s %s", n,
		    report->run.strict ? "required or recommended" : "required", n == 1 ? "" : "s",
		    what);
}

void kc_gate_sentence(struct kc_buf *b, const struct kc_report *report)
{
	const struct kc_summary *s = &report->summary;

	kc_buf_addf(b, "%s (exit %u): ", kc_gate_open(report) ? "open" : "closed", s->exit_code);
	switch (s->exit_code) {
	case KC_EXIT_OPEN:
		add_rules(b, report, s->required_applied, "applied, and none failed");
		break;
	case KC_EXIT_CLOSED:
		add_rules(b, report, s->required_failed, "failed");
		if (s->required_undecided > 0)
			kc_buf_addf(b, ", %u could not be decided", s->required_undecided);
		break;
	case KC_EXIT_UNDECIDED:
		if (s->required_undecided > 0)
			add_rules(b, report, s->required_undecided, "could not be decided");
		else
			kc_buf_addf(b, "no %s rule applied here",
				    report->run.strict ? "required or recommended" : "required");
		break;
	case KC_EXIT_REPAIR_FAILED:
		kc_buf_adds(b, "a repair failed");
		break;
	case KC_EXIT_REBOOT:
		kc_buf_adds(b, "repaired, and only a reboot is missing");
		break;
	default:
		kc_buf_adds(b, "nothing was judged");
		break;
	}
}

void kc_repair_sentence(struct kc_buf *b, const struct kc_report *report)
{
	const struct kc_report_repair *repair = &report->repair;
	uint32_t fixed = report->summary.by_verdict[KC_FIXED],
		 pending = report->summary.by_verdict[KC_PENDING];

	if (!repair->asked)
		return;
	if (repair->failed) {
		kc_value_add(b, repair->text ? repair->text : "a step failed", TEXT_MAX);
		kc_buf_adds(b,
			    repair->changed
				    ? "; not everything that had been changed could be taken back"
				    : "; everything that had been changed was taken back");
	} else if (repair->changed) {
		kc_buf_addf(b, "%u rule%s fixed", fixed, fixed == 1 ? "" : "s");
		if (pending > 0)
			kc_buf_addf(b, ", %u pending", pending);
	} else {
		kc_buf_adds(b, "nothing was changed");
	}
}

void kc_repair_undo(struct kc_buf *b, const struct kc_report *report)
{
	const char *root = report->host.root;

	if (!report->repair.changed || !report->repair.transaction)
		return;
	kc_buf_adds(b, "k8scheck rollback ");
	kc_value_add(b, report->repair.transaction, TEXT_MAX);
	if (!root || kc_streq(root, "/"))
		return;
	kc_buf_adds(b, " --root ");
	kc_value_add(b, root, TEXT_MAX);
	if (report->host.live)
		kc_buf_adds(b, " --live");
}
