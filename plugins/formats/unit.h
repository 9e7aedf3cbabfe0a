/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * systemd units from files alone, as systemd.unit(5) says PID 1 reads them and systemctl(1) judges
 * their enablement. For the boot horizon: nothing is asked of a running systemd.
 */

/*
 * The name of a unit as systemctl takes it: with ".service" where it has no type. In the arena;
 * NULL when that is no valid name, or memory is short.
 */
const char *kc_unit_name_complete(struct kc_arena *arena, const char *name);

/* The unit folders, in their order of precedence; runtime ones (/run) only where the next boot has
 * them: never, so they are left out. NULL-terminated. */
extern const char *const kc_unit_dirs[];

/*
 * True where a path below /lib is the same one below /usr/lib, since the merge of both made /lib a
 * link: what was read there need not be read here.
 */
bool kc_unit_path_is_double(const struct kc_host *host, struct kc_run *run, const char *path);

struct kc_place {
	const char *file;
	unsigned line;
};

/* One assignment; values keep specifiers and quotes, continuation lines are joined by a space. */
struct kc_unit_setting {
	const char *section, *key, *value;
	struct kc_place place;
};

struct kc_unit_file {
	const char *name; /* as asked */
	const char *canonical; /* behind aliases */
	const char *fragment; /* the file; NULL when there is none */
	bool masked; /* an empty file, or a link to /dev/null; `fragment` is then that mask */
	const char *const *dropins; /* files, in the order they apply */
	const struct kc_unit_setting
		*setting; /* of fragment and drop-ins, in order, nothing reset yet */
	size_t n_settings;
	const char *
		fault; /* a sentence why systemd cannot load it though there is a file; else NULL */
};

/*
 * Reads fragment and drop-ins (NAME.d, the prefix folders foo-.service.d, service.d, and those of
 * aliases and templates) below the unit folders. 0 also when there is no such unit (fragment NULL).
 * A file that cannot be read is a negative errno, with kc_why(); -EINVAL: that is no name of a
 * unit; -E2BIG: more than 1,024 drop-ins or aliases, or 65,536 settings. A fault in the fragment is
 * in `fault`; of a drop-in with a fault, what stands before it counts (systemd.unit(5)).
 */
int kc_unit_file_load(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		      const char *name, const struct kc_unit_file **ret_unit);

/*
 * The file that masks a unit (empty, or a link to /dev/null) in the first of the unit folders that
 * has one of its name; NULL when it is not masked. Cheaper than loading it: aliases and drop-ins
 * are not looked at. A negative errno, with kc_why(), when that cannot be told. In the arena.
 */
int kc_unit_mask(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		 const char *name, const char **ret_mask);

/* Values of a setting that is a list in systemd: an empty assignment forgets those before it. */
int kc_unit_file_list(const struct kc_unit_file *unit, const char *section, const char *key,
		      struct kc_arena *arena, const struct kc_unit_setting ***ret_list,
		      size_t *ret_n);

/* The last assignment of a setting that is a single value; NULL when there is none. */
const struct kc_unit_setting *kc_unit_file_last(const struct kc_unit_file *unit,
						const char *section, const char *key);

/*
 * Parses the text of one unit file; pure. Lines that systemd would ignore with a warning are left
 * out. -EBADMSG: systemd refuses the file (a section header left open, a line that is not UTF-8);
 * -EFBIG, -E2BIG: more than 1 MiB, or than 65,536 settings.
 */
int kc_unit_file_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		       struct kc_unit_setting **ret_settings, size_t *ret_n);

enum kc_unit_enablement {
	KC_UNIT_NOT_FOUND = 1,
	KC_UNIT_ENABLED = 2,
	KC_UNIT_DISABLED = 3,
	KC_UNIT_MASKED = 4,
	KC_UNIT_STATIC = 5, /* no [Install] section: something else starts it, or nothing */
	KC_UNIT_ALIAS = 6, /* the name is a link to another unit */
	KC_UNIT_INDIRECT = 7, /* [Install] has only Also=, or another instance is enabled */
	KC_UNIT_GENERATED = 8,
	/* the file lies outside the unit folders and is linked in, not enabled */
	KC_UNIT_LINKED = 9,
	KC_UNIT_BAD = 10, /* a link that leads nowhere or may not be, a file that systemd refuses */
};

