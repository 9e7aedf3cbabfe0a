/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/*
 * Unified kernel images (UAPI.5): a kernel in a PE file for UEFI, with its arguments in the section
 * .cmdline. Only the headers are read. Pure.
 */
enum {
	KC_UNIFIED_IMAGE_HEAD = 16 * 1024, /* bytes at the start of a file that have the headers */
	KC_UNIFIED_IMAGE_SECTION_MAX = 64 * 1024
};

struct kc_unified_section {
	uint64_t offset; /* in the file */
	size_t size; /* at most KC_UNIFIED_IMAGE_SECTION_MAX */
};

/*
 * Finds a section by name in the first bytes of a file, at most KC_UNIFIED_IMAGE_HEAD of them.
 * -ENOENT: it has none of that name; -EBADMSG: it is no PE file, or its headers are outside of
 * those bytes; -EFBIG: the section is too large.
 */
int kc_unified_image_find(const void *head, size_t size, const char *name,
			  struct kc_unified_section *ret_section);
