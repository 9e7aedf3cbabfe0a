/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* A rule of this plugin, while it is judged; `arena` lives as long as it. */
struct host_rule {
	const struct kc_host *host;
	struct kc_run *run;
	struct kc_arena *arena;
};

enum {
	HOST_RULE_MEMORY_MAX = 8 << 20, /* of an arena */
};

/* Where a size is shown that must at least be there it is rounded up, and what is there down. */
enum host_rounding {
	HOST_DOWN,
	HOST_UP,
};

/* "3.52 GiB", "812 MiB": in the run's memory. */
const char *host_size_text(const struct host_rule *rule, uint64_t bytes,
			   enum host_rounding rounding);

/* A size that a rule asks for, as people write it: "4 GiB", "15 GB (13.97 GiB)". */
const char *host_wanted_text(const struct host_rule *rule, uint64_t bytes);

/*
 * A parameter that is a number from `min` to `max`. -ENOENT: the rule gives none; -ERANGE: it is
 * another, which has been reported as an error of the rule; other errors of kc_param_number().
 */
int host_param(const struct host_rule *rule, const char *name, int64_t min, int64_t max,
	       uint64_t *ret_value);

/* An error about the rule itself, now. Returns what kc_finding() returns. */
int host_report_rule(const struct host_rule *rule, const char *message);

/* host_param() has said what is wrong with the rule: it has been judged. */
int host_judged(int code);