struct kc_unit_enabled {
	uint32_t state; /* enum kc_unit_enablement */
	const char *source; /* the link that enables it, the mask, the fragment, or the folders
			       searched */
	const char
		*preset; /* "enabled", "disabled" and where a preset file says so; NULL for none */
	const char *unit; /* the unit that the name stands for: itself, or behind aliases */
	const char *fault; /* of KC_UNIT_BAD: a sentence; else NULL */
};

const char *kc_unit_enablement_name(uint32_t state);

/*
 * `systemctl --root=... is-enabled NAME`, with the link or file that decides: without /run, which
 * the next boot has empty. KC_UNIT_GENERATED is a service of a script in /etc/init.d. Errors as
 * those of kc_unit_file_load().
 */
int kc_unit_enablement(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		       const char *name, struct kc_unit_enabled *ret_enabled);

/* Whether the next boot starts a unit. */
struct kc_unit_start {
	bool reached;
	const char
		*target; /* what default.target is ("graphical.target"); NULL when there is none */
	const char *by; /* reached: the unit that wants it */
	const char *source; /* reached: the link or the setting's place that wants it */
};

/*
 * Looks whether default.target, or what it wants or requires in any number of steps, wants or
 * requires the unit: by links in .wants, .requires and .upholds folders (one to /dev/null hides
 * those of folders behind it), and by Wants=, Requires=, BindsTo= and Upholds=. Masked units start
 * nothing. What sockets, timers, paths, devices or the bus start is not looked at. Errors as those
 * of kc_unit_file_load().
 */
int kc_unit_start(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
		  const char *name, struct kc_unit_start *ret_start);

/* One word of a command line, and where it was written (unit file, drop-in, or environment file).
 */
struct kc_word {
	const char *text;
	struct kc_place place;
};

struct kc_command {
	const struct kc_word *word; /* word[0] is the program */
	size_t n;
	struct kc_place place; /* of the ExecStart= line */
};

/* A variable of the service's environment, and the file that set it last. */
struct kc_environment_variable {
	const char *name, *value;
	struct kc_place place;
};

struct kc_service_command {
	struct kc_command
		command; /* of the last ExecStart= that counts; n is 0 when there is none */
	const struct kc_environment_variable *environment;
	size_t n_environment;
	const char *fault; /* a sentence why systemd would not start it (a quote left open, an
			      environment file that is not there, a second ExecStart=); else NULL */
};

/*
 * The command that a service will be started with: ExecStart= after resets, split and unquoted as
 * systemd.service(5) says, with $VAR (split into words) and ${VAR} replaced from Environment= and
 * then EnvironmentFile= (a leading "-" makes it optional; patterns), less UnsetEnvironment=.
 * Specifiers that the files alone do not decide (%H, %m, ...) stay as they are; so does what the
 * manager itself would add to the environment. Prefixes of the program (-, @, :, +, !) and the name
 * behind @ are left out.
 */
int kc_unit_service_command(const struct kc_host *host, struct kc_run *run, struct kc_arena *arena,
			    const struct kc_unit_file *unit,
			    struct kc_service_command *ret_service);

/*
 * An environment file as systemd.exec(5) (EnvironmentFile=) reads it; pure. The last of several
 * values of a variable is kept, in the place of the first. A comment that ends in a backslash does
 * not go on in the next line, as since systemd 254. -EBADMSG: systemd refuses the whole file (NUL,
 * broken UTF-8); -EFBIG, -E2BIG: more than 1 MiB, or 4,096 variables.
 */
int kc_environment_file_parse(const char *file, const char *text, size_t size,
			      struct kc_arena *arena,
			      struct kc_environment_variable **ret_variables, size_t *ret_n);
