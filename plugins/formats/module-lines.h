/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "unit.h"

/*
 * The lines of modules-load.d(5) and modprobe.d(5), as systemd-modules-load and libkmod (25 to 34)
 * read them. Pure.
 */
enum kc_module_verb {
	KC_MODULE_LOAD = 1, /* a line of modules-load.d */
	KC_MODULE_ALIAS = 2,
	KC_MODULE_BLACKLIST = 3,
	KC_MODULE_INSTALL = 4,
	KC_MODULE_SOFTDEP = 5,
};

/* Of names "-" is written "_", but within brackets, as libkmod compares them. */
struct kc_module_line {
	uint32_t verb; /* enum kc_module_verb */
	const char
		*name; /* a module; of alias, install and softdep a pattern as fnmatch(3) has it */
	const char *rest; /* alias: the module; install: the command; softdep: its words; else "" */
	struct kc_place place;
};

struct kc_module_lines {
	struct kc_module_line *item;
	size_t n, room;
};

/*
 * Appends the lines of one file; `file` must live as long as they. Lines that libkmod ignores, and
 * those of other verbs (options, remove, weakdep), are left out. -EBADMSG: NUL bytes; -E2BIG: more
 * than 65,536 lines in all; -ENOMEM.
 */
int kc_modules_load_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
			  struct kc_module_lines *lines);
int kc_modprobe_parse(const char *file, const char *text, size_t size, struct kc_arena *arena,
		      struct kc_module_lines *lines);

/* Whether a name (n bytes) is the module's: "-" and "_" are the same. */
bool kc_module_is(const char *word, size_t n, const char *module);

/*
 * Whether a pattern of a line is one for the name, which has "_" for "-". -E2BIG: the pattern has
 * so many wildcards that nobody means it.
 */
int kc_module_matches(const char *pattern, const char *name);

/* What becomes of a module that has an install line. */
enum kc_module_install {
	KC_MODULE_INSTALL_LOADS = 1, /* the command calls modprobe or insmod */
	KC_MODULE_INSTALL_NOTHING = 2, /* true, false, exit: the module is not loaded */
	KC_MODULE_INSTALL_UNKNOWN = 3,
};

enum kc_module_install kc_module_install_effect(const char *command);
