/* SPDX-License-Identifier: Apache-2.0 */
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "child.h"
#include "doors.h"

/* A numeric address, with a scope ("fe80::1%eth0") where it needs one; nobody is asked for it. */
static int parse_address(const char *address, int64_t port, struct sockaddr_storage *ret_address,
			 socklen_t *ret_size)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list = NULL;
	char service[16];

	if (port < 1 || port > 65535)
		return -EINVAL;
	(void)snprintf(service, sizeof(service), "%d", (int)port);
	if (getaddrinfo(address, service, &hints, &list) != 0)
		return -EINVAL;
	memcpy(ret_address, list->ai_addr, list->ai_addrlen);
	*ret_size = list->ai_addrlen;
	freeaddrinfo(list);
	return 0;
}

/*
 * A port of the range that local connections take theirs from can be given to the very connection
 * that asks for it, which then talks to itself.
 */
static bool is_self(int fd)
{
	struct sockaddr_storage here, there;
	socklen_t n_here = sizeof(here), n_there = sizeof(there);

	memset(&here, 0, sizeof(here));
	memset(&there, 0, sizeof(there));
	return getsockname(fd, (struct sockaddr *)&here, &n_here) == 0 &&
	       getpeername(fd, (struct sockaddr *)&there, &n_there) == 0 && n_here == n_there &&
	       memcmp(&here, &there, n_here) == 0;
}

static int try_connect(const struct sockaddr_storage *address, socklen_t size,
		       uint64_t deadline_usec)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct pollfd pfd = { .events = POLLOUT };
	socklen_t n = sizeof(int);
	int error = 0, r;

	fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, size) < 0 && errno != EINPROGRESS)
		return -errno;
	pfd.fd = fd;
	do
		r = poll(&pfd, 1, kc_child_poll_timeout(deadline_usec));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	if (r == 0)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) < 0)
		return -errno;
	if (error == 0 && is_self(fd))
		return -ECONNREFUSED;
	return -error;
}

void kc_door_port(const struct kc_door_host *host, void **state, const struct kc_question *question,
		  struct kc_arena *arena, struct kc_answer *ret_answer)
{
	uint64_t deadline = kc_now_usec() + question->timeout_usec;
	struct sockaddr_storage address;
	const char *name;
	socklen_t size;
	int r;

	*ret_answer = (struct kc_answer){ 0 };
	name = question->strings.n > 0 ? question->strings.item[0] : "";
	if (parse_address(name, question->number, &address, &size) < 0) {
		kc_answer_fail(
			ret_answer, arena, -EINVAL,
			"\"%s\" port %lld is not a numeric address and a port from 1 to 65535",
			name, (long long)question->number);
		return;
	}
	r = try_connect(&address, size, deadline);
	if (r == -ECONNREFUSED)
		kc_answer_fail(ret_answer, arena, r, "%s port %d: nothing listens there", name,
			       (int)question->number);
	else if (r == -ETIMEDOUT)
		kc_answer_fail(ret_answer, arena, r, "%s port %d: no answer within %llu ms", name,
			       (int)question->number,
			       (unsigned long long)(question->timeout_usec / 1000));
	else if (r < 0)
		kc_answer_fail(ret_answer, arena, r, "%s port %d: %s", name, (int)question->number,
			       kc_strerror(r));
}
