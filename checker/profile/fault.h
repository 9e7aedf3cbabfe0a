/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/yaml.h"
#include "profile.h"

/*
 * What is wrong with a profile or a manifest: collected, so that a person sees all of it at once,
 * and put in the order of the text afterwards.
 */
struct kc_fault {
	const char *file; /* borrowed */
	uint32_t order; /* of the file, among those that were read */
	uint32_t line; /* 0: of no line */
	uint32_t column;
	uint32_t number; /* in the order of finding */
	bool warning;
	char *text; /* owned */
};

struct kc_faults {
	struct kc_fault *items;
	uint32_t n;
	size_t size;
	uint32_t n_errors;
	bool failed; /* no memory for one of them */
};

/* Where something that is being read stands. */
struct kc_where {
	struct kc_faults *faults;
	const char *file; /* as messages begin: a file, or an option with its value */
	uint32_t order;
	bool option; /* of the command line: its lines and columns mean nothing to a reader */
};

/* Notes a fault at a node, or of the whole file when node is NULL. */
void kc_fault_at(const struct kc_where *where, const struct kc_yaml_node *node, const char *fmt,
		 ...) kc_printf(3, 4);

/* The same as a warning, which refuses nothing. */
void kc_warn_at(const struct kc_where *where, const struct kc_yaml_node *node, const char *fmt, ...)
	kc_printf(3, 4);

/* The same by numbers; line 0 stands for the whole file. */
void kc_fault_in(const struct kc_where *where, uint32_t line, uint32_t column, const char *fmt, ...)
	kc_printf(4, 5);

/* Notes a sentence that names its place by itself, as those of kc_yaml_parse() do; the node orders
 * it. */
void kc_fault_said(const struct kc_where *where, const struct kc_yaml_node *node,
		   const char *sentence);

/* Sorts by place, and appends all of them as escaped lines. -ENOMEM when one could not be kept. */
int kc_faults_tell(struct kc_faults *faults, struct kc_diagnostics *diagnostics);

/* Sorts by place, and makes the first the error: -EINVAL, or 0 when there is none. */
int kc_faults_first(struct kc_faults *faults, struct kc_err *err);

void kc_faults_done(struct kc_faults *faults);

/* "; did you mean 'NAME'?" for the nearest of a NULL-terminated list, or "" when none is near. */
struct kc_hint {
	char text[160];
};

struct kc_hint kc_hint(const char *word, const char *const *list);
