/* SPDX-License-Identifier: Apache-2.0 */
#include "swap.h"

int swap_add(struct swap_boot *boot, const struct swap_cause *cause)
{
	struct swap_cause *causes;

	if (boot->n == SWAP_CAUSES_MAX)
		return -E2BIG;
	causes = kc_arena_grow(boot->arena, boot->cause, boot->n, &boot->room, sizeof(*causes));
	if (!causes)
		return -ENOMEM;
	boot->cause = causes;
	boot->cause[boot->n++] = *cause;
	return 0;
}

int swap_add_unseen(struct swap_boot *boot, const char *subject, const char *source,
		    const char *message)
{
	const struct swap_cause cause = {
		.verdict = KC_ERROR,
		.subject = subject,
		.source = source,
		.message = message ? message
				   : kc_text(boot->host, boot->run, "%s",
					     kc_why(boot->host, boot->run)),
	};

	return swap_add(boot, &cause);
}

void swap_note(struct swap_boot *boot, const char *fmt, ...)
{
	va_list ap;

	if (boot->notes.len)
		kc_buf_addc(&boot->notes, ' ');
	va_start(ap, fmt);
	kc_buf_addv(&boot->notes, fmt, ap);
	va_end(ap);
}

void swap_boot_done(struct swap_boot *boot)
{
	kc_buf_done(&boot->notes);
}

/* systemd.swap-extra=WHAT[:OPTIONS], since 254 (systemd-fstab-generator(8)). */
static int collect_extra(struct swap_boot *boot)
{
	const struct kc_kernel_argument *extra;
	const char *what, *unit, *by;
	int version, r;

	/* Nothing of an older systemd's that would be passed over is to be seen. */
	if (boot->arguments_read && !boot->arguments_why &&
	    !kc_kernel_argument_last(boot->arguments.item, boot->arguments.n, "systemd.swap-extra"))
		return 0;
	/* Older systems are not made to read their boot loader's files for it. */
	version = swap_systemd_version(boot);
	if (version > 0 && version < 254)
		return 0;
	(void)swap_argument(boot, "systemd.swap-extra", &by);
	if (boot->arguments_why)
		return swap_add_unseen(boot, "systemd.swap-extra", boot->arguments.source,
				       boot->arguments_why);
	extra = kc_kernel_argument_last(boot->arguments.item, boot->arguments.n,
					"systemd.swap-extra");
	if (!extra || !extra->value)
		return 0;
	what = kc_arena_memdup(boot->arena, extra->value, strcspn(extra->value, ":"));
	unit = what ? kc_device_of_source(boot->arena, what) : NULL;
	unit = unit ? kc_unit_of_path(boot->arena, unit, ".swap") : NULL;
	if (!unit)
		return -ENOMEM;
	r = swap_wanted_unit_stopped(boot, unit, true, &by);
	if (r)
		return r < 0 ? swap_add_unseen(boot, what, boot->arguments.source, NULL) : 0;
	return swap_add(boot, &(struct swap_cause){
				      .verdict = KC_FAIL,
				      .origin = SWAP_FROM_ARGUMENT,
				      .subject = what,
				      .found = "systemd.swap-extra= of the kernel's arguments",
				      .source = boot->arguments.source,
				      .unit = unit,
			      });
}

int swap_boot_collect(struct swap_boot *boot)
{
	static int (*const collect[])(struct swap_boot *) = {
		swap_collect_fstab, swap_collect_units, swap_collect_services,
		swap_collect_zram,  swap_collect_gpt,	collect_extra,
	};
	int r = 0;

	for (size_t i = 0; i < KC_ARRAY_SIZE(collect) && !r; i++)
		r = collect[i](boot);
	return r;
}
