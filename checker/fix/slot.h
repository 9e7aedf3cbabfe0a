/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "node.h"

/*
 * What lies in a staging folder or a backup: a slot is called by the record that it belongs to. A
 * file is there under its name when it is whole, and before that as "NAME.part".
 */
enum {
	KC_SLOT_MAX = 32,
	KC_SLOT_PART_MAX = KC_SLOT_MAX + 16,
};

void kc_slot_name(uint32_t record, char ret_name[KC_SLOT_MAX]);

/* A new file with owner, mode, attributes and, with `times`, times of a node; it is durable then.
 */
int kc_slot_write(int dir, const char *name, const char *content, size_t size,
		  const struct kc_node *node, bool times, struct kc_err *err);

/* A file, folder or link as a node says; `content` is a file's. */
int kc_slot_put(int dir, const char *slot, const struct kc_node *node, const char *content,
		size_t size, bool times, struct kc_err *err);

/* Removes what a run that was cut off has begun to write. */
int kc_slot_remove_part(int dir, const char *slot, struct kc_err *err);
