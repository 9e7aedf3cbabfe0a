/* SPDX-License-Identifier: Apache-2.0 */

/* HTTP/1.1 answers, whole, malformed and cut at every byte; and the door to health end points. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "sys/health.h"
#include "sys/http1.h"

enum {
	MAX_BODY = 100,
	SHORT_USEC = 200 * 1000,
	LONG_USEC = 10 * 1000 * 1000
};

/* ---- answers ---- */

static int parse(const char *data, size_t size, bool ended, struct kc_http1_answer *answer)
{
	/* Memory of just this size, so that a read beyond it is seen. */
	kc_cleanup(kc_freep) char *copy = malloc(size ? size : 1);
	struct kc_err err = { 0 };
	int r;

	assert_non_null(copy);
	memcpy(copy, data, size);
	r = kc_http1_parse(copy, size, ended, MAX_BODY, &err, answer);
	assert_int_equal(err.code, r < 0 ? r : 0);
	return r;
}

static void test_whole(void **state)
{
	static const struct {
		const char *text;
		int status;
		const char *body;
	} cases[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok" },
		{ "HTTP/1.0 200\r\ncontent-LENGTH:\t2 \r\nX: \r\n\r\nok", 200, "ok" },
		{ "HTTP/1.1 500 \r\nContent-Length: 0\r\n\r\n", 500, "" },
		{ "HTTP/1.1 204 No Content\r\n\r\n", 204, "" },
		{ "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
		  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
		  200, "x" },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "3\r\nabc\r\n0A;name=value\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n",
		  200, "abc0123456789" },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		kc_cleanup(kc_http1_answer_done) struct kc_http1_answer answer = { 0 };
		size_t size = strlen(cases[i].text);

		for (size_t n = 0; n < size; n++)
			assert_int_equal(parse(cases[i].text, n, false, &answer), 0);
		assert_int_equal(parse(cases[i].text, size, false, &answer), 1);
		assert_int_equal(answer.status, cases[i].status);
		assert_int_equal(answer.body.len, strlen(cases[i].body));
		assert_memory_equal(answer.body.data ? answer.body.data : "", cases[i].body,
				    answer.body.len);
	}
}

static void test_until_end(void **state)
{
	static const char text[] = "HTTP/1.0 200 OK\r\n\r\nhello";
	kc_cleanup(kc_http1_answer_done) struct kc_http1_answer answer = { 0 };

	assert_int_equal(parse(text, strlen(text), false, &answer), 0);
	assert_int_equal(parse(text, strlen(text), true, &answer), 1);
	assert_string_equal(answer.body.data, "hello");
	/* One with a length does not end before it. */
	assert_int_equal(
		parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 41, true, &answer), 0);
	assert_int_equal(answer.have, 3);
	assert_int_equal(answer.want, 5);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ "SSH-2.0-OpenSSH\r\n", -EPROTO },
		{ "HTTP/2 200\r\n\r\n", -EPROTO },
		{ "\r\n", -EPROTO },
		{ "HTTP/1.1 2x0 OK\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 2000\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 020 OK\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\n: x\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nA : x\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nA: x\r\n folded\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		  -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
		  -EBADMSG },
		{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", -EFBIG },
		{ "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n", -EFBIG },
	};

	for (size_t i = 0; i < KC_ARRAY_SIZE(cases); i++) {
		kc_cleanup(kc_http1_answer_done) struct kc_http1_answer answer = { 0 };
		int r = parse(cases[i].text, strlen(cases[i].text), false, &answer);

		if (r != cases[i].code)
			fail_msg("%d, not %d, for: %s", r, cases[i].code, cases[i].text);
	}
}

static void test_bounds(void **state)
{
	kc_cleanup(kc_http1_answer_done) struct kc_http1_answer answer = { 0 };
	kc_cleanup(kc_buf_done) struct kc_buf line = { 0 }, fields = { 0 }, body = { 0 };

	kc_buf_adds(&line, "HTTP/1.1 200 ");
	while (line.len <= KC_HTTP1_HEAD_MAX)
		kc_buf_adds(&line, "very ");
	assert_int_equal(parse(line.data, line.len, false, &answer), -EFBIG);
	kc_buf_adds(&fields, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i <= KC_HTTP1_FIELDS_MAX; i++)
		kc_buf_adds(&fields, "A: b\r\n");
	kc_buf_adds(&fields, "\r\n");
	assert_int_equal(parse(fields.data, fields.len, false, &answer), -EFBIG);
	kc_buf_adds(&body, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0; i <= MAX_BODY; i++)
		kc_buf_addc(&body, 'x');
	assert_int_equal(parse(body.data, body.len, false, &answer), -EFBIG);
	assert_int_equal(parse(body.data, body.len - 1, true, &answer), 1);
	assert_int_equal(answer.body.len, MAX_BODY);
}

