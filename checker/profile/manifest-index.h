/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "model/manifest.h"

/*
 * The index of manifests: what a run needs of the manifests in a folder, made when k8scheck is
 * built, so that a run parses no YAML for the plugins that came with it. The manifests themselves
 * stay what counts: each entry goes with the very text it was made from, and any other text is
 * parsed. The file is DIR/manifests.index; a folder without one, or with one that is of another
 * build, damaged, or not trusted, is as good, and slower.
 */
#define KC_MANIFEST_INDEX_NAME "manifests.index"

struct kc_manifest_index {
	const char *data; /* borrowed */
	size_t size;
	int64_t mtime_usec; /* of the file; 0: it is none */
};

enum {
	KC_MANIFEST_INDEX_MAX = 16 * 1024 * 1024
};

/* Begins an index of so many entries; appends one: a manifest, and the text it was made from. */
void kc_manifest_index_begin(struct kc_buf *b, uint32_t n);
void kc_manifest_index_add(struct kc_buf *b, const struct kc_manifest *manifest, const char *text,
			   size_t size);

/*
 * The manifest whose text this is; in the arena, with `file` as its own. -ENOENT: the index has
 * none of that name and text. -EBADMSG: it is damaged. Pure, for tests and fuzzing.
 */
int kc_manifest_index_find(const struct kc_manifest_index *index, const char *name,
			   const char *file, const char *text, size_t size, struct kc_arena *arena,
			   const struct kc_manifest **ret_manifest);

/*
 * Whether the manifest of that name lists facts: 1 or 0. Its text is not read for that: one of
 * another size, or changed after the index was made, is not the one of the entry. -ENOENT,
 * -EBADMSG: as above.
 */
int kc_manifest_index_gathers(const struct kc_manifest_index *index, const char *name,
			      uint64_t size, int64_t mtime_usec);
