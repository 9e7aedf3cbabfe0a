/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/k8scheck-plugin.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/*
 * The journal of a transaction: a text file to which whole lines are appended, each made durable
 * before what it announces is begun. A line is
 *
 *     CHECK NUMBER VERB KEY=VALUE …
 *
 * CHECK is the first 16 hexadecimal digits of the SHA-256 of all that follows on the line; numbers
 * count from 1. In values every byte that is not printable ASCII, the space and "%" is %XX, so that
 * a line never holds another.
 *
 * A crash can tear the last line alone. It is cut off before anything is appended, since a line
 * behind half a line would be lost with it.
 */

struct kc_record {
	uint32_t number;
	const char *verb;
	struct kc_pairs pairs;
};

enum {
	/* Some thousand changes. An image may bring a journal that nobody's repair has made. */
	KC_JOURNAL_MAX = 1024 * 1024,
	KC_RECORD_MAX = 512 * 1024, /* bytes of a line: two nodes with attributes of 64 KiB */
	KC_RECORD_PAIRS_MAX = 256,
};

/* The value of a key, or NULL. */
const char *kc_record_get(const struct kc_record *record, const char *key);

/* Appends a line to b. Verb and keys are ours; values any text. */
void kc_record_put(struct kc_buf *b, const struct kc_record *record);

struct kc_journal_text {
	struct kc_record *records;
	uint32_t n;
	size_t good; /* bytes that whole lines take; what is behind them was torn */
};

/*
 * Reads a journal; pure. What is behind the last good line must be one torn line, else -EBADMSG
 * with a sentence that names the line: a journal with a hole is none to undo anything by. Texts
 * live in the arena.
 */
int kc_journal_parse(const char *text, size_t size, struct kc_arena *arena, struct kc_err *err,
		     struct kc_journal_text *ret_journal);

/* One that is open for appending. */
struct kc_journal {
	int fd; /* -EBADF: none */
	uint32_t last; /* number of the last record */
	size_t size;
	size_t allocated; /* bytes that the file system has laid aside for it, as far as is known */
};

/* Creates NAME in a folder, exclusively. */
int kc_journal_create(int dir, const char *name, struct kc_err *err, struct kc_journal *ret);

/*
 * Opens one, reads it, and cuts a torn line off; with `read_only` nothing is changed, and nothing
 * can be appended. Records live in the arena.
 */
int kc_journal_open(int dir, const char *name, bool read_only, struct kc_arena *arena,
		    struct kc_err *err, struct kc_journal_text *ret_text, struct kc_journal *ret);
void kc_journal_done(struct kc_journal *journal);

/*
 * Appends a record, its number set here, and makes it durable. `ahead` is how many bytes have to be
 * laid aside behind it for records that are written when the file system is full: -ENOSPC, and
 * nothing is written, where there is no room for them. With 0 what was laid aside is used up.
 */
int kc_journal_append(struct kc_journal *journal, const char *verb, const struct kc_pair *pairs,
		      size_t n, size_t ahead, struct kc_err *err);
