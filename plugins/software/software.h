/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/packages.h"
#include "software-descriptor.h"

/* Most memory of the readers, for one rule. */
enum {
	SOFTWARE_MEMORY_MAX = 32 << 20
};

/* What a worker keeps between rules: the packages that it has looked up. */
struct software;

struct software_rule;

/* Plans for what failed at a horizon, as it would be reported. */
typedef int software_plan(const struct software_rule *rule, uint32_t horizon, const char *subject,
			  const char *found);

/* One rule's run. */
struct software_rule {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
	struct software *state;
	software_plan *plan; /* in `plan`: called for each failure, and nothing is reported */
};

#define software_text(rule, ...) kc_text((rule)->host, (rule)->run, __VA_ARGS__)

/*
 * kc_packages_find(), asked once in a worker for what the guide's rules ask for together: rpm costs
 * more than all else here. Results live as long as the state.
 */
int software_find(const struct software_rule *rule, const char *const *names,
		  struct kc_packages *ret_packages, const char **ret_why);

/*
 * Whether a version is, or is one of, the wanted one: "1.18" has 1.18.4 and 1.18-2 in it, and not
 * 1.180. Of a version with an epoch, what is behind it counts, too.
 */
bool software_version_matches(const char *version, const char *wanted);

/* kc_report() and kc_report_skip(), unless a plan is made. */
int software_report_at(const struct software_rule *rule, uint32_t horizon, uint32_t verdict,
		       const char *subject, const char *expected, const char *found,
		       const char *source, const char *message);
int software_skip(const struct software_rule *rule, uint32_t horizon, const char *subject,
		  const char *reason);

/* Reports on `subject` at boot, with what was expected of it. */
int software_report(const struct software_rule *rule, uint32_t verdict, const char *subject,
		    const char *expected, const char *found, const char *source,
		    const char *message);
