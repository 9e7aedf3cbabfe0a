/* SPDX-License-Identifier: Apache-2.0 */
#include "unified-image.h"

/* The layout of Microsoft's PE format specification. */
enum {
	DOS_HEADER = 0x40,
	DOS_PE_OFFSET = 0x3c,
	COFF_HEADER = 24, /* with the signature before it */
	COFF_SECTIONS = 6,
	COFF_OPTIONAL_SIZE = 20,
	SECTION_HEADER = 40,
	SECTION_NAME = 8,
	SECTION_VIRTUAL_SIZE = 8,
	SECTION_RAW_SIZE = 16,
	SECTION_RAW_OFFSET = 20,
	SECTIONS_MAX = 96 /* what Windows loads, too */
};

static uint32_t get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t get_u16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

/* The table of sections. */
static int find_table(const uint8_t *head, size_t size, const uint8_t **ret_table, size_t *ret_n)
{
	size_t at, n;

	if (size > KC_UNIFIED_IMAGE_HEAD)
		size = KC_UNIFIED_IMAGE_HEAD;
	if (size < DOS_HEADER || memcmp(head, "MZ", 2) != 0)
		return -EBADMSG;
	at = get_u32(head + DOS_PE_OFFSET);
	if (at > size || size - at < COFF_HEADER || memcmp(head + at, "PE\0\0", 4) != 0)
		return -EBADMSG;
	n = get_u16(head + at + COFF_SECTIONS);
	at += COFF_HEADER + get_u16(head + at + COFF_OPTIONAL_SIZE);
	if (n > SECTIONS_MAX || at > size || (size - at) / SECTION_HEADER < n)
		return -EBADMSG;
	*ret_table = head + at;
	*ret_n = n;
	return 0;
}

int kc_unified_image_find(const void *head, size_t size, const char *name,
			  struct kc_unified_section *ret_section)
{
	char wanted[SECTION_NAME] = { 0 };
	const uint8_t *section = NULL;
	size_t n = 0;
	int r;

	if (strlen(name) > SECTION_NAME)
		return -ENOENT;
	memcpy(wanted, name, strlen(name));
	r = find_table(head, size, &section, &n);
	if (r < 0)
		return r;
	for (; n--; section += SECTION_HEADER) {
		uint32_t raw = get_u32(section + SECTION_RAW_SIZE);
		uint32_t used = get_u32(section + SECTION_VIRTUAL_SIZE);

		if (memcmp(section, wanted, SECTION_NAME) != 0)
			continue;
		/* The file is padded up to its alignment; an old linker leaves the other at 0. */
		if (used && used < raw)
			raw = used;
		if (raw > KC_UNIFIED_IMAGE_SECTION_MAX)
			return -EFBIG;
		*ret_section = (struct kc_unified_section){
			.offset = get_u32(section + SECTION_RAW_OFFSET),
			.size = raw,
		};
		return 0;
	}
	return -ENOENT;
}
