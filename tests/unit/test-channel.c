/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "run/channel.h"

/* Two ends of one socket. */
struct ends {
	struct kc_channel a, b;
};

static int set_up(void **state)
{
	struct ends *e = calloc(1, sizeof(*e));
	int pair[2];

	assert_non_null(e);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
			 0);
	kc_channel_init(&e->a, pair[0]);
	kc_channel_init(&e->b, pair[1]);
	*state = e;
	return 0;
}

static int tear_down(void **state)
{
	struct ends *e = *state;

	kc_channel_done(&e->a);
	kc_channel_done(&e->b);
	free(e);
	return 0;
}

static void put(struct kc_channel *c, uint32_t rule, size_t size)
{
	size_t begin = kc_frame_begin(&c->out, KC_FRAME_LOG, rule);
	char *bytes = calloc(1, size + 1);

	assert_non_null(bytes);
	kc_put_bytes(&c->out, bytes, size);
	kc_frame_end(&c->out, begin);
	free(bytes);
}

/* A byte at a time is enough: frames come out whole, in order, and none twice. */
static void test_bytes(void **state)
{
	struct ends *e = *state;
	struct kc_frame frame;
	unsigned n = 0;

	for (uint32_t i = 0; i < 5; i++)
		put(&e->a, i, i * 7);
	for (size_t i = 0; i < e->a.out.len; i++) {
		assert_int_equal(send(e->a.fd, e->a.out.data + i, 1, MSG_NOSIGNAL), 1);
		assert_int_equal(kc_channel_receive(&e->b, NULL), 1);
		while (kc_channel_next(&e->b, &frame) == 1) {
			assert_int_equal(frame.rule, n);
			assert_int_equal(frame.size, 4 + n * 7 + 1);
			n++;
		}
	}
	assert_int_equal(n, 5);
	assert_int_equal(kc_channel_next(&e->b, &frame), 0);
	assert_int_equal(kc_channel_receive(&e->b, NULL), -EAGAIN);
}

/* More than the kernel takes at once: what is left stays queued, and nothing is lost. */
static void test_partial_send(void **state)
{
	struct ends *e = *state;
	struct kc_frame frame;
	uint32_t sent = 0, got = 0;
	bool full = false;
	int r;

	while (!full && sent < 1000) {
		put(&e->a, sent++, 30000);
		assert_int_equal(kc_channel_flush(&e->a), 0);
		full = e->a.out.len > 0;
	}
	assert_true(full);
	put(&e->a, sent++, 3);
	while (got < sent) {
		r = kc_channel_receive(&e->b, NULL);
		assert_true(r == 1 || r == -EAGAIN);
		while (kc_channel_next(&e->b, &frame) == 1)
			assert_int_equal(frame.rule, got++);
		assert_int_equal(kc_channel_flush(&e->a), 0);
	}
	assert_int_equal(e->a.out.len, 0);
	assert_int_equal(e->a.out_sent, 0);
}

