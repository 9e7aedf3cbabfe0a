/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "crio-config.h"
#include "crio-keys.h"

/* What crio-config.c and crio-file.c share; nobody else includes it. */

/* A handler while files are merged: the table that set it, to see what a later one drops. */
struct kc_crio_draft {
	struct kc_crio_handler handler;
	const struct kc_toml_node *table; /* NULL for a built-in one */
};

struct kc_crio_merge {
	struct kc_arena *arena;
	unsigned version;
	bool complete;
	struct kc_crio_config *config;
	struct kc_crio_draft *draft;
	size_t n_drafts, size_drafts;
	struct kc_crio_fault *fault;
	size_t n_faults, size_faults;
	const char *file; /* that is being merged */
	bool dropin;
};

/*
 * True when a further fault of the kind would be dropped: beyond a thousand, but for the first that
 * CRI-O refuses and the first that could not be seen.
 */
bool kc_crio_is_full(const struct kc_crio_merge *m, uint32_t kind);

/* Notes a fault, unless it is full. `subject` and `source` are kept, the text is made. -ENOMEM. */
int kc_crio_note(struct kc_crio_merge *m, uint32_t kind, const char *subject, const char *source,
		 const char *fmt, ...) kc_printf(5, 6);

/* The draft of a handler, or NULL. */
struct kc_crio_draft *kc_crio_draft(struct kc_crio_merge *m, const char *name);

/* A handler's draft, emptied, or a new one. NULL: no memory. */
struct kc_crio_draft *kc_crio_draft_new(struct kc_crio_merge *m, const char *name,
					const char *source);

/* Merges one file's text; faults are noted. -ENOMEM. */
int kc_crio_merge_file(struct kc_crio_merge *m, const struct kc_crio_file *file);
