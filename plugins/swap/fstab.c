/* SPDX-License-Identifier: Apache-2.0 */
#include "swap.h"

/* Of "auto" and "noauto" the last one counts, as in systemd's fstab_test_yes_no_option(). */
static bool is_noauto(struct swap_boot *boot, const char *options)
{
	const char *rest = options, *option;
	bool noauto = false;

	while ((option = kc_mount_option_next(&rest, boot->arena))) {
		if (kc_streq(option, "noauto"))
			noauto = true;
		else if (kc_streq(option, "auto"))
			noauto = false;
	}
	return noauto;
}

/* Why no line of fstab counts; NULL when they do. */
static const char *find_what_stops_all(struct swap_boot *boot)
{
	const char *source, *by;
	int version;

	if (swap_generator(boot, "systemd-fstab-generator", &by) == -EPERM)
		return kc_text(
			boot->host, boot->run,
			"systemd-fstab-generator, which reads " SWAP_FSTAB ", is masked by %s", by);
	if (swap_argument(boot, "fstab", &source) == 0)
		return kc_text(boot->host, boot->run, "fstab=no of the kernel's arguments (%s)",
			       source);
	if (swap_argument(boot, "systemd.swap", &source) != 0)
		return NULL;
	/* systemd.swap= is known since 246; an older systemd passes it over. */
	version = swap_systemd_version(boot);
	return version >= 246 ? kc_text(boot->host, boot->run,
					"systemd.swap=no of the kernel's arguments (%s)", source)
			      : NULL;
}

static int add_entry(struct swap_boot *boot, const struct kc_mount_entry *e)
{
	const char *source = kc_text(boot->host, boot->run, SWAP_FSTAB ":%u", e->line);
	const char *device = kc_device_of_source(boot->arena, e->what), *unit, *by;
	int r;

	unit = device ? kc_unit_of_path(boot->arena, device, ".swap") : NULL;
	if (!unit)
		return -ENOMEM;
	if (is_noauto(boot, e->options)) {
		swap_note(boot, "%s has noauto (%s).", e->what, source);
		return 0;
	}
	r = swap_wanted_unit_stopped(boot, unit, true, &by);
	if (r < 0)
		return swap_add_unseen(boot, e->what, source, NULL);
	if (r > 0) {
		swap_note(boot, "%s (%s) stays off: %s.", e->what, source, by);
		return 0;
	}
	return swap_add(boot, &(struct swap_cause){
				      .verdict = KC_FAIL,
				      .origin = SWAP_FROM_FSTAB,
				      .subject = e->what,
				      .found = kc_text(boot->host, boot->run, "swap, %s",
						       *e->options ? e->options : "no options"),
				      .source = source,
				      .message = kc_text(
					      boot->host, boot->run,
					      "swap.target starts %s, which systemd makes of this "
					      "line.",
					      unit),
				      .unit = unit,
				      .line = e->line,
			      });
}

static int add_entries(struct swap_boot *boot, const struct kc_mount_table *table)
{
	const char *stopped = NULL;
	int r = 0;

	for (size_t i = 0; i < table->n && !r; i++) {
		if (boot->fstab_swaps++ == 0)
			stopped = find_what_stops_all(boot);
		if (!stopped)
			r = add_entry(boot, &table->item[i]);
	}
	if (stopped)
		swap_note(boot, "No swap of " SWAP_FSTAB " is turned on: %s.", stopped);
	if (!r && table->bad_line)
		r = swap_add_unseen(
			boot, SWAP_FSTAB,
			kc_text(boot->host, boot->run, SWAP_FSTAB ":%u", table->bad_line),
			"libmount cannot read this line, so that nobody can say whether "
			"it names a swap.");
	return r;
}

int swap_collect_fstab(struct swap_boot *boot)
{
	struct kc_mount_table table;
	int r;

	r = kc_read_file(boot->host, boot->run, SWAP_FSTAB, SWAP_FILE_MAX, &boot->fstab);
	if (r == -ENOENT)
		return 0;
	if (r)
		return swap_add_unseen(boot, SWAP_FSTAB, SWAP_FSTAB, NULL);
	r = kc_mount_table_parse_part(KC_MOUNT_FSTAB, boot->fstab.data, boot->fstab.size,
				      boot->arena, &table);
	if (r == -ELIBACC)
		return swap_add_unseen(boot, SWAP_FSTAB, SWAP_FSTAB, KC_MOUNT_NO_LIBRARY);
	if (r == -EBADMSG || r == -EFBIG)
		return swap_add_unseen(boot, SWAP_FSTAB, SWAP_FSTAB,
				       r == -EFBIG ? "The file has more lines than k8scheck reads."
						   : "The file has NUL bytes.");
	return r ? r : add_entries(boot, &table);
}
