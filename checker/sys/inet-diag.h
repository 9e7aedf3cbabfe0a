/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/k8scheck-plugin.h"
#include "base/arena.h"

/*
 * The kernel's own list of sockets (sock_diag(7), include/uapi/linux/inet_diag.h): the question and
 * what comes back, both as bytes. Pure. The kernel walks no further than the states asked for: of
 * TCP sockets that listen, it has a small hash of their own (net/ipv4/inet_diag.c,
 * inet_diag_dump_icsk()).
 */

/* One dump: sockets of one family and protocol that hold a port. */
struct kc_inet_diag {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t protocol; /* enum kc_protocol */
	uint32_t sequence; /* which every message of the answer repeats */
};

/* Sockets, in the order of the kernel, in an arena. */
struct kc_socket_list {
	struct kc_socket *item;
	size_t n, room;
};

enum {
	KC_INET_DIAG_REQUEST_SIZE = 72,
	KC_INET_DIAG_SOCKETS_MAX = 65536,
};

/* The bytes of the question; a port that is held is one that listens, or, of UDP, is not connected.
 */
void kc_inet_diag_request(const struct kc_inet_diag *dump,
			  unsigned char ret_bytes[KC_INET_DIAG_REQUEST_SIZE]);

/*
 * Appends the sockets of one datagram of the answer. 1: the dump is complete; 0: there is more to
 * come. -EINTR: sockets came and went meanwhile, so that some may be missing or told twice
 * (NLM_F_DUMP_INTR); -EBADMSG: no answer to this dump; -EFBIG: more than 65,536 sockets; -ENOMEM;
 * else what the kernel says.
 */
int kc_inet_diag_read(const void *data, size_t size, const struct kc_inet_diag *dump,
		      struct kc_arena *arena, struct kc_socket_list *list);
