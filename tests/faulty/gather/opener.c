/* SPDX-License-Identifier: Apache-2.0 */

/* A plugin that asks the broker while it is opened; its fact and its check are good. */

#include "opener-descriptor.h"

int opener_open(const struct kc_host *host, struct kc_run *run, void **ret_state)
{
	struct kc_pairs addresses;
	int r = kc_addresses(host, run, &addresses);

	/* An offline root has none, and says so. */
	return r < 0 && r != -EOPNOTSUPP ? r : 0;
}

void opener_close(void *state)
{
}

int opener_gather(void *state, const struct kc_host *host, struct kc_run *run)
{
	const struct kc_fact fact = {
		.size = sizeof(fact),
		.state = KC_FACT_KNOWN,
		.name = "opener.fact",
		.value = "known",
	};

	return kc_set_fact(host, run, &fact);
}

int opener_check_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_PASS,
		.horizon = KC_NOW,
		.message = "it was opened",
	};

	return kc_finding(host, run, &finding);
}
