/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "network/tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_cidr(const struct kc_cidr *c, struct kc_arena *arena)
{
	const char *text = kc_cidr_text(c, arena);
	struct kc_cidr again;

	if (c->prefix > (c->family == 4 ? 32 : 128) || !text || kc_cidr_parse(text, &again) ||
	    again.family != c->family || again.prefix != c->prefix || !kc_cidr_overlap(c, &again))
		abort();
}

static void check_line(const char *line, struct kc_arena *arena)
{
	struct network_route route;
	struct network_socket socket;
	struct network_ports ports;
	struct kc_cidr cidr;
	const char *address;
	uint16_t port;

	if (!network_route4_parse(line, &route))
		check_cidr(&route.to, arena);
	if (!network_route6_parse(line, &route))
		check_cidr(&route.to, arena);
	if (!network_socket_parse(line, &socket))
		check_cidr(&socket.address, arena);
	if (!kc_cidr_parse(line, &cidr))
		check_cidr(&cidr, arena);
	if (!network_ports_parse(line, &ports) && (!ports.first || ports.last < ports.first))
		abort();
	if (!network_endpoint_parse(line, arena, &address, &port) && !*address)
		abort();
}

/* Each line by every reader: what one takes can be written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	char *text = kc_arena_memdup(&arena, data, size);

	for (char *line = text, *end; line && line < text + size; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + size - line));
		if (!end)
			end = text + size;
		*end = 0;
		check_line(line, &arena);
	}
	return 0;
}