/* ---- URLs ---- */

static void test_urls(void **state)
{
	static const struct {
		const char *url;
		bool ipv6;
		unsigned port;
		const char *path, *host;
	} good[] = {
		{ "http://127.0.0.1:10248/healthz", false, 10248, "/healthz", "127.0.0.1:10248" },
		{ "http://localhost:1", false, 1, "/", "localhost:1" },
		{ "http://[::1]:65535/a?b=c", true, 65535, "/a?b=c", "[::1]:65535" },
	};
	static const char *const bad[] = {
		"",
		"http://127.0.0.1/healthz",
		"https://127.0.0.1:10248/healthz",
		"http://127.0.0.2:10248/",
		"http://127.0.0.1.example.org:80/",
		"http://10.0.0.1:80/",
		"http://127.0.0.1:0/",
		"http://127.0.0.1:65536/",
		"http://127.0.0.1:123456/",
		"http://127.0.0.1:80x/",
		"http://127.0.0.1:+80/",
		"http://127.0.0.1:80@example.org/",
		"http://127.0.0.1:80?x",
		"http://127.0.0.1:80/a b",
		"http://127.0.0.1:80/a\r\nHost: x",
		"http://127.0.0.1:80/\xc3\xa9",
		"http://127.0.0.1:80/#x",
		"http://user@127.0.0.1:80/",
		"HTTP://127.0.0.1:80/",
		"unix:///run/x",
	};
	struct kc_health_url url;
	struct kc_err err = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(good); i++) {
		assert_int_equal(kc_health_url_parse(good[i].url, &err, &url), 0);
		assert_int_equal(url.ipv6, good[i].ipv6);
		assert_int_equal(url.port, good[i].port);
		assert_string_equal(url.path, good[i].path);
		assert_string_equal(url.host, good[i].host);
	}
	for (size_t i = 0; i < KC_ARRAY_SIZE(bad); i++) {
		if (kc_health_url_parse(bad[i], &err, &url) != -EPERM)
			fail_msg("this was taken: %s", bad[i]);
	}
}

/* ---- the door ---- */

/* Listens on a free port of 127.0.0.1, or of ::1. */
static int listen_loopback(bool ipv6, unsigned *ret_port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *address = ipv6 ? (void *)&in6 : (void *)&in;
	socklen_t size = ipv6 ? sizeof(in6) : sizeof(in);
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, address, size) < 0 || listen(fd, 4) < 0 ||
	    getsockname(fd, address, &size) < 0) {
		(void)kc_close(fd);
		return -1;
	}
	*ret_port = ntohs(ipv6 ? in6.sin6_port : in.sin_port);
	return fd;
}

/* A child that answers every connection with the text; with none it says nothing. */
static pid_t serve(int fd, const char *text)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		char request[1024] = "";
		int connection = accept(fd, NULL, NULL);

		if (connection < 0 || recv(connection, request, sizeof(request) - 1, 0) <= 0)
			continue;
		if (!text)
			(void)pause();
		if (!kc_after_prefix(request, "GET /healthz HTTP/1.1\r\n") ||
		    !strstr(request, "\r\nHost: "))
			text = "HTTP/1.1 400 Bad Request\r\n\r\n";
		(void)send(connection, text, strlen(text), MSG_NOSIGNAL);
		(void)close(connection);
	}
}

static void ask(const char *url, uint64_t timeout, unsigned root_flags, struct kc_arena *arena,
		struct kc_answer *answer)
{
	kc_cleanup(kc_root_freep) struct kc_root *root = NULL;
	struct kc_door_host host = { 0 };
	const struct kc_question question = {
		.kind = KC_ASK_HEALTH,
		.timeout_usec = timeout,
		.strings = { .n = 1, .item = (const char *const[]){ url, NULL } },
	};
	struct kc_err err = { 0 };
	void *state = NULL;

