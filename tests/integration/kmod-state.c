/* SPDX-License-Identifier: Apache-2.0 */

/*
 * kmod-state ROOT RELEASE QUESTION NAME...
 *
 * Prints what k8scheck says of modules below a root, one line a module, to be held against kmod's
 * own programs:
 *
 *   text        NAME absent|builtin|there|gone|unknown PATH      by modules.dep and modules.builtin
 *   library     NAME absent|builtin|there|gone MODULE PATH       by libkmod, as the plugin asks it
 *   files       NAME barred|unknown|free                         by modprobe.d
 */
#include <stdio.h>

#include "base/clock.h"
#include "modules/modules.h"
#include "run/host.h"

struct question {
	struct kc_run *run;
	struct kc_arena *arena;
	const char *release;
	const char *name;
};

static const char *state_name(uint32_t state)
{
	static const char *const names[] = { "?", "absent", "builtin", "there", "gone", "unknown" };

	return names[state < KC_ARRAY_SIZE(names) ? state : 0];
}

static int print_text(const struct question *q)
{
	struct kc_module_kernels kernels;
	struct kc_module_kernel *kernel;
	struct kc_module_found found;
	int r;

	r = kc_module_kernels_list(&kc_host_table, q->run, q->arena, &kernels);
	if (r < 0)
		return r;
	kernel = kc_module_kernels_find(&kernels, q->release);
	if (!kernel)
		return -ENOENT;
	r = kc_module_kernel_find(&kc_host_table, q->run, q->arena, kernel, q->name, &found);
	if (r == 0)
		printf("%s %s %s\n", q->name, state_name(found.state),
		       found.path ? found.path : "-");
	return r;
}

static int print_library(const struct question *q)
{
	struct modules_kmod *kmod = NULL;
	struct modules_kmod_answer answer;
	const char *why;
	int r;

	r = modules_kmod_ask(&kmod, &kc_host_table, q->run, q->release, q->name, &answer, &why);
	if (r < 0)
		printf("%s error %s\n", q->name, why);
	else
		printf("%s %s %s %s\n", q->name, state_name(answer.state),
		       answer.name ? answer.name : "-", answer.path ? answer.path : "-");
	modules_kmod_done(kmod);
	return 0;
}

static int print_files(const struct question *q)
{
	struct kc_module_config config;
	struct kc_module_files files;
	int r;

	r = kc_module_config_read(&kc_host_table, q->run, q->arena, &config);
	if (r == 0)
		r = kc_module_files_judge(&config, q->arena, q->name, NULL, 0, &files);
	if (r == 0)
		printf("%s %s\n", q->name,
		       files.barred_by	    ? "barred"
		       : files.unknown_bars ? "unknown"
					    : "free");
	return r;
}

static int (*find_question(const char *name))(const struct question *)
{
	if (kc_streq(name, "text"))
		return print_text;
	if (kc_streq(name, "library"))
		return print_library;
	return kc_streq(name, "files") ? print_files : NULL;
}

int main(int argc, char **argv)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	int (*print)(const struct question *) = argc > 3 ? find_question(argv[3]) : NULL;
	struct kc_err err;

	if (!print || kc_root_open(argv[1], 0, &err, &root)) {
		fprintf(stderr, "usage: kmod-state ROOT RELEASE text|library|files NAME...\n");
		return 2;
	}
	for (int i = 4; i < argc; i++) {
		struct kc_run run = {
			.root = root,
			.horizons = KC_BOOT,
			.deadline_usec = kc_now_usec() + 60 * 1000000,
		};
		struct kc_arena arena = { 0 };
		const struct question q = {
			.run = &run,
			.arena = &arena,
			.release = argv[2],
			.name = argv[i],
		};
		int r = print(&q);

		if (r)
			printf("%s error %d\n", argv[i], r);
		kc_run_done(&run);
		kc_arena_done(&arena);
	}
	return 0;
}