/* Waits until another process has read it all. */
static void test_flush_all(void **state)
{
	struct ends *e = *state;
	enum {
		FRAMES = 64
	};
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct kc_frame frame;

		for (uint32_t i = 0; i < FRAMES; i++) {
			if (kc_channel_wait(&e->b, UINT64_MAX, &frame) < 0 || frame.rule != i)
				_exit(1);
		}
		_exit(0);
	}
	for (uint32_t i = 0; i < FRAMES; i++)
		put(&e->a, i, 50000);
	assert_int_equal(kc_channel_flush_all(&e->a), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A little takes little room; of a lot, the pieces grow, and so do the frames that fit. */
static void test_room(void **state)
{
	enum {
		SIZE = 1024 * 1024,
	};
	struct ends *e = *state;
	struct kc_frame frame;
	unsigned pieces = 0;

	put(&e->a, 1, 100);
	assert_int_equal(kc_channel_flush(&e->a), 0);
	assert_int_equal(kc_channel_receive(&e->b, NULL), 1);
	assert_true(e->b.in.size <= 4096);
	assert_false(e->b.more);
	assert_int_equal(kc_channel_next(&e->b, &frame), 1);
	put(&e->a, 2, SIZE);
	put(&e->a, 3, 1);
	do {
		int r;

		assert_int_equal(kc_channel_flush(&e->a), 0);
		r = kc_channel_receive(&e->b, NULL);
		assert_int_equal(r, 1);
		/* Who stops at a piece that was not full has not left anything behind. */
		if (!e->b.more)
			assert_int_equal(kc_channel_receive(&e->b, NULL), -EAGAIN);
		pieces++;
	} while (kc_channel_next(&e->b, &frame) == 0);
	assert_int_equal(frame.rule, 2);
	assert_int_equal(frame.size, 4 + SIZE + 1);
	assert_true(pieces <= 2 * SIZE / (64 * 1024));
	assert_true(e->b.in.size <= 2 * SIZE);
	assert_int_equal(kc_channel_flush(&e->a), 0);
	while (kc_channel_next(&e->b, &frame) == 0)
		assert_int_equal(kc_channel_receive(&e->b, NULL), 1);
	assert_int_equal(frame.rule, 3);
}

/* Frames without end are read by as much as there may be at once. */
static void test_stream(void **state)
{
	struct ends *e = *state;
	struct kc_frame frame;
	uint32_t seen = 0, sent = 0;
	unsigned pieces = 0;

	while (seen < 2000) {
		while (sent < 2000 && e->a.out.len == 0) {
			put(&e->a, sent++, 1000);
			assert_int_equal(kc_channel_flush(&e->a), 0);
		}
		assert_int_equal(kc_channel_receive(&e->b, NULL), 1);
		pieces++;
		while (kc_channel_next(&e->b, &frame) == 1)
			assert_int_equal(frame.rule, seen++);
		assert_int_equal(kc_channel_flush(&e->a), 0);
	}
	assert_true(pieces < 200);
}

static int count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void test_descriptors(void **state)
{
	struct ends *e = *state;
	int pipes[2], fds[KC_CHANNEL_FDS_MAX], before = count_fds();
	struct kc_frame frame;
	char c = 0;

	assert_int_equal(pipe(pipes), 0);
	put(&e->a, 1, 10);
	assert_int_equal(kc_channel_send_fds(&e->a, pipes, 2), 0);
	assert_int_equal(e->a.out.len, 0);
	assert_int_equal(kc_channel_receive(&e->b, fds), 1);
	assert_int_equal(kc_channel_next(&e->b, &frame), 1);
	assert_int_equal(frame.rule, 1);
	assert_true(fds[0] >= 0 && fds[1] >= 0);
	assert_int_equal(fds[2], -EBADF);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(pipes[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	for (unsigned i = 0; i < 2; i++) {
		close(fds[i]);
		close(pipes[i]);
	}
	assert_int_equal(count_fds(), before);
}

static void test_descriptors_refused(void **state)
{
	static const int many[KC_CHANNEL_FDS_MAX + 1];
	struct ends *e = *state;
	const int one[] = { 0 };

	/* They go with the first byte of a frame. */
	assert_int_equal(kc_channel_send_fds(&e->a, one, 1), -EINVAL);
	put(&e->a, 1, 10);
	assert_int_equal(kc_channel_send_fds(&e->a, one, 0), -EINVAL);
	assert_int_equal(kc_channel_send_fds(&e->a, many, KC_ARRAY_SIZE(many)), -EINVAL);
	assert_int_equal(kc_channel_send_fds(&e->a, one, 1), 0);
}

/* Whoever sends descriptors that nobody asked for, or more than there is room for, leaks none. */
static void test_descriptors_unwanted(void **state)
{
	struct ends *e = *state;
	int fds[KC_CHANNEL_FDS_MAX], before = count_fds();
	int list[8] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	union {
		char space[CMSG_SPACE(sizeof(list))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { .iov_base = (char *)"x", .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(sizeof(list)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&msg);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(list));
	memcpy(CMSG_DATA(header), list, sizeof(list));
	assert_int_equal(sendmsg(e->a.fd, &msg, 0), 1);
	assert_int_equal(kc_channel_receive(&e->b, NULL), 1);
	assert_int_equal(count_fds(), before);
	assert_int_equal(sendmsg(e->a.fd, &msg, 0), 1);
	assert_int_equal(kc_channel_receive(&e->b, fds), 1);
	assert_int_equal(count_fds(), before + KC_CHANNEL_FDS_MAX);
	for (size_t i = 0; i < KC_CHANNEL_FDS_MAX; i++)
		close(fds[i]);
	assert_int_equal(count_fds(), before);
}

/* Descriptors come with the frame that they were sent with, whatever waits before and behind. */
static void test_descriptors_keep_their_place(void **state)
{
	struct ends *e = *state;
	int fds[KC_CHANNEL_FDS_MAX];
	const int one[] = { 0 };
	struct kc_frame frame;
	uint32_t seen = 0;

	for (uint32_t i = 0; i < 6; i++) {
		put(&e->a, i, 4);
		if (i % 2)
			assert_int_equal(kc_channel_send_fds(&e->a, one, 1), 0);
		else
			assert_int_equal(kc_channel_flush(&e->a), 0);
	}
	while (seen < 6) {
		bool with;

		assert_int_equal(kc_channel_receive(&e->b, fds), 1);
		with = fds[0] >= 0;
		if (with)
			close(fds[0]);
		while (kc_channel_next(&e->b, &frame) == 1)
			assert_int_equal(frame.rule, seen++);
		/* The last frame of what came at once is the one with the descriptor. */
		if (with)
			assert_int_equal(seen % 2, 0);
	}
}

/* A channel whose kernel buffer is full takes a descriptor as soon as there is room again. */
static void test_descriptors_wait(void **state)
{
	struct ends *e = *state;
	const int one[] = { 0 };
	char chunk[4096] = { 0 };
	pid_t pid;
	int status;

	while (send(e->a.fd, chunk, sizeof(chunk), MSG_NOSIGNAL) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)usleep(20000);
		while (recv(e->b.fd, chunk, sizeof(chunk), 0) > 0)
			;
		_exit(0);
	}
	put(&e->a, 1, 10);
	assert_int_equal(kc_channel_send_fds(&e->a, one, 1), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_waits(void **state)
{
	struct ends *e = *state;
	uint64_t start = kc_now_usec();
	struct kc_frame frame;

	assert_int_equal(kc_channel_wait(&e->b, start + 30000, &frame), -ETIMEDOUT);
	assert_true(kc_now_usec() >= start + 30000);
	/* Half a frame is none. */
	put(&e->a, 1, 100);
	assert_int_equal(send(e->a.fd, e->a.out.data, 50, MSG_NOSIGNAL), 50);
	assert_int_equal(kc_channel_wait(&e->b, kc_now_usec() + 10000, &frame), -ETIMEDOUT);
	assert_true(send(e->a.fd, e->a.out.data + 50, e->a.out.len - 50, MSG_NOSIGNAL) > 0);
	assert_int_equal(kc_channel_wait(&e->b, kc_now_usec() + 1000000, &frame), 0);
	assert_int_equal(frame.rule, 1);
	assert_int_equal(send(e->a.fd, e->a.out.data, 50, MSG_NOSIGNAL), 50);
	kc_channel_shut(&e->a);
	assert_int_equal(kc_channel_wait(&e->b, UINT64_MAX, &frame), -EPIPE);
}

/* As a worker does: its end blocks, and what comes late, and in two parts, is waited for. */
static void test_waits_in_the_kernel(void **state)
{
	struct ends *e = *state;
	int flags = fcntl(e->b.fd, F_GETFL), status;
	struct kc_frame frame;
	pid_t pid;

	assert_int_equal(fcntl(e->b.fd, F_SETFL, flags & ~O_NONBLOCK), 0);
	/* A deadline holds there, too. */
	assert_int_equal(kc_channel_wait(&e->b, kc_now_usec() + 10000, &frame), -ETIMEDOUT);
	put(&e->a, 1, 100);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)usleep(10000);
		if (send(e->a.fd, e->a.out.data, 50, MSG_NOSIGNAL) != 50)
			_exit(1);
		(void)usleep(10000);
		_exit(send(e->a.fd, e->a.out.data + 50, e->a.out.len - 50, MSG_NOSIGNAL) < 0);
	}
	assert_int_equal(kc_channel_wait(&e->b, UINT64_MAX, &frame), 0);
	assert_int_equal(frame.rule, 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	kc_channel_shut(&e->a);
	assert_int_equal(kc_channel_wait(&e->b, UINT64_MAX, &frame), -EPIPE);
}

static void test_wait_for_rubbish(void **state)
{
	struct ends *e = *state;
	struct kc_frame frame;

	assert_int_equal(send(e->a.fd, "no frame at all", 15, MSG_NOSIGNAL), 15);
	assert_int_equal(kc_channel_wait(&e->b, UINT64_MAX, &frame), -EBADMSG);
	assert_int_equal(kc_channel_next(&e->b, &frame), -EBADMSG);
}

/* Sending to who is gone is an error, and no signal. */
static void test_gone(void **state)
{
	struct ends *e = *state;

	kc_channel_done(&e->b);
	put(&e->a, 1, 10);
	assert_int_equal(kc_channel_flush(&e->a), -EPIPE);
	assert_int_equal(kc_channel_flush_all(&e->a), -EPIPE);
	assert_int_equal(kc_channel_receive(&e->a, NULL), 0);
}

static void test_no_memory(void **state)
{
	struct ends *e = *state;
	const int one[] = { 0 };

	put(&e->a, 1, 10);
	e->a.out.failed = true;
	assert_int_equal(kc_channel_flush(&e->a), -ENOMEM);
	assert_int_equal(kc_channel_send_fds(&e->a, one, 1), -ENOMEM);
	assert_int_equal(kc_channel_receive(&e->b, NULL), -EAGAIN);
}

static void test_drain(void **state)
{
	struct ends *e = *state;
	uint64_t start;
	pid_t pid;
	int status;

	/* Nobody closes: it gives up when told. */
	put(&e->a, 1, 1000);
	assert_int_equal(kc_channel_flush(&e->a), 0);
	start = kc_now_usec();
	kc_channel_drain(&e->b, start + 30000);
	assert_true(kc_now_usec() >= start + 30000);
	assert_int_equal(kc_channel_receive(&e->b, NULL), -EAGAIN);
	/* Somebody writes for a while, and closes. */
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		kc_channel_done(&e->b);
		for (uint32_t i = 0; i < 20; i++)
			put(&e->a, i, 50000);
		_exit(kc_channel_flush_all(&e->a) < 0);
	}
	kc_channel_done(&e->a);
	kc_channel_drain(&e->b, kc_now_usec() + 60 * 1000000ull);
	assert_int_equal(e->b.in.len, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(kc_channel_receive(&e->b, NULL), 0);
}

#define CHANNEL_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANNEL_TEST(test_bytes),
		CHANNEL_TEST(test_partial_send),
		CHANNEL_TEST(test_flush_all),
		CHANNEL_TEST(test_room),
		CHANNEL_TEST(test_stream),
		CHANNEL_TEST(test_descriptors),
		CHANNEL_TEST(test_descriptors_refused),
		CHANNEL_TEST(test_descriptors_unwanted),
		CHANNEL_TEST(test_descriptors_keep_their_place),
		CHANNEL_TEST(test_descriptors_wait),
		CHANNEL_TEST(test_waits),
		CHANNEL_TEST(test_waits_in_the_kernel),
		CHANNEL_TEST(test_wait_for_rubbish),
		CHANNEL_TEST(test_gone),
		CHANNEL_TEST(test_no_memory),
		CHANNEL_TEST(test_drain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
