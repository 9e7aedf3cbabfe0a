/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"
#include "grub-environment.h"

/*
 * GRUB's scripts (grub.cfg), as far as they make a menu: variables, functions, conditions on them,
 * menuentry and submenu. For grub-config.c alone. Nothing is looked at but the text: what depends
 * on the machine that GRUB runs on (files, fonts, its platform) is unknown, and both branches of
 * such a condition are gone through in GRUB_MAYBE. The language is that of GRUB's manual, "Writing
 * full configuration files directly".
 */

enum {
	GRUB_WORDS_MAX = 512 /* of one command */
};

enum grub_mode {
	GRUB_RUN = 1,
	GRUB_MAYBE = 2, /* whether it is run is unknown */
	GRUB_SKIP = 3,
};

struct grub_word {
	const char *text;
	bool unknown; /* has a variable whose value cannot be known */
	bool quoted; /* some of it stood in quotes, so that it is no reserved word */
	bool one; /* has white space that does not separate arguments */
};

struct grub_variable {
	const char *name, *value;
	bool unknown;
	bool in_environment; /* from grubenv, at that line; else from the script's */
	unsigned line;
};

struct grub_function {
	const char *name;
	size_t at;
	unsigned line;
};

/* An item of the menu. */
struct grub_item {
	const char *title, *id;
	size_t at; /* of its body */
	unsigned line;
	bool submenu, maybe;
	bool entries; /* all entries of the Boot Loader Specification, by blscfg */
};

/* A kernel that a menuentry loads. */
struct grub_kernel {
	const char *path, *options; /* NULL: none was loaded */
	const char *unexpanded; /* variables in them whose values only GRUB knows, or NULL */
	unsigned line;
	bool maybe; /* whether it is this one depends on what only GRUB knows */
};

struct grub_script {
	struct kc_arena *arena;
	const char *text;
	size_t size, at;
	unsigned line;
	enum grub_mode mode;
	bool have_environment;
	struct kc_buf scratch; /* of the word that is being read */
	struct grub_word *word; /* the command that was read last */
	size_t n_words;
	bool opens; /* it ends in a brace that opens a block */
	struct grub_variable *variable;
	size_t n_variables;
	struct grub_function *function;
	size_t n_functions;
	const char *const *argument; /* of the function that runs, NULL-terminated; or NULL */
	struct grub_item *item;
	size_t n_items;
	struct grub_kernel kernel;
	const char *unexpanded; /* names of variables of the command whose values are unknown */
	unsigned depth, steps;
	size_t taken; /* bytes that were read, those of functions each time */
	size_t expanded; /* bytes that variables brought */
};

/* Makes a script ready. -EFBIG for more than 1 MiB, -EBADMSG for NUL bytes, -ENOMEM. */
int grub_script_open(struct grub_script *script, const char *text, size_t size,
		     const struct kc_grub_environment *environment, struct kc_arena *arena);
void grub_script_done(struct grub_script *script);

/*
 * Goes through the commands from where the script stands, up to the end of the block or the text.
 * -E2BIG: it is larger or deeper than any that GRUB's tools write; -ENOMEM.
 */
int grub_script_run(struct grub_script *script);

/* The variable, NULL when it is not set. */
const struct grub_variable *grub_script_variable(const struct grub_script *script,
						 const char *name);

/* For grub-script.c: reads one command into `word`. 1, or 0 at the end of the text. */
int grub_script_read_command(struct grub_script *script);

/* Whether a word is the given one, and not in quotes. */
bool grub_word_is(const struct grub_word *word, const char *text);
