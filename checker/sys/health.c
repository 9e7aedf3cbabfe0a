/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/num.h"
#include "connect.h"
#include "health.h"
#include "http1.h"

/* The path goes into a request line as it is, so nothing that could end one may stand in it. */
static bool is_plain_path(const char *path)
{
	if (path[0] != '/' && path[0] != 0)
		return false;
	for (const char *p = path; *p; p++) {
		if (*p <= ' ' || *p > '~' || *p == '#')
			return false;
	}
	return true;
}

int kc_health_url_parse(const char *url, struct kc_err *err, struct kc_health_url *ret_url)
{
	static const struct {
		const char *prefix, *host;
		bool ipv6;
	} hosts[] = {
		{ "http://127.0.0.1:", "127.0.0.1", false },
		{ "http://localhost:", "localhost", false },
		{ "http://[::1]:", "[::1]", true },
	};
	struct kc_health_url parsed = { 0 };

	for (size_t i = 0; i < KC_ARRAY_SIZE(hosts); i++) {
		const char *port = kc_after_prefix(url, hosts[i].prefix);
		char digits[6] = "";
		uint64_t number;
		size_t n;

		if (!port)
			continue;
		n = strcspn(port, "/");
		if (n == 0 || n >= sizeof(digits) || !is_plain_path(port + n))
			break;
		memcpy(digits, port, n);
		if (kc_parse_u64(digits, &number) < 0 || number == 0 || number > UINT16_MAX)
			break;
		parsed.ipv6 = hosts[i].ipv6;
		parsed.port = (uint16_t)number;
		parsed.path = port[n] ? port + n : "/";
		(void)snprintf(parsed.host, sizeof(parsed.host), "%s:%u", hosts[i].host,
			       (unsigned)parsed.port);
		*ret_url = parsed;
		return 0;
	}
	return kc_err_set(
		err, -EPERM,
		"%s: only http://127.0.0.1:PORT/PATH and http://[::1]:PORT/PATH are asked", url);
}

static int ask(const struct kc_door_host *host, const struct kc_question *question,
	       struct kc_err *err, struct kc_http1_answer *reply)
{
	kc_cleanup(kc_peer_done) struct kc_peer peer = { .fd = -EBADF };
	uint64_t started = kc_now_usec(), deadline = started + question->timeout_usec;
	struct kc_health_url url;
	const char *text;
	int fd, r;

	if (question->strings.n != 1)
		return kc_err_set(err, -EINVAL, "a health question has one URL");
	text = question->strings.item[0];
	r = kc_health_url_parse(text, err, &url);
	if (r < 0)
		return r;
	if (!kc_root_is_live(host->root))
		return kc_err_set(err, -EOPNOTSUPP, "%s: is asked only on a running system", text);
	r = kc_connect_loopback(url.ipv6, url.port, text, started, deadline, err, &fd);
	if (r < 0)
		return r;
	kc_peer_init(&peer, fd, text);
	kc_peer_begin(&peer, started, deadline);
	return kc_http1_get(&peer, url.host, url.path, KC_HEALTH_BODY_MAX, err, reply);
}

void kc_door_health(const struct kc_door_host *host, void **state,
		    const struct kc_question *question, struct kc_arena *arena,
		    struct kc_answer *ret_answer)
{
	kc_cleanup(kc_http1_answer_done) struct kc_http1_answer reply = { 0 };
	struct kc_answer answer = { 0 };
	struct kc_err err;

	if (ask(host, question, &err, &reply) < 0) {
		kc_answer_err(&answer, arena, &err);
	} else {
		kc_answer_add(&answer, arena, reply.body.data, reply.body.len);
		answer.numbers[0] = reply.status;
	}
	*ret_answer = answer;
}
