/* SPDX-License-Identifier: Apache-2.0 */
#include "partition.h"

#define GENERATOR "systemd-gpt-auto-generator"

/* Why nothing is discovered; NULL when it is. */
static const char *find_what_stops_all(struct swap_boot *boot)
{
	const char *source;

	if (swap_argument(boot, "systemd.gpt_auto", &source) == 0)
		return kc_text(boot->host, boot->run,
			       "systemd.gpt_auto=0 of the kernel's arguments (%s)", source);
	/* The generator knows systemd.swap= since 254. */
	if (swap_argument(boot, "systemd.swap", &source) == 0 && swap_systemd_version(boot) >= 254)
		return kc_text(boot->host, boot->run,
			       "systemd.swap=0 of the kernel's arguments (%s)", source);
	return NULL;
}

static int judge_partition(struct swap_boot *boot, const struct swap_partition *p)
{
	const char *unit = kc_unit_of_path(boot->arena, p->device, ".swap"), *by;
	int version = swap_systemd_version(boot), r;

	if (!unit)
		return -ENOMEM;
	/* Since 254 the unit has a number in its name that is another one at each start. */
	r = swap_wanted_unit_stopped(boot, version > 0 && version < 254 ? unit : SWAP_TARGET, false,
				     &by);
	if (r < 0)
		return swap_add_unseen(boot, p->device, p->source, NULL);
	if (r > 0) {
		swap_note(boot, "The GPT partition %s is not used: %s.", p->device, by);
		return 0;
	}
	return swap_add(boot, &(struct swap_cause){
				      .verdict = KC_FAIL,
				      .origin = SWAP_FROM_GPT,
				      .subject = p->device,
				      .found = "a GPT partition of the type swap",
				      .source = p->source,
				      .message = GENERATOR
				      " finds it on the system's disk by its type and turns it "
				      "on, for " SWAP_FSTAB " names no swap.",
				      .unit = unit,
			      });
}

static int judge_partitions(struct swap_boot *boot)
{
	struct swap_partitions list = { 0 };
	const char *why = NULL, *stopped;
	int r = 0, found;

	found = swap_partitions_read(boot, &list, &why);
	if (found == -ENOMEM)
		return found;
	if (!found && list.n == 0)
		return 0;
	stopped = find_what_stops_all(boot);
	if (stopped) {
		swap_note(boot, "Partitions are not looked for: %s.", stopped);
		return 0;
	}
	/* The generator leaves swap alone as soon as fstab names any, even with noauto. */
	if (boot->fstab_swaps) {
		boot->gpt_later = list.n ? list.item[0].device : NULL;
		if (list.n)
			swap_note(boot,
				  "The GPT partition %s is left alone for as long as " SWAP_FSTAB
				  " names a swap.",
				  list.item[0].device);
		return 0;
	}
	if (found)
		return swap_add_unseen(boot, "GPT discovery", "/run/udev/data", why);
	for (size_t i = 0; i < list.n && !r; i++)
		r = judge_partition(boot, &list.item[i]);
	return r;
}

int swap_collect_gpt(struct swap_boot *boot)
{
	const char *by;
	int r;

	r = swap_generator(boot, GENERATOR, &by);
	if (r == -EPERM)
		swap_note(boot, GENERATOR " is masked by %s.", by);
	if (r == 0 || r == -EPERM)
		return 0;
	if (r < 0)
		return swap_add_unseen(boot, "GPT discovery", NULL, NULL);
	if (!kc_is_live(boot->host, boot->run)) {
		swap_note(boot,
			  "The partitions of the machine that this system will run on are not "
			  "to be seen: " GENERATOR
			  " would turn on those of the type swap on the system's disk.");
		return 0;
	}
	return judge_partitions(boot);
}
