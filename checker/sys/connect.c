/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "connect.h"
#include "peer.h"

static const char *file_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "a regular file";
	case S_IFDIR:
		return "a folder";
	case S_IFIFO:
		return "a FIFO";
	case S_IFCHR:
	case S_IFBLK:
		return "a device";
	default:
		return "something else";
	}
}

int kc_socket_find(const struct kc_root *root, const char *path, struct kc_err *err,
		   struct kc_socket_file *ret_file)
{
	kc_cleanup(kc_closep) int fd = -EBADF;
	struct stat st;
	int r;

	r = kc_root_path_fd(root, path, 0, err, &fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return kc_err_set(err, -errno, "%s: %s", path, kc_strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return kc_err_set(err, -ENOTSOCK, "%s: is %s, not a socket", path,
				  file_kind(st.st_mode));
	*ret_file = (struct kc_socket_file){
		.path_fd = TAKE_FD(fd),
		.device = st.st_dev,
		.inode = st.st_ino,
	};
	return 0;
}

void kc_socket_file_done(struct kc_socket_file *file)
{
	file->path_fd = kc_close(file->path_fd);
}

static int connect_failed(int code, const struct kc_socket_file *file, const char *path,
			  uint64_t usec, struct kc_err *err)
{
	char span[KC_SPAN_TEXT];
	struct stat st = { 0 };

	switch (code) {
	case ECONNREFUSED:
		return kc_err_set(
			err, -ECONNREFUSED,
			"%s: the socket is there and nobody listens behind it: it was left "
			"behind by a daemon that is gone",
			path);
	case EACCES:
	case EPERM:
		(void)fstat(file->path_fd, &st);
		return kc_err_set(err, -EACCES,
				  "%s: this process may not connect to it (mode %04o, owner "
				  "%u:%u): run k8scheck as root",
				  path, (unsigned)st.st_mode & 07777, (unsigned)st.st_uid,
				  (unsigned)st.st_gid);
	case EAGAIN:
		return kc_err_set(
			err, -ETIMEDOUT,
			"%s: nobody accepted a connection in %s: its queue is full of others "
			"that wait",
			path, kc_span_text(usec, span));
	case EPROTOTYPE:
		return kc_err_set(err, -EPROTO, "%s: is a socket, but not one of streams", path);
	case ENOENT:
		return kc_err_set(err, -EIO, "%s: cannot be connected to without /proc", path);
	default:
		return kc_err_set(err, -code, "%s: cannot be connected to: %s", path,
				  kc_strerror(code));
	}
}

static int set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int kc_socket_connect(const struct kc_socket_file *file, const char *path, uint64_t started,
		      uint64_t deadline, struct kc_err *err, int *ret_fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	kc_cleanup(kc_closep) int fd = -EBADF;
	int r;

	/* By descriptor: no path is too long for sun_path, and none can change on the way. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d",
		       file->path_fd);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return kc_err_set(err, -errno, "%s: no socket to connect with: %s", path,
				  kc_strerror(errno));
	for (;;) {
		uint64_t now = kc_now_usec();
		uint64_t left = deadline > now ? deadline - now : 1;
		struct timeval tv = { .tv_sec = (time_t)(left / 1000000),
				      .tv_usec = (suseconds_t)(left % 1000000) };

		/* A blocking connect waits for room in the queue, for which poll() cannot wait. */
		if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) < 0)
			return kc_err_set(err, -errno, "%s: no deadline can be set: %s", path,
					  kc_strerror(errno));
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			break;
		if (errno != EINTR)
			return connect_failed(errno, file, path, deadline - started, err);
	}
	r = set_nonblocking(fd);
	if (r < 0)
		return kc_err_set(err, r, "%s: %s", path, kc_strerror(r));
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int wait_connected(int fd, uint64_t deadline)
{
	socklen_t size = sizeof(int);
	int code = 0;

	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };
		uint64_t now = kc_now_usec();
		struct timespec left = { 0 };
		int n;

		if (now >= deadline)
			return -ETIMEDOUT;
		left.tv_sec = (time_t)((deadline - now) / 1000000);
		left.tv_nsec = (long)((deadline - now) % 1000000) * 1000;
		n = ppoll(&pfd, 1, &left, NULL);
		if (n > 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
		return -errno;
	return -code;
}

int kc_connect_loopback(bool ipv6, uint16_t port, const char *url, uint64_t started,
			uint64_t deadline, struct kc_err *err, int *ret_fd)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	const struct sockaddr *address = ipv6 ? (const void *)&in6 : (const void *)&in;
	socklen_t size = ipv6 ? sizeof(in6) : sizeof(in);
	kc_cleanup(kc_closep) int fd = -EBADF;
	char span[KC_SPAN_TEXT];
	int r = 0;

	fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return kc_err_set(err, -errno, "%s: no socket to connect with: %s", url,
				  kc_strerror(errno));
	if (connect(fd, address, size) < 0)
		r = errno == EINPROGRESS ? wait_connected(fd, deadline) : -errno;
	if (r == -ETIMEDOUT)
		return kc_err_set(err, r, "%s: nobody accepted a connection in %s", url,
				  kc_span_text(deadline - started, span));
	if (r == -ECONNREFUSED)
		return kc_err_set(err, r, "%s: nobody listens on port %u", url, (unsigned)port);
	if (r < 0)
		return kc_err_set(err, r, "%s: cannot be connected to: %s", url, kc_strerror(r));
	*ret_fd = TAKE_FD(fd);
	return 0;
}
