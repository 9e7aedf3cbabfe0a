/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest-index.h"
#include "base/fields.h"
#include "model/manifest-fields.h"

/* Numbers stand as this machine has them, so that one of another kind begins otherwise. */
#define MAGIC 0x6b386d69u

enum {
	FORMAT = 2, /* of the fields: one more with every change of them */
};

/*
 * Of a manifest's text, to tell that it is the one that the entry was made from. Both files belong
 * to root, and whoever can change the one can change the other: this is no defence, and need not
 * be a digest. Eight bytes at a time, by the steps of FNV-1a.
 */
static uint64_t hash(const char *text, size_t size)
{
	uint64_t h = 14695981039346656037ull ^ size, word;

	for (; size >= sizeof(word); text += sizeof(word), size -= sizeof(word)) {
		memcpy(&word, text, sizeof(word));
		h = (h ^ word) * 1099511628211ull;
		h ^= h >> 29;
	}
	for (; size > 0; text++, size--)
		h = (h ^ (unsigned char)*text) * 1099511628211ull;
	return h ^ (h >> 32);
}

void kc_manifest_index_begin(struct kc_buf *b, uint32_t n)
{
	kc_put_u32(b, MAGIC);
	kc_put_u32(b, FORMAT);
	kc_put_u32(b, n);
}

void kc_manifest_index_add(struct kc_buf *b, const struct kc_manifest *manifest, const char *text,
			   size_t size)
{
	kc_cleanup(kc_buf_done) struct kc_buf fields = { 0 };
	struct kc_manifest own = *manifest;

	/* Where it lies on the machine that builds is nobody's business. */
	own.file = "";
	kc_put_manifest(&fields, &own);
	if (kc_buf_error(&fields) < 0)
		b->failed = true;
	kc_put_text(b, manifest->name);
	kc_put_u32(b, manifest->n_facts > 0);
	kc_put_u64(b, size);
	kc_put_u64(b, hash(text, size));
	kc_put_bytes(b, fields.data, fields.len);
}

struct entry {
	uint32_t gathers;
	uint64_t size, hash; /* of the manifest's text */
	const char *fields;
	size_t n_fields;
};

static int find(const struct kc_manifest_index *index, const char *name, struct entry *ret_entry)
{
	struct kc_reader r;
	uint32_t n;

	kc_reader_start(&r, index->data, index->size);
	if (kc_reader_u32(&r) != MAGIC || kc_reader_u32(&r) != FORMAT)
		return -EBADMSG;
	n = kc_reader_u32(&r);
	for (uint32_t i = 0; i < n && !r.failed; i++) {
		const char *own = kc_reader_name(&r);
		struct entry e = { .gathers = kc_reader_u32(&r) };

		e.size = kc_reader_u64(&r);
		e.hash = kc_reader_u64(&r);
		e.fields = kc_reader_sized(&r, &e.n_fields);
		if (!r.failed && kc_streq(own, name)) {
			*ret_entry = e;
			return 0;
		}
	}
	return r.failed ? -EBADMSG : -ENOENT;
}

int kc_manifest_index_find(const struct kc_manifest_index *index, const char *name,
			   const char *file, const char *text, size_t size, struct kc_arena *arena,
			   const struct kc_manifest **ret_manifest)
{
	struct kc_manifest *manifest;
	struct kc_reader r;
	struct entry e;
	char *fields;
	int k = find(index, name, &e);

	if (k == 0 && (e.size != size || e.hash != hash(text, size)))
		k = -ENOENT;
	if (k < 0)
		return k;
	manifest = kc_arena_zalloc(arena, 1, sizeof(*manifest));
	fields = kc_arena_memdup(arena, e.fields, e.n_fields);
	if (!manifest || !fields)
		return -ENOMEM;
	kc_reader_start(&r, fields, e.n_fields);
	kc_get_manifest(&r, arena, manifest);
	if (kc_reader_end(&r) < 0)
		return -EBADMSG;
	manifest->file = kc_arena_strdup(arena, file);
	if (!manifest->file)
		return -ENOMEM;
	*ret_manifest = manifest;
	return 0;
}

int kc_manifest_index_gathers(const struct kc_manifest_index *index, const char *name,
			      uint64_t size, int64_t mtime_usec)
{
	struct entry e;
	int r = find(index, name, &e);

	if (r == 0 && (e.size != size || mtime_usec > index->mtime_usec))
		r = -ENOENT;
	return r < 0 ? r : e.gathers != 0;
}
