/* SPDX-License-Identifier: Apache-2.0 */

/*
 * unit-state ROOT enablement|dropins NAME...
 *
 * Prints what k8scheck's readers say of units below a root, one line a unit, to be held against systemctl:
 * "NAME STATE", or "NAME FILE DROP-IN...".
 */
#include <stdio.h>

#include "base/clock.h"
#include "formats/unit.h"
#include "run/host.h"

static int print_enablement(struct kc_run *run, struct kc_arena *arena, const char *name)
{
	struct kc_unit_enabled enabled;
	int r;

	r = kc_unit_enablement(&kc_host_table, run, arena, name, &enabled);
	if (r)
		return r;
	printf("%s %s\n", name, kc_unit_enablement_name(enabled.state));
	return 0;
}

static int print_files(struct kc_run *run, struct kc_arena *arena, const char *name)
{
	const struct kc_unit_file *unit;
	int r;

	r = kc_unit_file_load(&kc_host_table, run, arena, name, &unit);
	if (r)
		return r;
	printf("%s %s", name, unit->fragment && !unit->masked ? unit->fragment : "-");
	KC_FOREACH_STR (path, unit->dropins)
		printf(" %s", path);
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_err err;
	bool files;

	if (argc < 3 || kc_root_open(argv[1], 0, &err, &root)) {
		fprintf(stderr, "usage: unit-state ROOT enablement|files NAME...\n");
		return 2;
	}
	files = kc_streq(argv[2], "files");
	for (int i = 3; i < argc; i++) {
		struct kc_run run = {
			.root = root,
			.horizons = KC_BOOT,
			.deadline_usec = kc_now_usec() + 60 * 1000000,
		};
		struct kc_arena arena = { 0 };
		int r;

		r = (files ? print_files : print_enablement)(&run, &arena, argv[i]);
		if (r)
			printf("%s error %d\n", argv[i], r);
		kc_run_done(&run);
		kc_arena_done(&arena);
	}
	return 0;
}
