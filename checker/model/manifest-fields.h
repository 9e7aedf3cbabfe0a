/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/fields.h"
#include "manifest.h"

/*
 * A manifest as fields (base/fields.h), without what people alone read of it: docs, meanings of
 * results, places, references. So it reaches workers, and so the index of manifests has it.
 */
void kc_put_manifest(struct kc_buf *b, const struct kc_manifest *manifest);

/*
 * Reads one; all but the texts, which stay where they are read, lives in the arena. What the
 * fields lack is "" where a manifest must have it, and NULL where it need not. Whether the reader
 * has failed says how it went; *ret_manifest is of use only if it has not.
 */
void kc_get_manifest(struct kc_reader *r, struct kc_arena *arena, struct kc_manifest *ret_manifest);

/* A parameter's value: of the type that the manifest says, or not given. */
void kc_put_value(struct kc_buf *b, const struct kc_value *value);
void kc_get_value(struct kc_reader *r, struct kc_arena *arena, uint32_t type,
		  struct kc_value *ret_value);
