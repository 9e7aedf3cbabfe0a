/* SPDX-License-Identifier: Apache-2.0 */

/* A plugin that goes wrong while it gathers facts, and whose check is good. */

#include <signal.h>
#include <unistd.h>

#include <k8scheck-plugin.h>

int GATHER_FACTS(void *state, const struct kc_host *host, struct kc_run *run)
{
#if FAULT_IS_CRASH
	(void)raise(SIGKILL);
#elif FAULT_IS_HANG
	(void)sleep(1000);
#elif FAULT_IS_FOREIGN
	const struct kc_fact fact = {
		.size = sizeof(fact),
		.state = KC_FACT_KNOWN,
		.name = "os.id",
		.value = "forged",
	};

	return kc_set_fact(host, run, &fact);
#else
#error "no such fault"
#endif
	return 0;
}

int GATHER_RUN(void *state, const struct kc_host *host, struct kc_run *run)
{
	const struct kc_finding finding = {
		.size = sizeof(finding),
		.verdict = KC_PASS,
		.horizon = KC_NOW,
		.message = "nothing was looked at",
	};

	return kc_finding(host, run, &finding);
}
