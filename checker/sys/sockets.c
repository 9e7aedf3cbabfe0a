/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/netlink.h>
#include <sys/socket.h>

#include "autoload.h"
#include "base/fdio.h"
#include "inet-diag.h"
#include "sockets.h"

enum {
	ATTEMPTS = 3, /* of a dump that was interrupted */
	DATAGRAM_SIZE = 32 * 1024, /* what the kernel fills at most (netlink_dump()) */
};

static int send_request(int fd, const struct kc_inet_diag *dump)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	unsigned char request[KC_INET_DIAG_REQUEST_SIZE];
	ssize_t n;

	kc_inet_diag_request(dump, request);
	do
		n = sendto(fd, request, sizeof(request), 0, (const struct sockaddr *)&kernel,
			   sizeof(kernel));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(request) ? 0 : -EBADMSG;
}

/*
 * The kernel has each part of a dump ready before the part ahead of it is handed out, so that
 * nothing needs to be waited for.
 */
static ssize_t receive_part(int fd, void *buffer)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buffer, .iov_len = DATAGRAM_SIZE };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* Only the kernel has the port 0; others may write to a netlink socket, too. */
	if (msg.msg_namelen != sizeof(from) || from.nl_pid != 0 || msg.msg_flags & MSG_TRUNC)
		return -EBADMSG;
	return n;
}

/* Those of both families, IPv4 first. */
static int list_once(uint8_t protocol, void *buffer, struct kc_arena *arena,
		     struct kc_socket_list *list)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	kc_cleanup(kc_closep) int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int r = fd < 0 ? -errno : 0;

	for (size_t i = 0; r >= 0 && i < KC_ARRAY_SIZE(families); i++) {
		const struct kc_inet_diag dump = { .family = families[i],
						   .protocol = protocol,
						   .sequence = (uint32_t)i + 1 };

		r = send_request(fd, &dump);
		while (r == 0) {
			ssize_t n = receive_part(fd, buffer);

			r = n < 0 ? (int)n
				  : kc_inet_diag_read(buffer, (size_t)n, &dump, arena, list);
		}
	}
	return r < 0 ? r : 0;
}

static int list_sockets(uint8_t protocol, struct kc_arena *arena, struct kc_socket_list *list)
{
	void *buffer = kc_arena_alloc(arena, DATAGRAM_SIZE);
	int r = -ENOMEM;

	/* What is left of an interrupted dump goes with its socket. */
	for (unsigned i = 0; buffer && i < ATTEMPTS; i++) {
		list->n = 0;
		r = list_once(protocol, buffer, arena, list);
		if (r != -EINTR)
			break;
	}
	return r;
}

void kc_door_sockets(const struct kc_door_host *host, void **state,
		     const struct kc_question *question, struct kc_arena *arena,
		     struct kc_answer *ret_answer)
{
	const char *module = question->number == KC_PROTOCOL_TCP   ? "tcp_diag"
			     : question->number == KC_PROTOCOL_UDP ? "udp_diag"
								   : NULL;
	struct kc_socket_list list = { 0 };
	int r;

	*ret_answer = (struct kc_answer){ 0 };
	if (question->strings.n != 0 || !module) {
		kc_answer_fail(ret_answer, arena, -EINVAL,
			       "sockets are listed of TCP (6) or UDP (17), not of protocol %lld",
			       (long long)question->number);
		return;
	}
	if (!kc_streq(kc_root_path(host->root), "/")) {
		kc_answer_fail(ret_answer, arena, -EOPNOTSUPP,
			       "the sockets of %s cannot be listed from here",
			       kc_root_path(host->root));
		return;
	}
	if (!kc_autoload_is_ruled_out(host->root, module)) {
		kc_answer_fail(ret_answer, arena, -EOPNOTSUPP,
			       "the kernel is not asked for its sockets, because it could load the "
			       "module %s for that",
			       module);
		return;
	}
	r = list_sockets((uint8_t)question->number, arena, &list);
	if (r < 0) {
		kc_answer_fail(ret_answer, arena, r, "sock_diag: %s", kc_strerror(r));
		return;
	}
	for (size_t i = 0; i < list.n; i++)
		kc_answer_add(ret_answer, arena, &list.item[i], sizeof(list.item[i]));
}
