/* SPDX-License-Identifier: Apache-2.0 */
#include "swap.h"

int swap_active(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		struct kc_mount_table *ret_swaps)
{
	struct kc_bytes text;
	int r;

	r = kc_read_file(host, run, SWAP_SWAPS, SWAP_FILE_MAX, &text);
	/* The kernel writes a head above no swap at all. */
	if (r == 0 && text.size == 0)
		return -EBADMSG;
	return r ? r : kc_mount_table_parse(KC_MOUNT_SWAPS, text.data, text.size, arena, ret_swaps);
}

/* A kernel without swap has the other files of /proc, and not this one. */
static int judge_absence(const struct kc_host *host, struct kc_run *run)
{
	struct kc_stat st = { .size_of = sizeof(st) };
	const char *why = kc_text(host, run, "%s", kc_why(host, run));

	if (kc_stat(host, run, "/proc/filesystems", 0, &st) == 0)
		return kc_report(host, run, KC_NOW, KC_PASS, "swap", "off", "off", SWAP_SWAPS,
				 "This kernel has no swap: there is no such file.");
	return kc_report(host, run, KC_NOW, KC_ERROR, "swap", "off", NULL, SWAP_SWAPS, why);
}

static int report_swap(const struct kc_host *host, struct kc_run *run,
		       const struct kc_mount_entry *e)
{
	const char *message = NULL;

	if (kc_after_prefix(e->what, "/dev/zram"))
		message = "This is memory that the kernel compresses. The kubelet counts it as "
			  "swap like any other.";
	return kc_report(host, run, KC_NOW, KC_FAIL, e->what, "off",
			 kc_text(host, run, "on (%s of %lld MiB, priority %d)", e->type,
				 (long long)(e->size >> 20), e->priority),
			 kc_text(host, run, SWAP_SWAPS ":%u", e->line), message);
}

int swap_judge_now(const struct kc_host *host, struct kc_run *run)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = SWAP_MEMORY_MAX };
	struct kc_mount_table swaps;
	int r;

	r = swap_active(host, run, &arena, &swaps);
	if (r == -ENOENT)
		return judge_absence(host, run);
	if (r == -ELIBACC)
		return kc_report(host, run, KC_NOW, KC_ERROR, "swap", "off", NULL, SWAP_SWAPS,
				 KC_MOUNT_NO_LIBRARY);
	if (r == -EBADMSG || r == -EFBIG)
		return kc_report(host, run, KC_NOW, KC_ERROR, "swap", "off", NULL, SWAP_SWAPS,
				 "This is not what the kernel writes there.");
	if (r)
		return kc_report_error(host, run, KC_NOW, "swap", SWAP_SWAPS);
	for (size_t i = 0; i < swaps.n && !r; i++)
		r = report_swap(host, run, &swaps.item[i]);
	if (!r && swaps.bad_line)
		r = kc_report(host, run, KC_NOW, KC_ERROR, "swap", "off", NULL,
			      kc_text(host, run, SWAP_SWAPS ":%u", swaps.bad_line),
			      "This line is not what the kernel writes there.");
	if (!r && !swaps.n && !swaps.bad_line)
		r = kc_report(host, run, KC_NOW, KC_PASS, "swap", "off", "off", SWAP_SWAPS, NULL);
	return r;
}
