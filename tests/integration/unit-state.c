/* SPDX-License-Identifier: Apache-2.0 */

/*
 * unit-state ROOT QUESTION NAME...
 *
 * Prints what k8scheck's readers say of units below a root, one line a unit, to be held against
 * systemd:
 *
 *   enablement  NAME STATE
 *   preset      NAME enabled|disabled|-
 *   files       NAME FILE DROP-IN...
 *   start       NAME yes|no
 *   command     NAME WORD...           each word as hexadecimal bytes, "-" for none
 */
#include <stdio.h>

#include "base/clock.h"
#include "formats/unit.h"
#include "run/host.h"

typedef int print_function(struct kc_run *run, struct kc_arena *arena, const char *name);

static int print_enablement(struct kc_run *run, struct kc_arena *arena, const char *name)
{
	struct kc_unit_enabled enabled;
	int r;

	r = kc_unit_enablement(&kc_host_table, run, arena, name, &enabled);
	if (!r)
		printf("%s %s\n", name, kc_unit_enablement_name(enabled.state));
	return r;
}

static int print_preset(struct kc_run *run, struct kc_arena *arena, const char *name)
{
	struct kc_unit_enabled enabled;
	int r;

	r = kc_unit_enablement(&kc_host_table, run, arena, name, &enabled);
	if (!r)
		printf("%s %.*s\n", name, enabled.preset ? (int)strcspn(enabled.preset, " ") : 1,
		       enabled.preset ? enabled.preset : "-");
	return r;
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

static int print_start(struct kc_run *run, struct kc_arena *arena, const char *name)
{
	struct kc_unit_start start;
	int r;

	r = kc_unit_start(&kc_host_table, run, arena, name, &start);
	if (!r)
		printf("%s %s\n", name, start.reached ? "yes" : "no");
	return r;
}

static int print_command(struct kc_run *run, struct kc_arena *arena, const char *name)
{
	const struct kc_unit_file *unit;
	struct kc_service_command service;
	int r;

	r = kc_unit_file_load(&kc_host_table, run, arena, name, &unit);
	if (!r)
		r = kc_unit_service_command(&kc_host_table, run, arena, unit, &service);
	if (r)
		return r;
	printf("%s", name);
	for (size_t i = 0; i < service.command.n && !service.fault; i++) {
		const char *word = service.command.word[i].text;

		printf(" %s", *word ? "" : "-");
		for (; *word; word++)
			printf("%02x", (unsigned char)*word);
	}
	printf("%s\n", service.fault ? " fault" : "");
	return 0;
}

static print_function *find_question(const char *name)
{
	static const struct {
		const char *name;
		print_function *print;
	} questions[] = {
		{ "enablement", print_enablement }, { "preset", print_preset },
		{ "files", print_files },	    { "start", print_start },
		{ "command", print_command },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(questions); i++)
		if (kc_streq(questions[i].name, name))
			return questions[i].print;
	return NULL;
}

int main(int argc, char **argv)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	print_function *print = argc > 2 ? find_question(argv[2]) : NULL;
	struct kc_err err;

	if (!print || kc_root_open(argv[1], 0, &err, &root)) {
		fprintf(stderr,
			"usage: unit-state ROOT enablement|preset|files|start|command NAME...\n");
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		struct kc_run run = {
			.root = root,
			.horizons = KC_BOOT,
			.deadline_usec = kc_now_usec() + 60 * 1000000,
		};
		struct kc_arena arena = { 0 };
		int r;

		r = print(&run, &arena, argv[i]);
		if (r)
			printf("%s error %d\n", argv[i], r);
		kc_run_done(&run);
		kc_arena_done(&arena);
	}
	return 0;
}
