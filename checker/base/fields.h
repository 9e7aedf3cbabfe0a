/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "str.h"

/*
 * Numbers and texts one after another, as messages and the index of manifests have them, in the
 * order of bytes of this machine. A text is its length, its bytes and a NUL.
 */
void kc_put_u32(struct kc_buf *b, uint32_t value);
void kc_put_u64(struct kc_buf *b, uint64_t value);
void kc_put_text(struct kc_buf *b, const char *text); /* NULL is kept apart from "" */
void kc_put_bytes(struct kc_buf *b, const void *data, size_t size);

/*
 * Reads fields in order. What is missing, too long, or text with a NUL inside makes `failed` true,
 * for good; texts point into what is read, and are NUL-terminated there.
 */
struct kc_reader {
	const char *p, *end;
	bool failed;
};

void kc_reader_start(struct kc_reader *r, const char *data, size_t size);
uint32_t kc_reader_u32(struct kc_reader *r);
uint64_t kc_reader_u64(struct kc_reader *r);
const char *kc_reader_text(struct kc_reader *r); /* may be NULL */
const char *kc_reader_name(struct kc_reader *r); /* a text that must not be NULL */
const char *kc_reader_sized(struct kc_reader *r, size_t *ret_size); /* never NULL */

/* A number of things that follow, each of which takes at least `size` bytes there: one that lies is
 * refused before anybody makes room for it. 0 when it is. */
uint32_t kc_reader_count(struct kc_reader *r, size_t size);

/* 0 when all fields were there and nothing is left over; -EBADMSG else. */
int kc_reader_end(const struct kc_reader *r);
