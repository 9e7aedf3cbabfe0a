/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <sys/socket.h>

#include "sys/inet-diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says what was asked for (bit 0: IPv6; bit 1: UDP); the rest is a datagram. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_inet_diag dump = { .sequence = 1 };
	struct kc_socket_list list = { 0 };
	int r;

	if (size == 0)
		return 0;
	dump.family = data[0] & 1 ? AF_INET6 : AF_INET;
	dump.protocol = data[0] & 2 ? KC_PROTOCOL_UDP : KC_PROTOCOL_TCP;
	r = kc_inet_diag_read(data + 1, size - 1, &dump, &arena, &list);
	if (r > 1 || list.n > (size - 1) / 16 || (r == 0 && list.n == 0))
		abort();
	for (size_t i = 0; i < list.n; i++) {
		if (list.item[i].family != (data[0] & 1 ? 6u : 4u))
			abort();
	}
	return 0;
}
