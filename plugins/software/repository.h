/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "dnf.h"

/* What the judgement of software.repository and its repair share. */
struct repository_rule {
	struct software_rule rule;
	struct kc_strings ids, exclude;
	const char *state; /* "enabled", "present", "absent" */
	const char *name; /* for findings: "kubernetes", "a or b" */
	const char *expected;
	const struct dnf *dnf; /* once it is read */
};

/* Plans for a repository that fails, or for all when none is there. */
software_plan repository_plan;
