/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats.h"

/* IP addresses and networks of both families. Pure. */
struct kc_cidr {
	uint8_t family; /* 4 or 6 */
	uint8_t prefix; /* length in bits */
	uint8_t address[16]; /* network byte order; 4 bytes count for family 4 */
};

/*
 * "10.244.0.0/16", "fd00::/48", "192.0.2.1" (a prefix of all bits). Bits behind the prefix are kept
 * (an address of an interface has them). -EINVAL: anything else; zones (%eth0) are cut off.
 */
int kc_cidr_parse(const char *text, struct kc_cidr *ret_cidr);

/* Whether they have an address in common. */
bool kc_cidr_overlap(const struct kc_cidr *a, const struct kc_cidr *b);

/* 127.0.0.0/8 or ::1. */
bool kc_cidr_is_loopback(const struct kc_cidr *c);

/* 169.254.0.0/16 or fe80::/10. */
bool kc_cidr_is_link_local(const struct kc_cidr *c);

/* "10.244.0.0/16" with the bits behind the prefix cleared; in the arena, NULL without memory. */
const char *kc_cidr_text(const struct kc_cidr *c, struct kc_arena *arena);
