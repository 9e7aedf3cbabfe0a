/* SPDX-License-Identifier: Apache-2.0 */
#include "mount.h"

#define SOURCE "/proc/self/mountinfo"

int mount_judge_now(const struct mount_rule *rule)
{
	const struct kc_mount_entry *e;
	struct kc_mount_table table;
	struct mount_found found;
	struct kc_bytes text;
	int r;

	r = kc_mountinfo(rule->host, rule->run, &text);
	if (r)
		return kc_report_error(rule->host, rule->run, KC_NOW, rule->path, SOURCE);
	r = kc_mount_table_parse(KC_MOUNT_INFO, text.data, text.size, rule->arena, &table);
	if (r == -ENOMEM)
		return r;
	if (r || table.bad_line)
		return kc_report(
			rule->host, rule->run, KC_NOW, KC_ERROR, rule->path, NULL, NULL,
			kc_text(rule->host, rule->run, SOURCE ":%u", r ? 1 : table.bad_line),
			r == -ELIBACC ? KC_MOUNT_NO_LIBRARY
				      : "This is not what the kernel writes there.");
	e = kc_mount_behind(&table, rule->resolved);
	if (!e)
		return kc_report(rule->host, rule->run, KC_NOW, KC_ERROR, rule->path, NULL, NULL,
				 SOURCE, "No root file system is among the mounts.");
	found = (struct mount_found){
		.where = e->where,
		.what = e->what,
		.type = e->type,
		.options = e->options,
		.source = kc_text(rule->host, rule->run, SOURCE ":%u", e->line),
	};
	return mount_judge(rule, KC_NOW, &found, NULL);
}
