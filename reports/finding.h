/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"
#include "model/report.h"

/* What formats ask of results alike. */

/*
 * The verdict of a judgement as a report shows it: a fail that stands under waived, fixed or
 * pending shows as that.
 */
uint32_t kc_shown_verdict(const struct kc_result *result, unsigned j);

/* Why a finding is what it is: its message, or else the sentence of its reason to skip; may be
 * NULL. */
const char *kc_finding_why(const struct kc_result *result, const struct kc_result_finding *finding);

/* "pass", …, and "none" for a rule that nobody judged. */
const char *kc_shown_name(uint32_t verdict);

/* How the gate stands, and why: "closed (exit 1): 2 required rules failed". Appended to b. */
void kc_gate_sentence(struct kc_buf *b, const struct kc_report *report);

/* What --fix has done: "2 rules fixed". Appended to b; nothing where no repair was asked for. */
void kc_repair_sentence(struct kc_buf *b, const struct kc_report *report);

/* The command that takes it back, as it is typed; nothing where there is nothing to be taken back.
 */
void kc_repair_undo(struct kc_buf *b, const struct kc_report *report);

/* True when exit code and severity say that the host may be taken for ready. */
bool kc_gate_open(const struct kc_report *report);
