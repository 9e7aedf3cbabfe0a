/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "ways.h"

static int make(int family, int type, int protocol)
{
	return result_fd(socket(family, type | SOCK_CLOEXEC, protocol));
}

#define FAMILY(name, family, type, protocol)             \
	static int socket_##name(const struct target *t) \
	{                                                \
		(void)t;                                 \
		return make(family, type, protocol);     \
	}

FAMILY(unix, AF_UNIX, SOCK_STREAM, 0)
FAMILY(inet, AF_INET, SOCK_STREAM, 0)
FAMILY(inet6, AF_INET6, SOCK_STREAM, 0)
FAMILY(raw, AF_INET, SOCK_RAW, IPPROTO_ICMP)
FAMILY(netlink, AF_NETLINK, SOCK_RAW, 0)
FAMILY(packet, AF_PACKET, SOCK_RAW, 0)
FAMILY(vsock, AF_VSOCK, SOCK_STREAM, 0)
FAMILY(alg, AF_ALG, SOCK_SEQPACKET, 0)
FAMILY(bluetooth, AF_BLUETOOTH, SOCK_RAW, 0)

static int make_pair(const struct target *t)
{
	int pair[2];

	(void)t;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	(void)close(pair[0]);
	(void)close(pair[1]);
	return 0;
}

static struct sockaddr_un path_address(const struct target *t, const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct path path = path_of(t, name);

	/* One that is too long leaves no path, and what is tried with it fails. */
	if (strlen(path.text) < sizeof(address.sun_path))
		memcpy(address.sun_path, path.text, strlen(path.text) + 1);
	return address;
}

static int connect_to(int family, int type, const void *address, socklen_t size)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = result(connect(fd, address, size));
	if (r == 0 && type != SOCK_STREAM)
		r = result(write(fd, "x", 1));
	(void)close(fd);
	return r;
}

static int connect_path(const struct target *t)
{
	const struct sockaddr_un address = path_address(t, "stream");

	return connect_to(AF_UNIX, SOCK_STREAM, &address, sizeof(address));
}

static int send_path(const struct target *t)
{
	const struct sockaddr_un address = path_address(t, "datagram");

	return connect_to(AF_UNIX, SOCK_DGRAM, &address, sizeof(address));
}

static int connect_abstract(const struct target *t)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "k8scheck-%08x",
			 (unsigned)t->key);

	return connect_to(AF_UNIX, SOCK_STREAM, &address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n));
}

/* The test listens there, and wrote down where. */
static struct sockaddr_in port_address(const struct target *t)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = open(PATH(t, "port"), O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
		address.sin_port = htons((uint16_t)strtoul(text, NULL, 10));
	if (fd >= 0)
		(void)close(fd);
	return address;
}

static int connect_tcp(const struct target *t)
{
	const struct sockaddr_in address = port_address(t);

	return connect_to(AF_INET, SOCK_STREAM, &address, sizeof(address));
}

static int send_udp(const struct target *t)
{
	const struct sockaddr_in address = port_address(t);

	return connect_to(AF_INET, SOCK_DGRAM, &address, sizeof(address));
}

static int bind_port(const struct target *t)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	(void)t;
	if (fd < 0)
		return -errno;
	r = result(bind(fd, (const struct sockaddr *)&any, sizeof(any)));
	if (r == 0)
		r = result(listen(fd, 1));
	(void)close(fd);
	return r;
}

static int bind_path(const struct target *t)
{
	const struct sockaddr_un address = path_address(t, "new");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	r = result(bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	(void)close(fd);
	return r;
}

const struct way ways_of_sockets[] = {
	{ "socket-unix", socket_unix },
	{ "socket-inet", socket_inet },
	{ "socket-inet6", socket_inet6 },
	{ "socket-raw", socket_raw },
	{ "socket-netlink", socket_netlink },
	{ "socket-packet", socket_packet },
	{ "socket-vsock", socket_vsock },
	{ "socket-alg", socket_alg },
	{ "socket-bluetooth", socket_bluetooth },
	{ "socketpair", make_pair },
	{ "connect-path", connect_path },
	{ "send-path", send_path },
	{ "connect-abstract", connect_abstract },
	{ "connect-tcp", connect_tcp },
	{ "send-udp", send_udp },
	{ "bind-port", bind_port },
	{ "bind-path", bind_path },
	{ NULL, NULL },
};
