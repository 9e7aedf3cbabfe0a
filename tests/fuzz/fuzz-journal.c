/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "fix/change.h"
#include "fix/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With checksums that are right, so that more than the first line is read. */
static void put_lines(const char *text, size_t size, struct kc_buf *b)
{
	const char *end = text + size;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((newline ? newline : end) - text);
		char hex[KC_DIGEST_TEXT];

		kc_digest(text, n, hex);
		kc_buf_add(b, hex, 16);
		kc_buf_add(b, text, n);
		if (newline)
			kc_buf_addc(b, '\n');
		text += n + 1;
	}
}

static bool same_node(const struct kc_node *a, const struct kc_node *b)
{
	return kc_node_same(a, b) && a->size == b->size && a->atime.tv_sec == b->atime.tv_sec &&
	       a->atime.tv_nsec == b->atime.tv_nsec && a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* What was read is written as what is read as the same. */
static void check_node(const struct kc_node *node, struct kc_arena *arena)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };
	struct kc_node again;
	int r;

	kc_node_put(&b, node);
	if (kc_buf_error(&b) < 0)
		return;
	r = kc_node_get(b.data, arena, &again);
	if (r != -ENOMEM && (r < 0 || !same_node(node, &again)))
		abort();
}

static void check_record(const struct kc_record *record, struct kc_arena *arena)
{
	struct kc_change change;
	int r = kc_change_read(record, arena, NULL, &change);

	if (r < 0 && r != -EBADMSG && r != -ENOMEM)
		abort();
	if (r < 0)
		return;
	if (*change.path != '/')
		abort();
	check_node(&change.before, arena);
	check_node(&change.after, arena);
}

static void parse(const char *text, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { .limit = 64 << 20 };
	kc_cleanup(kc_buf_done) struct kc_buf again = { 0 };
	struct kc_journal_text journal, second;
	int r = kc_journal_parse(text, size, &arena, NULL, &journal);

	if (r < 0 && r != -EBADMSG && r != -ENOMEM)
		abort();
	if (r < 0)
		return;
	if (journal.good > size)
		abort();
	for (uint32_t i = 0; i < journal.n; i++) {
		if (journal.records[i].number != i + 1)
			abort();
		check_record(journal.records + i, &arena);
		kc_record_put(&again, journal.records + i);
	}
	if (kc_buf_error(&again) < 0)
		return;
	r = kc_journal_parse(again.data, again.len, &arena, NULL, &second);
	if (r != -ENOMEM && (r < 0 || second.n != journal.n || second.good != again.len))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_buf_done) struct kc_buf b = { 0 };

	parse((const char *)data, size);
	put_lines((const char *)data, size, &b);
	if (kc_buf_error(&b) == 0)
		parse(b.data ? b.data : "", b.len);
	return 0;
}
