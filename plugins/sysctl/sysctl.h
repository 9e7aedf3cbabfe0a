/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "boot.h"
#include "compare.h"

/* What the plugin keeps between rules: the files are read when the first rule asks for the next
 * start. */
struct sysctl_state {
	struct kc_arena arena;
	struct sysctl_boot boot;
	bool loaded;
	int code; /* why it could not be loaded; 0 when it was */
	char why[1024];
};

/* One key of a rule, and what is wanted of it. */
struct sysctl_case {
	const char *name; /* as the profile has it */
	const char *key; /* as the path below /proc/sys */
	struct sysctl_want want;
};

struct sysctl_cases {
	struct sysctl_case *item;
	size_t n;
};

/*
 * The keys of the rule, of both parameters, in the run's memory. -EINVAL with a sentence in
 * *ret_fault when the parameters do not go together.
 */
int sysctl_cases(const struct kc_host *host, struct kc_run *run, struct sysctl_cases *ret_cases,
		 const char **ret_fault);

/* A judgement of one key; texts are in the run's memory, or the state's. */
struct sysctl_judgement {
	uint32_t verdict;
	const char *found, *source, *message;
	const struct sysctl_line *winner; /* at the next start: the line that sets it, or NULL */
	const struct sysctl_module *module; /* that is missing, by then or now; NULL when none is */
};

void sysctl_judge_now(const struct kc_host *host, struct kc_run *run, const struct sysctl_case *c,
		      struct sysctl_judgement *ret_judgement);
void sysctl_judge_boot(struct sysctl_state *state, const struct kc_host *host, struct kc_run *run,
		       const struct sysctl_case *c, struct sysctl_judgement *ret_judgement);

/* "1", "at least 60", "one of 0, 1". */
const char *sysctl_expected(const struct kc_host *host, struct kc_run *run,
			    const struct sysctl_want *want);

/* The verdict of a value, with a message where it cannot be compared. */
void sysctl_judge_value(const struct kc_host *host, struct kc_run *run,
			const struct sysctl_want *want, const char *value,
			struct sysctl_judgement *judgement);
