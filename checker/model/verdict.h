/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "api/k8scheck-plugin.h"

/*
 * Verdicts of rules: those of findings (enum kc_verdict), 0 for "none yet", and three that stand
 * over a fail. Waived: with reason, owner and expiry; fixed: repaired in this run; pending:
 * repaired, complete after a reboot.
 */
enum {
	KC_VERDICT_NONE = 0,
	KC_WAIVED = 6,
	KC_FIXED = 7,
	KC_PENDING = 8,
	KC_VERDICT_MAX = 9,
};

enum kc_severity {
	KC_REQUIRED = 1,
	KC_RECOMMENDED = 2,
	KC_INFO = 3,
	KC_SEVERITY_MAX = 4,
};

enum kc_stage {
	KC_STAGE_HOST = 1,
	KC_STAGE_RUNTIME = 2,
	KC_STAGE_KUBELET = 3,
	KC_STAGE_CLUSTER = 4,
	KC_STAGE_MAX = 5,
};

enum kc_fix_policy {
	KC_FIX_AUTO = 1,
	KC_FIX_ASK = 2,
	KC_FIX_NEVER = 3,
	KC_FIX_MAX = 4,
};

/*
 * Exit codes of the program. They do not depend on any report's format. 4 and 5 belong to repairs.
 */
enum kc_exit {
	KC_EXIT_OPEN = 0, /* the gate is open */
	KC_EXIT_CLOSED = 1, /* a rule that counts failed */
	KC_EXIT_USAGE = 2, /* nothing was judged: wrong usage, profile or plugin */
	KC_EXIT_UNDECIDED = 3, /* such a rule could not be decided, or none applied */
	KC_EXIT_REPAIR_FAILED = 4,
	KC_EXIT_REBOOT = 5,
	KC_EXIT_REPORT_FAILED = 6, /* judged, but a report could not be written */
};

/* Names as profiles and reports have them; NULL for a value that there is not. */
const char *kc_verdict_name(uint32_t verdict);
const char *kc_severity_name(uint32_t severity);
const char *kc_stage_name(uint32_t stage);
const char *kc_fix_policy_name(uint32_t policy);
const char *kc_horizon_name(uint32_t horizon); /* "now", "boot" */
const char *kc_type_name(uint32_t type);

/* The lists of all names, NULL-terminated, in the order of the values; for parsing and suggestions.
 */
extern const char *const kc_severity_names[];
extern const char *const kc_stage_names[];
extern const char *const kc_fix_policy_names[];
extern const char *const kc_type_names[];

/* The value of a name in such a list, or -EINVAL. */
int kc_enum_from_name(const char *const *names, const char *name);

/* The worse of two verdicts in the order fail, error, manual, pass, skip; none is better than all.
 */
uint32_t kc_verdict_worse(uint32_t a, uint32_t b);
