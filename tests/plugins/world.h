/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/yaml.h"
#include "profile/profile.h"
#include "run/host.h"

/*
 * What a fixture makes a plugin see: a tree of files, and who answers its questions, both told by a
 * YAML file (README.md beside this file has its keys). Nothing of the machine that runs the tests
 * is in it. The arena owns all texts.
 */
struct world {
	const char *name; /* of the case or host, for messages */
	const char *dir; /* its folder */
	const char *file; /* "case.yaml" or "host.yaml", in it */
	const struct kc_yaml_node *yaml;
	struct kc_arena arena;
	char tmp[64]; /* the copy of root/, where one was needed; else "" */
	char root[4096];
	bool live;
	bool *asked; /* of each item of `answers`: somebody asked */
	struct kc_buf unanswered; /* questions that nobody answers, as lines of `answers` */
	const struct kc_rule *rule; /* that is judged just now; NULL while facts are gathered */
	const char *prefix; /* of lines with complaints */
	unsigned failures;
};

/*
 * Reads DIR/NAME/FILE and makes the tree that is looked at. A fault in the file ends the program:
 * nothing can be said of such a case.
 */
void world_open(struct world *w, const char *dir, const char *name, const char *file);
void world_close(struct world *w);

/* Forgets which answers were asked for, before they are asked once more. */
void world_rewind(struct world *w);

/* Complains of answers that nobody asked for, and prints what was asked in vain. */
void world_settle(struct world *w);

/* The asker of a kc_run; its context is the world. */
kc_asker world_ask;

/*
 * The table of services over a world: kc_host_table, but for what of a tree git does not keep
 * (owners, labels) and what it cannot have (the figures of a file system).
 */
void world_host_table(struct kc_host *ret_table);

/* ---- messages ---- */

/* A line about the case, which has failed. */
void world_complain(struct world *w, const char *fmt, ...) kc_printf(2, 3);

/* The case itself is no good: ends the program. */
kc_noreturn void world_broken(struct world *w, const char *what, const char *detail);

/* Text in the world's arena; never NULL. */
const char *world_text(struct world *w, const char *fmt, ...) kc_printf(2, 3);

/* A copy in the world's arena; NULL stays NULL. */
const char *world_keep(struct world *w, const char *text);

/* ---- YAML ---- */

/* The text of a key of a mapping; NULL when it is not there, null, or no text. */
const char *world_scalar(const struct kc_yaml_node *mapping, const char *key);

/* Writes a node as YAML in one line. */
void world_write_flow(struct kc_buf *b, const struct kc_yaml_node *node);

/* Writes a text as YAML in quotation marks, where it needs them. */
void world_write_text(struct kc_buf *b, const char *text);

/* ---- plugins ---- */

/* One of those that are linked into the test; NULL when it is not. */
const struct kc_plugin *linked_plugin(const char *name);

/* All of them, NULL-terminated. */
extern const struct kc_plugin *const linked_plugins[];

/* The check of that id; NULL when the plugin has none. */
const struct kc_check *plugin_check(const struct kc_plugin *plugin, const char *id);
