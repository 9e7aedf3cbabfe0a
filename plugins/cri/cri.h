/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/* One run of cri.answers. Texts are the host's, and live as long as the run. */
struct cri_check {
	const struct kc_host *host;
	struct kc_run *run;
	const char *endpoint; /* as the rule gives it */
	const char *path; /* of the socket */
	uint64_t timeout; /* µs */
};

/* "1s", "200ms": as a profile writes a duration. */
const char *cri_duration(const struct cri_check *c, uint64_t usec);

/* The value of a key, or NULL. */
const char *cri_value(const struct kc_pairs *pairs, const char *key);

/*
 * Reports what kc_runtime() failed with: fail when it says something about the runtime, error when
 * this process could not ask, or not for as long as the rule allows: `left` is the time, in µs,
 * that the rule had when it asked. `question` names it ("Version"), `source` the place.
 */
int cri_report_failure(const struct cri_check *c, int code, uint64_t left, const char *question,
		       const char *source);
