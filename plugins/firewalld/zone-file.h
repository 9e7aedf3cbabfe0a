/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/formats.h"

/*
 * Of a zone file (firewalld.zone(5)) what decides which traffic the zone gets: its target, and the
 * interfaces and sources that are bound to it. A scanner for that alone, and no XML parser:
 * entities in values stay as they are written, and a document type declaration is refused.
 */
struct firewalld_binding {
	const char *name; /* an interface; or a source: an address, network, MAC or ipset:NAME */
	unsigned line;
	bool source;
};

struct firewalld_zone {
	const char *target; /* NULL: the default one */
	struct firewalld_binding *binding;
	size_t n_bindings;
};

enum {
	FIREWALLD_ZONE_MAX = 1 << 20, /* bytes of a file */
	FIREWALLD_BINDINGS_MAX = 4096, /* of a file */
};

/*
 * Pure; strings in the arena. -EBADMSG: firewalld would not take it for a zone file, with the line
 * in *ret_line and a sentence in *ret_fault, set then alone. -EFBIG, -E2BIG: beyond the bounds;
 * -ENOMEM.
 */
int firewalld_zone_parse(const char *text, size_t size, struct kc_arena *arena,
			 struct firewalld_zone *ret_zone, unsigned *ret_line,
			 const char **ret_fault);
