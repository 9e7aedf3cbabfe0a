/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "change.h"
#include "slot.h"

/* What carrying a change out and taking it back have in common; for change*.c alone. */

/* Owner and mode of what stays the same object; its content was not even looked at. */
bool kc_change_is_of_mode(const struct kc_change *change);

/* The flags of kc_change_look() for what a change is about. */
unsigned kc_change_look_flags(const struct kc_change *change);

/* kc_change_look(); *ret_fd: of a file or folder, open for reading, or -EBADF. */
int kc_change_look_open(const struct kc_fix_place *place, unsigned flags, struct kc_arena *arena,
			struct kc_err *err, struct kc_node *ret_node, struct kc_buf *content,
			int *ret_fd);

/* Owner, mode and attributes of what is open, durably. */
int kc_change_apply_mode(int fd, const struct kc_node *node, struct kc_err *err);

/* Notes that the change `record` is there, with the times that its folder has now. */
int kc_change_note_done(struct kc_transaction *t, const struct kc_fix_place *place, uint32_t record,
			struct kc_err *err);
