/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/boot-arguments.h"
#include "formats/module-files.h"
#include "formats/module-index.h"

struct modules_kmod;

/* The kernel that starts next, and why it is thought to be that one. */
struct modules_next {
	struct kc_module_kernel *kernel; /* NULL: no kernel is installed below the root */
	const char *why; /* a clause: "it is the newest that is installed" */
};

/* What rules share; each part is read when a rule first asks for it. */
struct modules_state {
	struct kc_arena arena;

	/* the running kernel */
	bool now_read;
	const char *release; /* NULL offline, or when it cannot be told: release_why */
	const char *release_why;
	const char *loaded; /* the text of /proc/modules; NULL: there is none, or loaded_why */
	const char *loaded_why;
	struct modules_kmod *kmod; /* NULL until it is asked */

	/* the installed ones */
	bool kernels_read;
	struct kc_module_kernels kernels;
	const char *kernels_why; /* why they cannot be listed */

	/* the next start */
	bool boot_read;
	struct kc_module_config config;
	struct kc_boot_arguments arguments;
	const char *arguments_why; /* why they cannot be told; NULL when they can, or are none */
	bool no_arguments; /* neither an entry nor a running kernel has any */
	struct modules_next next;
};

/* Read their part once; -ENOMEM. */
int modules_read_now(struct modules_state *state, const struct kc_host *host, struct kc_run *run);
int modules_read_kernels(struct modules_state *state, const struct kc_host *host,
			 struct kc_run *run);
int modules_read_boot(struct modules_state *state, const struct kc_host *host, struct kc_run *run);

/* Which of the listed kernels starts next; `arguments` may be of no entry. -ENOMEM. */
int modules_find_next(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const struct kc_module_kernels *kernels,
		      const struct kc_boot_arguments *arguments, struct modules_next *ret_next);

/* Why a module is not there, for the repair. */
enum modules_cause {
	MODULES_OTHER = 0,
	MODULES_NOT_LOADED = 1, /* now: it could be */
	MODULES_MISSING = 2, /* no such module, or its file is gone; `hint` says what brings it */
	MODULES_NOT_LISTED = 3, /* boot: nothing loads it */
	MODULES_BLACKLISTED = 4, /* boot: by a line of modprobe.d */
	MODULES_BARRED = 5, /* boot: by something else */
};

/* What came of one horizon; texts in the run's memory, or the state's. */
struct modules_judgement {
	uint32_t verdict; /* enum kc_verdict */
	const char *expected, *found, *source, *message;
	enum modules_cause cause;
	bool listed; /* boot: something would load it */
	const char *name; /* of the module, behind an alias */
	const char *hint; /* commands for a person; or NULL */
};

/* One module of a rule. */
struct modules_case {
	struct modules_state *state;
	const struct kc_host *host;
	struct kc_run *run;
	const char *asked; /* as the profile has it */
	const char *name; /* behind an alias, as far as that is known */
	bool loadable; /* at-boot: loadable */
};

/* Judge one horizon; an error of the host is a verdict, too. -ENOMEM. */
int modules_judge_now(struct modules_case *c, struct modules_judgement *ret_judgement);
int modules_judge_boot(struct modules_case *c, struct modules_judgement *ret_judgement);

/*
 * What brings a module that a kernel has not: a command in *ret_hint, a sentence as result. NULL in
 * both where no package is known.
 */
const char *modules_hint(const struct kc_host *host, struct kc_run *run, const char *release,
			 const char **ret_hint);

/* What libkmod says of a name. */
struct modules_kmod_answer {
	uint32_t state; /* enum kc_module_state */
	const char *name; /* of the module: another one than asked where that is an alias */
	const char *path; /* of its file */
	const char *unknown; /* of KC_MODULE_UNKNOWN: a sentence */
};

/*
 * Asks libkmod about a name or alias, by the indexes of one release. *kmod keeps what was opened,
 * NULL at first. A negative errno with a sentence in *ret_why when it cannot be asked: the library
 * is not installed, the folder or an index is of the wrong kind.
 */
int modules_kmod_ask(struct modules_kmod **kmod, const struct kc_host *host, struct kc_run *run,
		     const char *release, const char *name, struct modules_kmod_answer *ret_answer,
		     const char **ret_why);
void modules_kmod_done(struct modules_kmod *kmod);

/*
 * The text of a file of modprobe.d with the lines turned into comments that blacklist one of the
 * modules; in the run's memory, NULL when memory is short. Pure but for that.
 */
const char *modules_without_blacklist(const struct kc_host *host, struct kc_run *run,
				      const struct kc_bytes *text, const struct kc_strings *names);

/* Reads the rule's parameters; calls `each` for each module. Stops at its first negative errno. */
int modules_each(void *state, const struct kc_host *host, struct kc_run *run,
		 int (*each)(struct modules_case *c, void *context), void *context);

/* Whether a name can be one of a module: letters, digits, "_", "-" and ".", at most 255. */
bool modules_is_name(const char *name);
