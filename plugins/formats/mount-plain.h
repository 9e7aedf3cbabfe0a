/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "mount-table.h"

/*
 * Lines that can be read one way only: made of letters, digits and signs that neither libmount's
 * escapes, quotes nor comments know, with every field where it belongs. They are read here; all
 * others are for libmount to read, or to refuse. Held to it by tests and a fuzzer, which compare.
 */

/* True for a line of fstab(5) that libmount takes, as one of another type than "swap". */
bool kc_mount_plain_but_swap(const char *line, size_t size);

/*
 * Reads a line of mountinfo (proc(5)), into the arena and all of *ret_entry but `line`; options are
 * "". 1; 0: it is not plain; -ENOMEM.
 */
int kc_mount_plain_place(const char *line, size_t size, struct kc_arena *arena,
			 struct kc_mount_entry *ret_entry);