	assert_int_equal(kc_root_open("/proc/self/cwd", root_flags, &err, &root), 0);
	host.root = root;
	kc_door_health(&host, &state, &question, arena, answer);
	assert_null(state);
}

static void stop(pid_t pid, int fd)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(close(fd), 0);
}

static void converse(bool ipv6, const char *text, uint64_t timeout, struct kc_arena *arena,
		     struct kc_answer *answer)
{
	unsigned port = 0;
	int fd = listen_loopback(ipv6, &port);
	char url[64];
	pid_t pid;

	/* A machine without IPv6 has nothing to be asked there. */
	if (fd < 0 && ipv6)
		skip();
	assert_true(fd >= 0);
	pid = serve(fd, text);
	assert_true(pid > 0);
	(void)snprintf(url, sizeof(url), "http://%s:%u/healthz", ipv6 ? "[::1]" : "127.0.0.1",
		       port);
	ask(url, timeout, KC_ROOT_LIVE, arena, answer);
	stop(pid, fd);
}

static void test_answers(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_answer answer;

	converse(false, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", LONG_USEC, &arena,
		 &answer);
	assert_int_equal(answer.code, 0);
	assert_int_equal(answer.numbers[0], 200);
	assert_int_equal(answer.n_items, 1);
	assert_string_equal(answer.items[0].data, "ok");
	/* A bad status is an answer, too; and so is a redirect, which nobody follows. */
	converse(false, "HTTP/1.1 500 No\r\n\r\n[-]ping failed", LONG_USEC, &arena, &answer);
	assert_int_equal(answer.numbers[0], 500);
	assert_string_equal(answer.items[0].data, "[-]ping failed");
	converse(false,
		 "HTTP/1.1 301 Moved\r\nLocation: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n",
		 LONG_USEC, &arena, &answer);
	assert_int_equal(answer.numbers[0], 301);
	assert_int_equal(answer.items[0].size, 0);
}

static void test_ipv6(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_answer answer;

	converse(true, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", LONG_USEC, &arena,
		 &answer);
	assert_int_equal(answer.code, 0);
	assert_int_equal(answer.numbers[0], 200);
}

static void assert_failed(const struct kc_answer *answer, int code, const char *words)
{
	if (answer->code != code || !strstr(answer->why, words))
		fail_msg("%d, not %d with \"%s\": %s", answer->code, code, words,
			 answer->why ? answer->why : "an answer");
}

static void test_failures(void **state)
{
	kc_cleanup(kc_arena_done) struct kc_arena arena = { 0 };
	struct kc_answer answer;
	unsigned port = 0;
	char url[64];
	int fd;

	converse(false, NULL, SHORT_USEC, &arena, &answer);
	assert_failed(&answer, -ETIMEDOUT, "sent not one byte in 200 ms");
	converse(false, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", LONG_USEC, &arena,
		 &answer);
	assert_failed(&answer, -ECONNRESET, "after 4 of 20 bytes");
	converse(false, "", LONG_USEC, &arena, &answer);
	assert_failed(&answer, -ECONNRESET, "without a byte");
	converse(false, "SSH-2.0-x\r\n", LONG_USEC, &arena, &answer);
	assert_failed(&answer, -EPROTO, "its 11 bytes begin \"SSH-2.0-x\\r\\n\"");
	converse(false, "HTTP/1.1 20\r\n\r\n", LONG_USEC, &arena, &answer);
	assert_failed(&answer, -EBADMSG, "the status line is malformed");

	fd = listen_loopback(false, &port);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/healthz", port);
	ask(url, LONG_USEC, KC_ROOT_LIVE, &arena, &answer);
	assert_failed(&answer, -ECONNREFUSED, "nobody listens on port");
	ask(url, LONG_USEC, 0, &arena, &answer);
	assert_failed(&answer, -EOPNOTSUPP, "only on a running system");
	ask("http://192.0.2.1:80/", LONG_USEC, KC_ROOT_LIVE, &arena, &answer);
	assert_failed(&answer, -EPERM, "192.0.2.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	  cmocka_unit_test(test_until_end),
		cmocka_unit_test(test_malformed), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_urls),	  cmocka_unit_test(test_answers),
		cmocka_unit_test(test_ipv6),	  cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
