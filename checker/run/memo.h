/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/k8scheck-plugin.h"
#include "base/arena.h"
#include "base/err.h"
#include "sys/ask.h"
#include "sys/folder.h"

/*
 * What a worker has seen of the host's files, and what it was told by systemd and the runtime.
 * Rules of one plugin look at the same units, folders and configuration again and again; what was
 * read once is handed out again, so that they also judge the same state. A worker lives for
 * milliseconds, and for one judgement of its rules.
 *
 * Zeroed is empty. Every function takes NULL as a memo that is empty and stays so. Bounded: what
 * does not fit is not remembered, and read again.
 */
enum kc_memo_kind {
	KC_MEMO_FILE = 1,
	KC_MEMO_LINK = 2,
	KC_MEMO_LIST = 3,
	KC_MEMO_STAT = 4,
	KC_MEMO_RESOLVE = 5,
	KC_MEMO_LINKS = 6, /* of a folder whose list does not tell them */
	KC_MEMO_ANSWER = 7, /* to a question; its text stands for the path */
};

struct kc_memo_entry {
	enum kc_memo_kind kind;
	uint32_t flags, hash;
	const char *path;
	int code; /* 0, or the negative errno that it failed with, and: */
	const char *why;
	union { /* by the kind; there are hundreds of entries */
		struct kc_bytes bytes; /* of a file, a link, a resolved path */
		struct kc_folder folder; /* of both kinds of lists */
		struct kc_stat stat;
		struct kc_answer answer;
	};
};

struct kc_memo {
	struct kc_arena arena;
	struct kc_memo_entry **table; /* by hash; a power of two, in the arena */
	uint32_t n, size;
	uint32_t n_open; /* folders whose descriptors are kept */
};

void kc_memo_done(struct kc_memo *memo);

/* What is known of a question, or NULL. */
const struct kc_memo_entry *kc_memo_find(const struct kc_memo *memo, enum kc_memo_kind kind,
					 uint32_t flags, const char *path);

/*
 * Remembers that a question failed, if it would fail so again: not for want of memory, and not for
 * a size that the one who asked had chosen.
 */
void kc_memo_failure(struct kc_memo *memo, enum kc_memo_kind kind, uint32_t flags, const char *path,
		     const struct kc_err *err);

/* Remembers bytes, followed by a NUL, which are copied. The entry's, or NULL when there is no room.
 */
const struct kc_bytes *kc_memo_bytes(struct kc_memo *memo, enum kc_memo_kind kind, const char *path,
				     const void *data, size_t size);

/*
 * Remembers a folder that lives in memo->arena already. The descriptor is the memo's from here on,
 * which may close it at once.
 */
void kc_memo_folder(struct kc_memo *memo, enum kc_memo_kind kind, const char *path,
		    struct kc_folder *folder);

/*
 * The folder that was listed under all of a path but its last part, with a descriptor to ask it by,
 * or NULL; *ret_name is that part.
 */
const struct kc_folder *kc_memo_parent(const struct kc_memo *memo, const char *path,
				       const char **ret_name);

/*
 * True when what was seen tells that looking a path up comes to -ENOENT, as the host was then: a
 * part of it led nowhere, or is lacking in a folder that was listed. Parts are the same by their
 * text, so that links in them lead where they led. KC_NOFOLLOW: a link at its end is there.
 */
bool kc_memo_is_absent(const struct kc_memo *memo, uint32_t flags, const char *path);

/* Remembers an answer, a failure too, which is copied. */
void kc_memo_answer(struct kc_memo *memo, const char *question, const struct kc_answer *answer);

void kc_memo_stat(struct kc_memo *memo, uint32_t flags, const char *path,
		  const struct kc_stat *stat);

/* The arena for names that shall be remembered, or NULL when they would not. */
struct kc_arena *kc_memo_arena(struct kc_memo *memo);
