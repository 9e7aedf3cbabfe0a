/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "formats/cidr.h"

/*
 * Lines of the kernel's tables below /proc/net. Pure. Numbers that the kernel prints as words of
 * the processor (addresses of IPv4, sockets of both families) are read in this processor's order.
 * -EBADMSG: not a line of that table.
 */

enum {
	NETWORK_INTERFACE_MAX = 16 /* IFNAMSIZ, with its NUL */
};

struct network_route {
	struct kc_cidr to;
	char interface[NETWORK_INTERFACE_MAX];
	/*
	 * Leads to other machines: no default route, none that rejects (blackhole, unreachable,
	 * prohibit, throw), no own address, no clone, no multicast.
	 */
	bool counts;
};

/* A line of /proc/net/route (net/ipv4/fib_trie.c) behind its header: the main table. */
int network_route4_parse(const char *line, struct network_route *ret_route);

/* A line of /proc/net/ipv6_route (net/ipv6/route.c): every table. */
int network_route6_parse(const char *line, struct network_route *ret_route);

/* States that /proc/net/tcp and /proc/net/udp have (include/net/tcp_states.h). */
enum {
	NETWORK_SYN_RECV = 3,
	NETWORK_CLOSE = 7, /* UDP: bound, and not connected */
	NETWORK_LISTEN = 10,
};

struct network_socket {
	struct kc_cidr address; /* local; a prefix of all bits */
	uint16_t port;
	uint8_t state;
	uint64_t inode; /* 0: no descriptor has it */
};

/* A line of /proc/net/tcp, tcp6, udp or udp6 behind its header. */
int network_socket_parse(const char *line, struct network_socket *ret_socket);

/*
 * How many sockets of a protocol ("TCP", "UDP6") a network namespace has, by the text of
 * /proc/net/sockstat or sockstat6 (net/ipv4/proc.c): those in the table of the protocol but for the
 * ones in TIME_WAIT. -ENOENT: there is no such line.
 */
int network_in_use_parse(const char *text, const char *protocol, uint64_t *ret_n);

/* A port, or a range of them. */
struct network_ports {
	uint16_t first, last;
};

/* "6443", "30000-32767". -EINVAL: neither, or not from 1 to 65535 and upwards. */
int network_ports_parse(const char *text, struct network_ports *ret_ports);

/*
 * "node1", "node1:6443", "192.0.2.1:6443", "[fd00::1]:6443", "[fd00::1]", "fd00::1": the address
 * without brackets, and its port, else 0. In the arena. -EINVAL: none of these; -ENOMEM.
 */
int network_endpoint_parse(const char *text, struct kc_arena *arena, const char **ret_address,
			   uint16_t *ret_port);
