/* SPDX-License-Identifier: Apache-2.0 */
#include "swap.h"

/* Adds what the unit's files say. */
static int judge_unit(struct swap_boot *boot, const char *name, const char *path)
{
	struct kc_unit_enabled enabled;
	struct kc_unit_start start;
	const char *by;
	int r;

	r = kc_unit_enablement(boot->host, boot->run, boot->arena, name, &enabled);
	if (r == -EINVAL)
		return 0; /* not a name that systemd would load */
	if (!r && enabled.state != KC_UNIT_MASKED)
		r = kc_unit_start(boot->host, boot->run, boot->arena, name, &start);
	if (r)
		return swap_add_unseen(boot, name, path, NULL);
	if (enabled.state == KC_UNIT_MASKED) {
		swap_note(boot, "%s is masked by %s.", name, enabled.source);
		return 0;
	}
	if (!start.reached)
		return 0;
	if (enabled.state == KC_UNIT_BAD)
		return swap_add_unseen(boot, name, enabled.source, enabled.fault);
	r = swap_unit_stopped(boot, name, false, &by);
	if (r > 0)
		swap_note(boot, "%s.", by);
	if (r)
		return r < 0 ? swap_add_unseen(boot, name, path, NULL) : 0;
	return swap_add(boot,
			&(struct swap_cause){
				.verdict = KC_FAIL,
				.origin = SWAP_FROM_UNIT,
				.subject = name,
				.found = kc_text(boot->host, boot->run, "started by %s", start.by),
				.source = start.source,
				.unit = name,
				.fragment = path,
				.enabled = enabled.state == KC_UNIT_ENABLED,
			});
}

static bool has_name(const struct kc_strings *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (kc_streq(names->item[i], name))
			return true;
	return false;
}

int swap_collect_units(struct swap_boot *boot)
{
	struct kc_strings seen[16];
	size_t n = 0;
	int r = 0;

	for (const char *const *dir = kc_unit_dirs; *dir && n < KC_ARRAY_SIZE(seen) && !r; dir++) {
		if (kc_unit_path_is_double(boot->host, boot->run, *dir))
			continue;
		r = kc_list_dir(boot->host, boot->run, *dir, &seen[n]);
		if (r == -ENOENT || r == -ENOTDIR) {
			r = 0;
			continue;
		}
		if (r) {
			r = swap_add_unseen(boot, *dir, *dir, NULL);
			continue;
		}
		for (size_t i = 0; i < seen[n].n && !r; i++) {
			const char *name = seen[n].item[i];
			bool before = !kc_endswith(name, ".swap");

			for (size_t k = 0; k < n && !before; k++)
				before = has_name(&seen[k], name);
			if (!before)
				r = judge_unit(boot, name,
					       kc_text(boot->host, boot->run, "%s/%s", *dir, name));
		}
		n++;
	}
	return r;
}
