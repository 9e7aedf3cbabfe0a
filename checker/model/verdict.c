/* SPDX-License-Identifier: Apache-2.0 */
#include "verdict.h"
#include "base/str.h"

static const char *const verdict_names[KC_VERDICT_MAX] = {
	[KC_PASS] = "pass",   [KC_SKIP] = "skip",	[KC_MANUAL] = "manual",
	[KC_ERROR] = "error", [KC_FAIL] = "fail",	[KC_WAIVED] = "waived",
	[KC_FIXED] = "fixed", [KC_PENDING] = "pending",
};

const char *const kc_severity_names[] = { "required", "recommended", "info", NULL };
const char *const kc_stage_names[] = { "host", "runtime", "kubelet", "cluster", NULL };
const char *const kc_fix_policy_names[] = { "auto", "ask", "never", NULL };
const char *const kc_type_names[] = { "string", "integer", "boolean", "duration", "size",
				      "choice", "list",	   "map",     NULL };

static const char *name_of(const char *const *names, uint32_t value)
{
	return value >= 1 && value <= kc_strv_len(names) ? names[value - 1] : NULL;
}

const char *kc_verdict_name(uint32_t verdict)
{
	return verdict < KC_VERDICT_MAX ? verdict_names[verdict] : NULL;
}

const char *kc_severity_name(uint32_t severity)
{
	return name_of(kc_severity_names, severity);
}

const char *kc_stage_name(uint32_t stage)
{
	return name_of(kc_stage_names, stage);
}

const char *kc_fix_policy_name(uint32_t policy)
{
	return name_of(kc_fix_policy_names, policy);
}

const char *kc_type_name(uint32_t type)
{
	return name_of(kc_type_names, type);
}

const char *kc_horizon_name(uint32_t horizon)
{
	switch (horizon) {
	case KC_NOW:
		return "now";
	case KC_BOOT:
		return "boot";
	default:
		return NULL;
	}
}

int kc_enum_from_name(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++) {
		if (kc_streq(names[i], name))
			return i + 1;
	}
	return -EINVAL;
}

uint32_t kc_verdict_worse(uint32_t a, uint32_t b)
{
	static const uint8_t rank[KC_VERDICT_MAX] = {
		[KC_VERDICT_NONE] = 0, [KC_SKIP] = 1,	[KC_PASS] = 2,
		[KC_FIXED] = 3,	       [KC_WAIVED] = 4, [KC_MANUAL] = 5,
		[KC_PENDING] = 6,      [KC_ERROR] = 7,	[KC_FAIL] = 8,
	};

	return a < KC_VERDICT_MAX && b < KC_VERDICT_MAX && rank[b] > rank[a] ? b : a;
}
