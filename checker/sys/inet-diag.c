/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

#include "inet-diag.h"

/* States of sockets (include/net/tcp_states.h), which the kernel does not export as such. */
enum {
	STATE_CLOSE = 7, /* UDP: bound, and not connected */
	STATE_LISTEN = 10,
};

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
};

_Static_assert(sizeof(struct request) == KC_INET_DIAG_REQUEST_SIZE, "the kernel's ABI");

static unsigned wanted_state(const struct kc_inet_diag *dump)
{
	return dump->protocol == KC_PROTOCOL_TCP ? STATE_LISTEN : STATE_CLOSE;
}

void kc_inet_diag_request(const struct kc_inet_diag *dump,
			  unsigned char ret_bytes[KC_INET_DIAG_REQUEST_SIZE])
{
	const struct request request = {
		.header = { .nlmsg_len = sizeof(request),
			    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			    .nlmsg_seq = dump->sequence },
		.body = { .sdiag_family = dump->family,
			  .sdiag_protocol = dump->protocol,
			  .idiag_states = 1u << wanted_state(dump) },
	};

	memcpy(ret_bytes, &request, sizeof(request));
}

static int append(const struct inet_diag_msg *m, struct kc_arena *arena,
		  struct kc_socket_list *list)
{
	struct kc_socket *s;

	if (list->n == KC_INET_DIAG_SOCKETS_MAX)
		return -EFBIG;
	if (list->n == list->room) {
		struct kc_socket *grown =
			kc_arena_grow(arena, list->item, list->n, &list->room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->item = grown;
	}
	s = &list->item[list->n++];
	*s = (struct kc_socket){
		.family = m->idiag_family == AF_INET ? 4 : 6,
		.port = ntohs(m->id.idiag_sport),
		.uid = m->idiag_uid,
		.inode = m->idiag_inode,
	};
	memcpy(s->address, m->id.idiag_src, s->family == 4 ? 4 : 16);
	return 0;
}

/* A message of the dump: 1 it is the last, 0 others follow. */
static int read_message(const struct nlmsghdr *h, const unsigned char *body,
			const struct kc_inet_diag *dump, struct kc_arena *arena,
			struct kc_socket_list *list)
{
	size_t size = h->nlmsg_len - sizeof(*h);
	struct inet_diag_msg m;
	int32_t code = 0;

	if (h->nlmsg_seq != dump->sequence)
		return -EBADMSG;
	if (h->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EINTR;
	/* Both begin with a negative errno, 0 for none; the end of an old kernel's dump has no
	 * body. */
	if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) {
		memcpy(&code, body, KC_MIN(size, sizeof(code)));
		if (code < 0)
			return code > -4096 ? code : -EBADMSG;
		return h->nlmsg_type == NLMSG_DONE ? 1 : -EBADMSG;
	}
	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || size < sizeof(m))
		return -EBADMSG;
	memcpy(&m, body, sizeof(m));
	if (m.idiag_family != dump->family || m.idiag_state != wanted_state(dump))
		return -EBADMSG;
	return append(&m, arena, list);
}

int kc_inet_diag_read(const void *data, size_t size, const struct kc_inet_diag *dump,
		      struct kc_arena *arena, struct kc_socket_list *list)
{
	const unsigned char *at = data;

	/* A datagram that says nothing would be waited behind for ever. */
	if (size == 0)
		return -EBADMSG;
	while (size > 0) {
		struct nlmsghdr h;
		size_t step;
		int r;

		if (size < sizeof(h))
			return -EBADMSG;
		memcpy(&h, at, sizeof(h));
		if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > size)
			return -EBADMSG;
		r = read_message(&h, at + sizeof(h), dump, arena, list);
		if (r != 0)
			return r;
		step = KC_MIN((size_t)NLMSG_ALIGN(h.nlmsg_len), size);
		at += step;
		size -= step;
	}
	return 0;
}
