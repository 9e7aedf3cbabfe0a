/* SPDX-License-Identifier: Apache-2.0 */
#include "swap-descriptor.h"
#include "swap.h"

static int report_pass(struct swap_boot *boot)
{
	if (kc_buf_error(&boot->notes))
		return -ENOMEM;
	return kc_report(boot->host, boot->run, KC_BOOT, KC_PASS, "swap", "off",
			 "nothing turns it on",
			 "/etc/fstab, units, zram-generator.conf and the rest that starts swap",
			 boot->notes.len ? boot->notes.data : NULL);
}

static int judge_boot(const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = SWAP_MEMORY_MAX };
	kc_cleanup(swap_boot_done) struct swap_boot boot = { .host = host,
							     .run = run,
							     .arena = &arena };
	int r;

	r = swap_boot_collect(&boot);
	for (size_t i = 0; i < boot.n && !r; i++) {
		const struct swap_cause *c = &boot.cause[i];

		r = kc_report(host, run, KC_BOOT, c->verdict, c->subject, "off", c->found,
			      c->source, c->message);
	}
	if (!r && boot.n == 0)
		r = report_pass(&boot);
	return r;
}

int swap_off_run(void *state, const struct kc_host *host, struct kc_run *run)
{
	uint32_t horizons = kc_horizons(host, run);
	int r = 0;

	if (horizons & KC_NOW)
		r = swap_judge_now(host, run);
	if (!r && (horizons & KC_BOOT))
		r = judge_boot(host, run);
	return r;
}
